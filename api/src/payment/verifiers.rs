//! Which providers may send us webhooks, and with which secrets they prove it.

use adapters::payments::origin::Origin;

/// How the messages of one account at one provider are checked.
#[derive(Clone, Debug)]
pub struct Verifier {
    /// Which of our accounts there; empty for the only one.
    pub account: String,
    pub origin: Origin,
}

impl From<Origin> for Verifier {
    fn from(origin: Origin) -> Self {
        Self { account: String::new(), origin }
    }
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Verifiers(pub Vec<Verifier>);

impl Verifiers {
    /// The one for a provider's account. Without a secret there is none: fail closed.
    pub fn find(&self, provider: &str, account: &str) -> Option<&Origin> {
        let of = |verifier: &&Verifier| verifier.origin.provider() == provider && verifier.account == account;
        self.0.iter().find(of).map(|verifier| &verifier.origin).filter(|origin| !origin.is_unset())
    }
}
