//! The rules of a site that are data: versioned with the site, snapshotted on each reservation when it is made.

mod check;

pub use check::Refusal;

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money};

/// Basis points: 10 000 is the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct BasisPoints(pub u16);

/// How much is due before a reservation is confirmed. Rounded up to 100 XOF, never above the total (domain.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DepositRule {
    /// A part of the total, but not less than the floor.
    Percent {
        basis_points: BasisPoints,
        floor: Money,
    },
    Fixed {
        amount: Money,
    },
    /// The whole price at once.
    Full,
}

/// Every limit, delay and amount that a site may set (domain.md). Lengths of time carry their unit in the name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// A start lies on a multiple of this from midnight, local time; a length is a multiple of it. Divides the day.
    pub start_every_minutes: u32,
    pub shortest_minutes: u32,
    pub longest_minutes: u32,
    /// A client books at least this long before the start; a manager until half an hour after it.
    pub lead_minutes: u32,
    /// How many days ahead, in local days of the site.
    pub horizon_days: u32,
    /// How long an unpaid reservation blocks its cells; never beyond its start.
    pub hold_seconds: u32,
    /// How long after the hold's end an open checkout may still block the cells.
    pub checkout_grace_seconds: u32,
    /// Per client; online only.
    pub unpaid_holds_at_once: u32,
    /// Holds of one local day that may end unpaid, per client; online only.
    pub unpaid_holds_per_day: u32,
    pub deposit: DepositRule,
    /// A client who cancels at least this long before the start gets the deposit back.
    pub free_cancellation_minutes: u32,
    /// A client may move it until this long before the start.
    pub reschedule_minutes: u32,
    pub free_reschedules: u32,
    /// They may be let in from this long before the start, to the end.
    pub check_in_opens_minutes: u32,
    /// After the end: completed if they were let in, else a no-show.
    pub completion_grace_minutes: u32,
    /// Before the start.
    pub reminder_minutes: u32,
    /// On top of the deposit that is kept; none unless the site sets it.
    pub no_show_fine: Option<Money>,
    /// Refunds that a person asks for above this need a second person.
    pub four_eyes_above: Money,
}

impl Default for Policy {
    /// The defaults of domain.md, in XOF.
    fn default() -> Self {
        Self::default_in(Currency::Xof)
    }
}

impl Policy {
    /// The defaults of domain.md. Amounts exist there in XOF only; elsewhere the strictest reading stands until the site
    /// sets its own: no floor under the deposit, and every refund a person asks for needs a second one.
    pub const fn default_in(currency: Currency) -> Self {
        let (floor, four_eyes_above) = match currency {
            Currency::Xof => (Money::xof(5_000), Money::xof(50_000)),
            Currency::Eur => (Money::zero(currency), Money::zero(currency)),
        };
        Self {
            start_every_minutes: 30,
            shortest_minutes: 60,
            longest_minutes: 8 * 60,
            lead_minutes: 15,
            horizon_days: 90,
            hold_seconds: 15 * 60,
            checkout_grace_seconds: 120,
            unpaid_holds_at_once: 3,
            unpaid_holds_per_day: 3,
            deposit: DepositRule::Percent { basis_points: BasisPoints(3_000), floor },
            free_cancellation_minutes: 12 * 60,
            reschedule_minutes: 6 * 60,
            free_reschedules: 1,
            check_in_opens_minutes: 30,
            completion_grace_minutes: 15,
            reminder_minutes: 120,
            no_show_fine: None,
            four_eyes_above,
        }
    }
}
