//! What a site and the platform have agreed about money: who collects it, and what of it is the platform's (domain.md,
//! Ledger).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    event::Members,
    money::{Money, MoneyError},
    policy::BasisPoints,
    text::Slug,
};

/// Who has the clients' money first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// The platform: it keeps the commission and owes the site the rest.
    PlatformCollects,
    /// The site, whatever the method: it keeps what is earned and owes the commission.
    ManagerCollects,
}

/// Who collects, and what of the money that is kept is the platform's. Frozen on every reservation when it is placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Contract {
    pub flow: Flow,
    /// The platform's part of what is kept, 0 to 10 000.
    pub commission: BasisPoints,
    /// The merchant account at the providers that the money goes through: the manager's own, by its name in the settings.
    /// `None` is the platform's.
    pub merchant_account: Option<Slug>,
}

/// Until then all money went through the platform's account.
pub(crate) fn of_the_platform(mut data: Members) -> Members {
    if let Some(Value::Object(contract)) = data.get_mut("contract") {
        contract.insert("merchant_account".to_owned(), Value::Null);
    }
    data
}

impl Default for Contract {
    /// The platform collects, for a tenth of what is kept.
    fn default() -> Self {
        Self { flow: Flow::PlatformCollects, commission: BasisPoints(1_000), merchant_account: None }
    }
}

impl Contract {
    /// All that is kept.
    pub const MOST: BasisPoints = BasisPoints(10_000);

    /// What of `kept`, all that a reservation has earned so far, is the platform's: `kept` × basis points ÷ 10 000, rounded
    /// down to a whole minor unit, so never more than was agreed. It is a function of the sum: what is earned in parts is
    /// charged by the difference from one sum to the next, or rounding each part would lose or make francs.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] when less than nothing was kept, or the rate is above [`Contract::MOST`].
    pub fn commission(&self, kept: Money) -> Result<Money, MoneyError> {
        if kept.amount < 0 || self.commission.0 > Self::MOST.0 {
            return Err(MoneyError::OutOfRange);
        }
        let part = i128::from(kept.amount) * i128::from(self.commission.0) / i128::from(Self::MOST.0);
        let amount = i64::try_from(part).map_err(|_| MoneyError::OutOfRange)?;
        Ok(Money::new(amount, kept.currency))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::money::Currency;

    fn at(basis_points: u16) -> Contract {
        Contract { commission: BasisPoints(basis_points), ..Contract::default() }
    }

    #[test]
    fn unless_something_else_is_agreed_the_platform_collects_for_a_tenth() {
        assert_eq!(Contract::default().flow, Flow::PlatformCollects);
        assert_eq!(Contract::default().commission(Money::xof(12_000)), Ok(Money::xof(1_200)));
    }

    #[test]
    fn a_commission_is_rounded_down_to_whole_francs_and_stays_in_its_currency() {
        for (basis_points, kept, due) in [
            (1_000, 9, 0),
            (1_000, 10, 1),
            (1_000, 19, 1),
            (333, 12_000, 399),
            (1, 9_999, 0),
            (1, 10_000, 1),
            (0, 40_000, 0),
        ] {
            assert_eq!(at(basis_points).commission(Money::xof(kept)), Ok(Money::xof(due)), "{basis_points} of {kept}");
        }
        let cents = Money::new(1_999, Currency::Eur);
        assert_eq!(at(1_000).commission(cents), Ok(Money::new(199, Currency::Eur)));
    }

    #[test]
    fn a_commission_is_never_of_less_than_nothing_and_never_more_than_all() {
        assert_eq!(at(1_000).commission(Money::xof(-1)), Err(MoneyError::OutOfRange));
        assert_eq!(at(10_001).commission(Money::xof(1)), Err(MoneyError::OutOfRange));
        assert_eq!(at(10_000).commission(Money::xof(i64::MAX)), Ok(Money::xof(i64::MAX)));
    }

    #[test]
    fn a_contract_is_written_as_its_schema_says() {
        let text = serde_json::to_value(Contract { flow: Flow::ManagerCollects, ..at(333) }).unwrap();
        assert_eq!(text, json!({ "flow": "manager_collects", "commission": 333, "merchant_account": null }));
        assert!(serde_json::from_value::<Contract>(json!({ "flow": "nobody_collects", "commission": 1 })).is_err());
    }

    proptest! {
        #[test]
        fn the_more_is_kept_the_more_is_due_and_never_more_than_was_added(
            basis_points in 0..=10_000_u16, kept in 0..=Money::MAX, more in 0..100_000_i64,
        ) {
            let due = |kept| at(basis_points).commission(Money::xof(kept)).unwrap().amount;
            let (before, after) = (due(kept), due(kept + more));
            prop_assert!(i128::from(before) * 10_000 <= i128::from(kept) * i128::from(basis_points));
            prop_assert!((i128::from(before) + 1) * 10_000 > i128::from(kept) * i128::from(basis_points));
            prop_assert!(before <= after && after - before <= more);
        }
    }
}
