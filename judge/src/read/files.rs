//! The folder that the trial left behind.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;

use super::JudgeError;
use crate::{
    history::History,
    input::{Bus, Rebuilt, Sms, Stage, Verify, Wave},
};

pub(super) struct Files {
    pub stage: Stage,
    pub history: History,
    pub wave: Wave,
    pub sms: Vec<Sms>,
    pub rebuild: Vec<Rebuilt>,
    pub bus: Bus,
    pub verify: Verify,
}

pub(super) fn read(folder: &Path) -> Result<Files, JudgeError> {
    let path = folder.join("history.ndjson");
    // A torn line may end in the middle of a character.
    let bytes = fs::read(&path).map_err(|source| JudgeError::File { path, source })?;
    Ok(Files {
        stage: one(folder, "stage.json")?,
        history: History::read(&String::from_utf8_lossy(&bytes)),
        wave: one(folder, "wave.json")?,
        sms: one(folder, "sms.json")?,
        rebuild: one(folder, "rebuild.json")?,
        bus: one(folder, "bus.json")?,
        verify: one(folder, "verify.json")?,
    })
}

fn one<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, JudgeError> {
    let path = folder.join(name);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(JudgeError::File { path, source }),
    };
    serde_json::from_str(&text).map_err(|source| JudgeError::Shape { path, source })
}

#[cfg(test)]
mod tests;
