//! Whether a policy can be kept: bounds on every value, so that no rule is switched off by a slip of the finger.

use thiserror::Error;

use crate::{
    money::{Currency, Money},
    refusal::{Refused, Rule},
};

use super::{DepositRule, Policy};

const DAY: u32 = 24 * 60;

/// Why a policy was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("{field} must lie between {least} and {most}")]
    OutOfRange { field: &'static str, least: u32, most: u32 },
    #[error("start_every_minutes must divide the day")]
    GridDoesNotDivideTheDay,
    #[error("longest_minutes must be at least shortest_minutes")]
    LongestIsShorter,
    #[error("{field} must be an amount in {currency} between 0 and {}", Money::MAX)]
    Amount { field: &'static str, currency: Currency },
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::OutOfRange { .. } => "policy.out_of_range",
            Self::GridDoesNotDivideTheDay => "policy.grid_does_not_divide_the_day",
            Self::LongestIsShorter => "policy.longest_is_shorter",
            Self::Amount { .. } => "policy.amount",
        }
    }

    fn rule(&self) -> Option<Rule> {
        match self {
            Self::OutOfRange { field, least, most } => Some(Rule::new(field, format!("{least}..{most}"), 0)),
            _ => None,
        }
    }
}

impl Policy {
    /// # Errors
    /// [`Refusal`] names the first value out of bounds.
    pub fn check(&self, currency: Currency) -> Result<(), Refusal> {
        let bounds = [
            ("start_every_minutes", self.start_every_minutes, 1, DAY),
            ("shortest_minutes", self.shortest_minutes, 1, 7 * DAY),
            ("longest_minutes", self.longest_minutes, 1, 7 * DAY),
            ("lead_minutes", self.lead_minutes, 0, 30 * DAY),
            ("horizon_days", self.horizon_days, 1, 730),
            ("hold_seconds", self.hold_seconds, 1, 24 * 60 * 60),
            // The cap of domain.md, Payment: hold expiry + 2 min.
            ("checkout_grace_seconds", self.checkout_grace_seconds, 0, 120),
            ("unpaid_holds_at_once", self.unpaid_holds_at_once, 1, 1_000),
            ("unpaid_holds_per_day", self.unpaid_holds_per_day, 1, 1_000),
            ("free_cancellation_minutes", self.free_cancellation_minutes, 0, 30 * DAY),
            ("reschedule_minutes", self.reschedule_minutes, 0, 30 * DAY),
            ("free_reschedules", self.free_reschedules, 0, 100),
            ("check_in_opens_minutes", self.check_in_opens_minutes, 0, DAY),
            ("completion_grace_minutes", self.completion_grace_minutes, 0, DAY),
            ("reminder_minutes", self.reminder_minutes, 0, 7 * DAY),
        ];
        if let Some((field, _, least, most)) =
            bounds.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value))
        {
            return Err(Refusal::OutOfRange { field, least, most });
        }
        if !DAY.is_multiple_of(self.start_every_minutes) {
            return Err(Refusal::GridDoesNotDivideTheDay);
        }
        if self.longest_minutes < self.shortest_minutes {
            return Err(Refusal::LongestIsShorter);
        }
        self.check_amounts(currency)
    }

    fn check_amounts(&self, currency: Currency) -> Result<(), Refusal> {
        let deposit = match self.deposit {
            DepositRule::Percent { basis_points, floor } => {
                if basis_points.0 > 10_000 {
                    return Err(Refusal::OutOfRange { field: "deposit.basis_points", least: 0, most: 10_000 });
                }
                Some(("deposit.floor", floor))
            }
            DepositRule::Fixed { amount } => Some(("deposit.amount", amount)),
            DepositRule::Full => None,
        };
        let fine = self.no_show_fine.map(|fine| ("no_show_fine", fine));
        let amounts = deposit.into_iter().chain(fine).chain([("four_eyes_above", self.four_eyes_above)]);
        for (field, amount) in amounts {
            if amount.currency != currency || amount.bounded().is_err() {
                return Err(Refusal::Amount { field, currency });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::BasisPoints;

    use super::*;

    #[test]
    fn the_defaults_can_be_kept_in_every_currency() {
        for currency in [Currency::Xof, Currency::Eur] {
            assert_eq!(Policy::default_in(currency).check(currency), Ok(()));
        }
    }

    #[test]
    fn amounts_are_in_the_currency_of_the_site() {
        let refused = Policy::default().check(Currency::Eur);
        assert_eq!(refused, Err(Refusal::Amount { field: "deposit.floor", currency: Currency::Eur }));
    }

    #[test]
    fn a_deposit_is_at_most_the_whole_and_never_negative() {
        let floor = Money::xof(0);
        let percent = DepositRule::Percent { basis_points: BasisPoints(10_001), floor };
        let negative = DepositRule::Fixed { amount: Money::xof(-1) };
        assert!(Policy { deposit: percent, ..Policy::default() }.check(Currency::Xof).is_err());
        assert!(Policy { deposit: negative, ..Policy::default() }.check(Currency::Xof).is_err());
    }

    #[test]
    fn the_grid_divides_the_day_and_the_checkout_grace_is_capped() {
        let grid = Policy { start_every_minutes: 7, ..Policy::default() };
        assert_eq!(grid.check(Currency::Xof), Err(Refusal::GridDoesNotDivideTheDay));
        let grace = Policy { checkout_grace_seconds: 121, ..Policy::default() };
        assert!(matches!(grace.check(Currency::Xof), Err(Refusal::OutOfRange { field: "checkout_grace_seconds", .. })));
    }
}
