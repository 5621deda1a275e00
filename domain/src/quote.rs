//! What an interval on a pitch costs: lines that name the rule they come from, the deposit, and what the policy was.

mod deposit;
mod price;
mod refusal;

pub use deposit::deposit;
pub use price::price;
pub(crate) use price::price_openings;
pub use refusal::Refusal;

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Version,
    ids::{PromotionId, TariffId},
    interval::Interval,
    money::{Money, MoneyError},
    policy::Policy,
};

/// One line of a quote. The lines cover the interval exactly once.
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

/// A line that takes something off, and the rule that it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Discount {
    pub promotion_id: PromotionId,
    /// Version of the promotion in which its terms were set.
    pub promotion_version: Version,
    /// Nothing or less.
    pub amount: Money,
}

/// A price with its reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub lines: Vec<Line>,
    /// What is taken off them. With them they add up to the total.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Discount>,
    pub total: Money,
    /// Due before the reservation is confirmed; at most the total.
    pub deposit: Money,
    /// Version of the site the price was made from.
    pub site_version: Version,
}

impl Price {
    /// The price with something taken off, and the deposit of what is left.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ.
    pub(crate) fn reduced(&self, by: Discount, policy: &Policy) -> Result<Self, MoneyError> {
        let mut reduced = self.clone();
        reduced.total = self.total.plus(by.amount)?;
        reduced.deposit = deposit(policy, reduced.total);
        reduced.discounts.push(by);
        Ok(reduced)
    }

    /// The price that was promised, before anything was taken off.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ.
    pub fn undiscounted(&self, policy: &Policy) -> Result<Self, MoneyError> {
        let total = self.discounts.iter().try_fold(self.total, |total, discount| total.minus(discount.amount))?;
        Ok(Self { discounts: Vec::new(), deposit: deposit(policy, total), total, ..self.clone() })
    }

    /// The price of another slot with what was taken off the first, as far as it goes. A move neither gives nor takes anything
    /// of a budget.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ.
    pub(crate) fn discounted_as(mut self, before: &Self) -> Result<Self, MoneyError> {
        for discount in &before.discounts {
            let nothing = Money::zero(self.total.currency);
            let off = nothing.minus(discount.amount)?.min(self.total)?;
            self.total = self.total.minus(off)?;
            self.discounts.push(Discount { amount: nothing.minus(off)?, ..discount.clone() });
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
