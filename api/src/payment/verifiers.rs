//! Which providers may send us webhooks, and with which secrets they prove it.

use adapters::payments::wave::webhook::WebhookSecret;

/// How the messages of one account at one provider are checked.
#[derive(Clone, Debug)]
pub enum Verifier {
    Wave {
        /// Empty for the only one.
        account: String,
        /// All that are live: two during a rotation.
        secrets: Vec<WebhookSecret>,
    },
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Verifiers(pub Vec<Verifier>);

impl Verifiers {
    /// The one for a provider's account. Without a secret there is none: fail closed.
    pub fn find(&self, provider: &str, account: &str) -> Option<&Verifier> {
        self.0.iter().find(|verifier| match verifier {
            Verifier::Wave { account: known, secrets } => provider == "wave" && known == account && !secrets.is_empty(),
        })
    }
}
