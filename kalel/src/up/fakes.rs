//! The provider fakes that `up` starts, each a process of its own.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Problem;
use super::folder::{Folder, Private, write_private};
use super::keeper::{Run, Stop};

/// `fakes::wave::Config`, as far as `up` says it.
#[derive(Serialize)]
struct Wave<'a> {
    loopback_http: bool,
    /// So that a checkout opened before a restart can still be paid.
    state_file: PathBuf,
    keys: Vec<Key<'a>>,
    webhooks: Vec<Webhook<'a>>,
}

#[derive(Serialize)]
struct Key<'a> {
    token: &'a str,
}

#[derive(Serialize)]
struct Webhook<'a> {
    url: String,
    strategy: &'static str,
    secret: &'a str,
}

/// `fakes::sms::Config`, likewise.
#[derive(Serialize)]
struct Sms<'a> {
    username: &'a str,
    api_key: &'a str,
}

/// Writes their settings; returns how to start them. They call back to `base_url`.
///
/// # Errors
/// [`Problem::Io`].
pub fn prepare(program: &Path, folder: &Folder, private: &Private, base_url: &str) -> Result<Vec<Run>, Problem> {
    let providers = &private.providers;
    let wave = Wave {
        loopback_http: true,
        state_file: folder.path.join("fake-wave.json"),
        keys: vec![Key { token: &providers.wave_key }],
        webhooks: vec![Webhook {
            url: format!("{base_url}/v1/provider-webhooks/wave"),
            strategy: "signing",
            secret: &providers.wave_webhook_secret,
        }],
    };
    let sms = Sms { username: "sandbox", api_key: &providers.sms_key };
    let wave = write(folder, "fake-wave.toml", &wave)?;
    let sms = write(folder, "fake-sms.toml", &sms)?;
    let run = |name: &str, port: u16, more: Vec<String>| {
        let mut args = vec!["fake".into(), name.into(), "--listen".into(), format!("127.0.0.1:{port}")];
        args.extend(more);
        Run {
            name: name.into(),
            program: program.into(),
            args,
            env: Vec::new(),
            user: None,
            log: folder.log(name),
            stop: Stop::Gently,
        }
    };
    let config = |path: PathBuf| vec!["--config".into(), path.display().to_string()];
    let smtp = vec!["--smtp".into(), format!("127.0.0.1:{}", private.ports.smtp)];
    Ok(vec![
        run("wave", private.ports.wave, config(wave)),
        run("sms", private.ports.sms, config(sms)),
        run("email", private.ports.email, smtp),
    ])
}

fn write(folder: &Folder, name: &str, value: &impl Serialize) -> Result<PathBuf, Problem> {
    let path = folder.path.join(name);
    let text = toml::to_string(value).map_err(|error| Problem::Keeper(error.to_string()))?;
    write_private(&path, text.as_bytes())?;
    Ok(path)
}
