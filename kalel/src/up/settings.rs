//! `kalel.toml` of a data folder.

use std::collections::BTreeMap;

use super::Problem;
use super::folder::{Folder, Private, write_private};
use crate::config::{self, Aggregator, CashIn, Config, Email, Mode, Security, Through};

/// What `kalel.toml` says, as an operator would write it.
pub(crate) fn config(folder: &Folder, private: &Private, base_url: &str) -> Result<Config, Problem> {
    let (ports, rails) = (&private.ports, rails(private));
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
        payment_methods: Vec::new(),
        sonatel: Some(rails.sonatel),
        webpay: None,
        paytech: Some(rails.paytech),
        paydunya: Some(rails.paydunya),
        yas: Some(Through { through: Aggregator::PayTech }),
        card: Some(Through { through: Aggregator::PayDunya }),
        // What the fake of Wave keeps.
        fees: config::Fees { wave: Some(100), ..Default::default() },
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
        // Tours, trials and benches come from one address.
        limits: config::Limits::out_of_the_way(),
        sign_in: Default::default(),
        database: config::Database::default(),
        // Nobody spreads the load over this process and another.
        shutdown: config::Shutdown { notice_ms: 0 },
        seal: config::Seal { key_file: Some(seal_key), origin: None },
        // There is no older program beside this one.
        projections: config::Projections { swap: true },
        // The clock of a test log runs ahead of the fakes', and their days are others.
        workers: config::Workers { nightly_statements: false, ..Default::default() },
    })
}

/// The application, merchant and distributor that the fake of Sonatel knows.
pub(super) const SONATEL_CLIENT: &str = "kalel";
pub(super) const MERCHANT_CODE: &str = "123456";
pub(super) const DISTRIBUTOR: &str = "770000001";
pub(super) const PIN: &str = "1234";

/// How the rails beside Wave are reached, and known by.
pub(super) struct Rails {
    pub sonatel: config::Sonatel,
    pub paytech: config::PayTech,
    pub paydunya: config::PayDunya,
}

/// What we and the fakes of the rails beside Wave know each other by.
pub(super) fn rails(private: &Private) -> Rails {
    let known_by = |what: &str| format!("{what}_{}", private.providers.rails);
    let at = |port: u16| format!("http://127.0.0.1:{port}");
    let ports = &private.ports;
    Rails {
        sonatel: config::Sonatel {
            base_url: at(ports.sonatel),
            client_id: SONATEL_CLIENT.into(),
            client_secret: known_by("client"),
            merchant_code: MERCHANT_CODE.into(),
            merchant_name: "Kalel".into(),
            callback_key: known_by("callback"),
            signing_secret: Some(known_by("signing")),
            api_key: None,
            accounts: BTreeMap::new(),
            cash_in: Some(CashIn { msisdn: DISTRIBUTOR.into(), pin: PIN.into() }),
        },
        paytech: config::PayTech {
            base_url: format!("{}/api", at(ports.paytech)),
            api_key: known_by("key"),
            api_secret: known_by("secret"),
            // Its test mode debits another amount than the price.
            env: config::PayTechEnv::Prod,
        },
        paydunya: config::PayDunya {
            base_url: at(ports.paydunya),
            // There are no payouts in its sandbox, and the fake is none of the real thing anyway.
            sandbox: false,
            master_key: known_by("master"),
            private_key: known_by("live_private"),
            token: known_by("live_token"),
            store_name: "Kalel".into(),
        },
    }
}

pub(crate) fn write(folder: &Folder, config: &Config) -> Result<(), Problem> {
    let text = toml::to_string(config).map_err(|error| Problem::Keeper(error.to_string()))?;
    let text = format!("# Written by `kalel up` at every start; it holds secrets.\n{text}");
    write_private(&folder.path.join("kalel.toml"), text.as_bytes())
}
