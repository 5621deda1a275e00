//! `kalel.toml` of a data folder.

use super::Problem;
use super::folder::{Folder, Private, write_private};
use crate::config::{self, Config, Email, Mode, Security};

/// What `kalel.toml` says, as an operator would write it.
pub(crate) fn config(folder: &Folder, private: &Private, base_url: &str) -> Result<Config, Problem> {
    let ports = &private.ports;
    let seal_key = folder.path.join("seal.key");
    write_private(&seal_key, private.seal_key.as_bytes())?;
    Ok(Config {
        mode: Mode::Test,
        listen: ([127, 0, 0, 1], ports.http).into(),
        public_url: base_url.to_owned(),
        secrets: private.secrets.clone(),
        wave: config::Wave {
            base_url: format!("http://127.0.0.1:{}", ports.wave),
            api_key: private.providers.wave_key.clone(),
            webhook_secret: private.providers.wave_webhook_secret.clone(),
            ..Default::default()
        },
        sonatel: None,
        paytech: None,
        paydunya: None,
        yas: None,
        card: None,
        sms: config::Sms {
            base_url: format!("http://127.0.0.1:{}", ports.sms),
            username: "sandbox".into(),
            api_key: private.providers.sms_key.clone(),
            sender: None,
        },
        email: Some(Email {
            host: "127.0.0.1".into(),
            port: Some(ports.smtp),
            security: Security::Plain,
            username: None,
            password: None,
            from: "Kalel <kalel@kalel.invalid>".into(),
            finance: Some("finances@kalel.invalid".into()),
        }),
        cors: config::Cors::default(),
        database: config::Database::default(),
        // Nobody spreads the load over this process and another.
        shutdown: config::Shutdown { notice_ms: 0 },
        seal: config::Seal { key_file: Some(seal_key), origin: None },
        // There is no older program beside this one.
        projections: config::Projections { swap: true },
        workers: config::Workers::default(),
    })
}

pub(crate) fn write(folder: &Folder, config: &Config) -> Result<(), Problem> {
    let text = toml::to_string(config).map_err(|error| Problem::Keeper(error.to_string()))?;
    let text = format!("# Written by `kalel up` at every start; it holds secrets.\n{text}");
    write_private(&folder.path.join("kalel.toml"), text.as_bytes())
}
