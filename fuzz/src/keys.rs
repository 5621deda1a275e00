//! Two sets of secrets: one that seeds and harness sign with, one that no input has ever seen.

use adapters::{
    payments::{origin::Origin, paytech, paytech::Env, sonatel, wave::webhook::WebhookSecret},
    secret::Secret,
};

/// The secrets of one account at each provider.
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    /// Two, as during a rotation.
    pub wave_signing: [&'static str; 2],
    pub wave_shared: &'static str,
    pub sonatel_key: &'static str,
    pub sonatel_signing: Option<&'static str>,
    pub paytech_key: &'static str,
    pub paytech_secret: &'static str,
    pub paydunya_master: &'static str,
}

/// Those of the published vectors.
pub const KNOWN: Keys = Keys {
    wave_signing: ["wave_sn_WHS_before", "wave_sn_WHS_test_secret"],
    wave_shared: "wave_sn_WHS_shared_secret",
    sonatel_key: "api_key_test",
    sonatel_signing: Some("endpoint_secret_test"),
    paytech_key: "key_test",
    paytech_secret: "secret_test",
    paydunya_master: "master_test",
};

/// In no seed, in no dictionary, and signed with by nobody.
pub const UNKNOWN: Keys = Keys {
    wave_signing: ["wave_sn_WHS_8yTq2vXc4mLr", "wave_sn_WHS_0dJp6kWz9sNb"],
    wave_shared: "wave_sn_WHS_5hGf3uEa7oRi",
    sonatel_key: "7f1c2b9e-sonatel-4d",
    sonatel_signing: Some("q8Zt1-sonatel-signing"),
    paytech_key: "b41d-paytech-key",
    paytech_secret: "e92a-paytech-secret",
    paydunya_master: "c37f-paydunya-master",
};

impl Keys {
    /// The adapters' side of it. Providers by number: Wave, Sonatel, PayTech, PayDunya.
    ///
    /// # Panics
    /// Never: no secret here is empty.
    pub fn origin(&self, provider: u8) -> Origin {
        let secret = |text: &str| Secret::new(text).expect("a secret");
        match provider % 4 {
            0 => {
                let mut secrets: Vec<_> =
                    self.wave_signing.iter().map(|it| WebhookSecret::Signing(secret(it))).collect();
                secrets.push(WebhookSecret::Shared(secret(self.wave_shared)));
                Origin::Wave(secrets)
            }
            1 => Origin::Sonatel(vec![sonatel::webhook::Secrets {
                api_key: secret(self.sonatel_key),
                signing: self.sonatel_signing.map(secret),
            }]),
            2 => Origin::PayTech(vec![paytech::webhook::Secrets {
                api_key: secret(self.paytech_key),
                api_secret: secret(self.paytech_secret),
                env: Env::Test,
            }]),
            _ => Origin::PayDunya { master_keys: vec![secret(self.paydunya_master)], sandbox: false },
        }
    }
}
