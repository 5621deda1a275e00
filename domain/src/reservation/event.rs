//! What can happen to a reservation.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Timestamp,
    actor::Actor,
    contract::{Contract, of_the_platform},
    event::{Members, events, one_more_choice},
    ids::{CellId, ClientId, PaymentId, PitchId, RefundId, ReservationId, ShareId, SiteId},
    interval::Interval,
    money::Money,
    policy::Policy,
    quote::Price,
    refund::Reason,
    text::Note,
};

events! { "reservation" {
    Held = "reservation.held" v 4 from [1 => before_contracts, 2 => before_discounts, 3 => of_the_platform],
    SplitUp = "reservation.split" v 2 from [1 => one_more_choice],
    HoldProlonged = "reservation.hold_prolonged" v 1,
    PaymentReceived = "reservation.payment_received" v 3 from [1 => of_no_share, 2 => one_more_choice],
    Confirmed = "reservation.confirmed" v 1,
    Expired = "reservation.expired" v 1,
    MoneyReturned = "reservation.money_returned" v 1,
    Cancelled = "reservation.cancelled" v 1,
    Rescheduled = "reservation.rescheduled" v 2 from [1 => before_discounts],
    CheckedIn = "reservation.checked_in" v 1,
    Completed = "reservation.completed" v 1,
    NoShow = "reservation.no_show" v 1,
} }

/// Until then nobody paid a part of a price that was split.
pub(crate) fn of_no_share(mut data: Members) -> Members {
    data.insert("share_id".into(), Value::Null);
    data
}

/// Where and when: a pitch of a site for an interval, and the cells that this takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Slot {
    pub site_id: SiteId,
    pub pitch_id: PitchId,
    pub cells: Vec<CellId>,
    /// The time played.
    pub during: Interval,
    /// The time claimed: played plus the buffer of the pitch.
    pub claims: Interval,
    #[cfg_attr(test, schemars(with = "String"))]
    pub time_zone: Tz,
}

/// How a reservation came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Made by the client, or by a service for them: limits and lead time apply.
    Online,
    /// Made by the manager, as quick as a phone call: no lead time, no hold limits.
    Manual,
}

/// The cells are taken and nothing is paid yet. The policy, the contract and the price are the snapshot that counts from now
/// on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Held {
    pub reservation_id: ReservationId,
    pub slot: Slot,
    /// `None` for a walk-in without a phone.
    pub client_id: Option<ClientId>,
    pub channel: Channel,
    pub placed_by: Actor,
    pub price: Price,
    pub policy: Policy,
    /// Who collects, and what the platform takes of what is kept.
    // Rows that were kept before there were contracts are read as the events are.
    #[serde(default)]
    pub contract: Contract,
    /// Short code the client says at the gate; unique per site.
    pub code: Code,
    /// Until when it blocks the cells unpaid; a checkout that is open may add the grace of the policy.
    pub hold_expires_at: Timestamp,
    /// The local day on which it was placed.
    pub held_on: NaiveDate,
    pub at: Timestamp,
}

/// Nobody had agreed on anything else. Written out: it stays what it was when the default becomes another.
fn before_contracts(mut data: Members) -> Members {
    data.insert("contract".to_owned(), json!({ "flow": "platform_collects", "commission": 1_000 }));
    data
}

/// Nothing was taken off any price, which is written as nothing.
const fn before_discounts(data: Members) -> Members {
    data
}

/// Six characters of an alphabet without look-alikes, such as `K7M2QX`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Code(pub String);

/// What money was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// What is due before it is confirmed.
    Deposit,
    /// The rest of the price.
    Balance,
    /// The whole price at once.
    Full,
    /// The price difference after a reschedule.
    Difference,
    /// No part of the price: the fine of whoever did not come.
    Debt,
}

/// One part of what is paid together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Share {
    pub share_id: ShareId,
    pub amount: Money,
}

/// Several people pay what is due, each a share. Once: a price is not split again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SplitUp {
    pub reservation_id: ReservationId,
    /// What of the price is shared: the deposit, all of it, or the balance of what is confirmed already.
    pub of: Purpose,
    /// 2 to 30. They add up to what was due.
    pub shares: Vec<Share>,
    /// What must have been received in all for it to be confirmed; at least the deposit. `None` when it was confirmed
    /// already: nothing hangs on the shares then.
    pub quorum: Option<Money>,
    /// Until when the hold lives once a share is paid. Without the quorum by then everything goes back.
    pub deadline: Timestamp,
    pub by: Actor,
    pub at: Timestamp,
}

