//! What an interval on a pitch costs: lines that name the rule they come from, the deposit, and what the policy was.

mod deposit;
mod price;
mod refusal;

pub use deposit::deposit;
pub use price::price;
pub(crate) use price::price_openings;
pub use refusal::Refusal;

use serde::{Deserialize, Serialize};

use crate::{aggregate::Version, ids::TariffId, interval::Interval, money::Money};

/// One line of a quote. The lines cover the interval exactly once; discounts are negative lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub tariff_id: TariffId,
    /// Version of the site in which this tariff was set.
    pub tariff_version: Version,
    pub during: Interval,
    /// Rounded by largest remainder, so that the lines add up to the total.
    pub amount: Money,
}

/// A price with its reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub lines: Vec<Line>,
    pub total: Money,
    /// Due before the reservation is confirmed; at most the total.
    pub deposit: Money,
    /// Version of the site the price was made from.
    pub site_version: Version,
}

#[cfg(test)]
mod tests;
