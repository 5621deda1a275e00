//! The provider fakes that `up` starts, each a process of its own.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Problem;
use super::folder::{Folder, Private, write_private};
use super::keeper::{Run, Stop};
use super::settings;

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

/// `fakes::sonatel::Config`, likewise.
#[derive(Serialize)]
struct Sonatel {
    loopback_http: bool,
    state_file: PathBuf,
    clients: Vec<Client>,
    merchant_code: &'static str,
    callback: Callback,
    proof: Proof,
    distributors: Vec<Distributor>,
}

#[derive(Serialize)]
struct Client {
    id: &'static str,
    secret: String,
}

#[derive(Serialize)]
struct Callback {
    url: String,
    api_key: String,
}

#[derive(Serialize)]
struct Proof {
    signing: String,
}

#[derive(Serialize)]
struct Distributor {
    msisdn: &'static str,
    pin: &'static str,
}

/// `fakes::paytech::Config`, likewise.
#[derive(Serialize)]
struct PayTech {
    state_file: PathBuf,
    api_key: String,
    api_secret: String,
    switches: Switches,
}

#[derive(Serialize)]
struct Switches {
    loopback_http: bool,
}

/// `fakes::paydunya::Config`, likewise.
#[derive(Serialize)]
struct PayDunya {
    loopback_http: bool,
    state_file: PathBuf,
    master_key: String,
    live: Keys,
}

#[derive(Serialize)]
struct Keys {
    private_key: String,
    token: String,
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
    let hook = |provider: &str| format!("{base_url}/v1/provider-webhooks/{provider}");
    let state_file = |name: &str| folder.path.join(format!("fake-{name}.json"));
    let known = settings::rails(private);
    let sonatel = Sonatel {
        loopback_http: true,
        state_file: state_file("sonatel"),
        clients: vec![Client { id: settings::SONATEL_CLIENT, secret: known.sonatel.client_secret }],
        merchant_code: settings::MERCHANT_CODE,
        callback: Callback { url: hook("sonatel"), api_key: known.sonatel.callback_key },
        proof: Proof { signing: known.sonatel.signing_secret.unwrap_or_default() },
        distributors: vec![Distributor { msisdn: settings::DISTRIBUTOR, pin: settings::PIN }],
    };
    let paytech = PayTech {
        state_file: state_file("paytech"),
        api_key: known.paytech.api_key,
        api_secret: known.paytech.api_secret,
        switches: Switches { loopback_http: true },
    };
    let paydunya = PayDunya {
        loopback_http: true,
        state_file: state_file("paydunya"),
        master_key: known.paydunya.master_key,
        live: Keys { private_key: known.paydunya.private_key, token: known.paydunya.token },
    };
    let sms = Sms { username: "sandbox", api_key: &providers.sms_key };
    let sonatel = write(folder, "fake-sonatel.toml", &sonatel)?;
    let paytech = write(folder, "fake-paytech.toml", &paytech)?;
    let paydunya = write(folder, "fake-paydunya.toml", &paydunya)?;
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
        run("sonatel", private.ports.sonatel, config(sonatel)),
        run("paytech", private.ports.paytech, config(paytech)),
        run("paydunya", private.ports.paydunya, config(paydunya)),
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
