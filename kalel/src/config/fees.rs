//! What was agreed with providers: fees on their statements are compared with it.

use std::collections::BTreeMap;

use domain::reconciliation::{Provider, Terms};
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// What each provider keeps of a charge, in basis points (100 is 1 %). Of one that is left out no fee is compared.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fees {
    pub wave: Option<u16>,
    pub sonatel: Option<u16>,
    pub paytech: Option<u16>,
    pub paydunya: Option<u16>,
}

impl Fees {
    /// By provider.
    pub fn terms(&self) -> BTreeMap<Provider, Terms> {
        let of = |provider| match provider {
            Provider::Wave => self.wave,
            Provider::Sonatel => self.sonatel,
            Provider::Paytech => self.paytech,
            Provider::Paydunya => self.paydunya,
        };
        Provider::ALL.map(|provider| (provider, Terms { fee_basis_points: of(provider) })).into()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let all = [self.wave, self.sonatel, self.paytech, self.paydunya];
        match all.into_iter().flatten().find(|rate| *rate > 10_000) {
            Some(rate) => Err(ConfigError::Invalid { setting: "fees", why: format!("{rate} is more than 10000") }),
            None => Ok(()),
        }
    }
}