/// The first share of a split is paid: the hold lives until the deadline. It counts among the unpaid ones until it is
/// confirmed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HoldProlonged {
    pub reservation_id: ReservationId,
    pub client_id: Option<ClientId>,
    /// Takes the place of `hold_expires_at` of `reservation.held`.
    pub until: Timestamp,
    pub at: Timestamp,
}

/// Money arrived for this reservation. `amount` is what was allocated to it; more than was due becomes client credit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PaymentReceived {
    pub reservation_id: ReservationId,
    pub client_id: Option<ClientId>,
    pub payment_id: PaymentId,
    /// The share it pays, of a price that was split.
    pub share_id: Option<ShareId>,
    pub purpose: Purpose,
    pub amount: Money,
    pub at: Timestamp,
}

/// On what grounds a reservation was confirmed. Never without a record of money or a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Grounds {
    /// Money at least equal to the deposit was received.
    Payment { payment_id: PaymentId },
    /// A manager vouches for it: paid later, on account.
    OnAccount { payment_id: PaymentId, by: Actor },
    /// Nothing is due before it is confirmed: the price or the deposit is zero.
    Free,
}

/// When what follows a confirmed reservation is due. Written down so that whoever acts later needs no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Agenda {
    /// Start minus the reminder time; in the past when it was confirmed later than that.
    pub remind_at: Timestamp,
    /// End plus grace: completed when somebody checked in, a no-show otherwise.
    pub complete_at: Timestamp,
}

/// It will be played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Confirmed {
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub client_id: Option<ClientId>,
    pub during: Interval,
    pub grounds: Grounds,
    /// Set when the hold had ended and the cells, still free, were claimed again at the quoted price.
    pub reclaims: Option<Slot>,
    /// As in the hold's end that this late confirmation undoes; `None` when there was none.
    pub counted_on: Option<NaiveDate>,
    pub agenda: Agenda,
    pub at: Timestamp,
}

/// The hold ended unpaid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Expired {
    pub reservation_id: ReservationId,
    pub client_id: Option<ClientId>,
    /// The local day on which it counts as a hold that ended unpaid; `None` for a manual one, which never counts.
    pub counts_on: Option<NaiveDate>,
    pub at: Timestamp,
}

/// Money that had been received for it goes back by itself, without the reservation changing otherwise: an underpayment
/// after the hold ended, or what a person granted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MoneyReturned {
    pub reservation_id: ReservationId,
    pub reason: Reason,
    pub refunds: Vec<RefundShare>,
    pub at: Timestamp,
}

/// Why a reservation was called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The client's wish: the policy decides about the deposit.
    Client,
    /// The manager's: everything back.
    Manager,
    Weather,
    PowerCut,
    /// A closure of the site.
    Closure,
}

/// Money going back for one payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RefundShare {
    pub payment_id: PaymentId,
    pub refund_id: RefundId,
    pub amount: Money,
}

/// It will not be played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cancelled {
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub client_id: Option<ClientId>,
    pub reason: CancelReason,
    pub note: Option<Note>,
    pub by: Actor,
    pub refunds: Vec<RefundShare>,
    /// What the site keeps of the money received.
    pub kept: Money,
    /// As in [`Expired`]: set when the client gave up an unpaid hold, which counts like letting it end.
    pub counts_on: Option<NaiveDate>,
    pub at: Timestamp,
}

/// Moved: the old cells were freed and the new ones taken in one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rescheduled {
    pub reservation_id: ReservationId,
    pub client_id: Option<ClientId>,
    pub from: Slot,
    pub to: Slot,
    /// The new price. The deposit is the old one, which follows, at most the new total.
    pub price: Price,
    pub agenda: Agenda,
    pub by: Actor,
    /// Money going back because the new price is lower than what was received.
    pub refunds: Vec<RefundShare>,
    pub at: Timestamp,
}

/// They are here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckedIn {
    pub reservation_id: ReservationId,
    pub by: Actor,
    /// Still to pay at the gate.
    pub balance_due: Money,
    pub at: Timestamp,
}

/// Played. The claim on the cells ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Completed {
    pub reservation_id: ReservationId,
    pub at: Timestamp,
}

/// Nobody came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NoShow {
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub client_id: Option<ClientId>,
    /// The deposit, or what was received of it.
    pub kept: Money,
    /// Anything received above the deposit goes back: the balance always does.
    pub refunds: Vec<RefundShare>,
    /// What the terms ask of who did not come; owed, not taken.
    pub fine: Option<Money>,
    pub at: Timestamp,
}
