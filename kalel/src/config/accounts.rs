//! Merchant accounts of managers, beside the platform's own: `[wave.accounts.NAME]`, `[sonatel.accounts.NAME]`. A contract
//! of a site names one; one name is one manager's accounts, at whichever providers they have them.

use std::collections::BTreeMap;

use domain::payment::Method;
use domain::reconciliation::MAIN;
use domain::text::Slug;

use super::{Config, ConfigError};

impl Config {
    /// The accounts there are, each with the methods it takes, in the order in which they are offered.
    pub fn accounts(&self) -> BTreeMap<Slug, Vec<Method>> {
        let mut accounts: BTreeMap<Slug, Vec<Method>> = BTreeMap::new();
        let names = |method| match (method, &self.sonatel) {
            (Method::Wave, _) => self.wave.accounts.keys().collect(),
            (Method::OrangeMoney, Some(sonatel)) => sonatel.accounts.keys().collect(),
            _ => Vec::new(),
        };
        for method in self.methods() {
            for name in names(method) {
                accounts.entry(name.clone()).or_default().push(method);
            }
        }
        accounts
    }

    /// Says the first thing that is missing or wrong about them: each is as whole as the platform's own.
    pub(super) fn check_accounts(&self) -> Result<(), ConfigError> {
        let of = |setting, name: &Slug, checked: Result<(), ConfigError>| {
            checked.map_err(|error| ConfigError::Invalid { setting, why: format!("{name}: {error}") })
        };
        let nested = |setting, name: &Slug, accounts: usize| match accounts {
            // Statements know the platform's own account by it.
            0 if name.as_str() == MAIN => {
                Err(ConfigError::Invalid { setting, why: format!("{name} is the platform's own") })
            }
            0 => Ok(()),
            _ => Err(ConfigError::Invalid { setting, why: format!("{name}: an account has no accounts") }),
        };
        for (name, wave) in &self.wave.accounts {
            nested("wave.accounts", name, wave.accounts.len())?;
            of("wave.accounts", name, self.check_wave(wave))?;
        }
        for (name, sonatel) in self.sonatel.iter().flat_map(|sonatel| &sonatel.accounts) {
            nested("sonatel.accounts", name, sonatel.accounts.len())?;
            of("sonatel.accounts", name, self.check_sonatel(sonatel))?;
        }
        Ok(())
    }
}
