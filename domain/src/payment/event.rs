//! What can happen to a payment.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Timestamp,
    actor::Actor,
    event::{Members, events, one_more_choice},
    ids::{ClientId, PaymentId, RefundId, ReservationId, ShareId, SiteId},
    money::Money,
    refund::Reason,
    reservation::{Purpose, of_no_share},
    text::{Note, Slug, Text},
};

events! { "payment" {
    Requested = "payment.requested" v 4 from [1 => one_more_choice, 2 => of_no_share, 3 => one_more_choice],
    Opened = "payment.opened" v 1,
    BecameUnknown = "payment.became_unknown" v 1,
    Succeeded = "payment.succeeded" v 4 from [1 => one_more_choice, 2 => one_more_choice, 3 => of_the_platform],
    Duplicated = "payment.duplicated" v 4 from [1 => one_more_choice, 2 => one_more_choice, 3 => of_the_platform],
    PutOnAccount = "payment.put_on_account" v 1,
    Failed = "payment.failed" v 1,
    Expired = "payment.expired" v 1,
    RefundAllotted = "payment.refund_allotted" v 1,
    RefundReturned = "payment.refund_returned" v 1,
} }

/// Until then all money went through the platform's account.
fn of_the_platform(mut data: Members) -> Members {
    data.insert("merchant_account".into(), Value::Null);
    data
}

/// How money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Wave,
    OrangeMoney,
    Yas,
    /// A bank card, through an aggregator.
    Card,
    Cash,
    Transfer,
    /// No money moves: a manager vouches for it.
    OnAccount,
    /// No money moves: what we hold of the client's becomes the reservation's.
    Credit,
}

impl Method {
    /// Those whose money a provider outside moves.
    pub const WITH_PROVIDER: [Self; 4] = [Self::Wave, Self::OrangeMoney, Self::Yas, Self::Card];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wave => "wave",
            Self::OrangeMoney => "orange_money",
            Self::Yas => "yas",
            Self::Card => "card",
            Self::Cash => "cash",
            Self::Transfer => "transfer",
            Self::OnAccount => "on_account",
            Self::Credit => "credit",
        }
    }

    /// Whether a provider outside moves the money, so that calls, webhooks and polling apply.
    pub const fn has_provider(self) -> bool {
        matches!(self, Self::Wave | Self::OrangeMoney | Self::Yas | Self::Card)
    }
}

/// Our reference at a provider: base64url of the payment's or refund's UUID, 22 characters (decisions.md).
pub type Reference = Text<30>;
/// An identifier a provider gave: `cos-…`, `T_…`, `pt-…`.
pub type ProviderId = Text<120>;

/// Money was asked for. The amount and the beneficiary are ours to say, never the client's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Requested {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    /// Who pays: the reservation's client, or whoever pays a share, where that is known.
    pub client_id: Option<ClientId>,
    /// The share it is for, of a price that was split.
    pub share_id: Option<ShareId>,
    pub method: Method,
    pub purpose: Purpose,
    /// What is due for the purpose or of the share, or what was counted by whoever recorded it.
    pub amount: Money,
    pub reference: Reference,
    pub by: Actor,
    /// When the hold it pays for ends; `None` for a balance (nothing is held for it).
    pub hold_expires_at: Option<Timestamp>,
    /// Until when an open checkout may keep the cells: hold expiry + grace.
    pub blocks_until: Option<Timestamp>,
    pub at: Timestamp,
}

/// A checkout is open at the provider: the client can pay. Also the way back from unknown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Opened {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub provider_id: ProviderId,
    /// The provider's page on which the client pays.
    pub checkout_url: Text<500>,
    /// When the provider closes the checkout by itself; from its answer, never assumed.
    pub expires_at: Option<Timestamp>,
    /// When we close it at the provider: the end of the hold it pays for, or at once when that has already ended;
    /// `None` for a balance, which stays open as long as the provider lets it.
    pub close_at: Option<Timestamp>,
    /// Until when it may keep the cells; `None` when it keeps none.
    pub blocks_until: Option<Timestamp>,
    pub at: Timestamp,
}

/// Nobody can tell at the moment; only an answer of the provider leads out of here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BecameUnknown {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub why: Note,
    /// As long as nobody can tell, a checkout may be open: until when it may keep the cells.
    pub blocks_until: Option<Timestamp>,
    pub at: Timestamp,
}

/// The money is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Succeeded {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    /// The provider's transaction, or ours for cash: lands once (unique).
    pub transaction: ProviderId,
    /// At which merchant account: what is unique at one is not at another. `None` is the platform's.
    pub merchant_account: Option<Slug>,
    /// The checkout it was paid in; told here again, for a success may overtake the news that the checkout is open.
    pub provider_id: Option<ProviderId>,
    pub method: Method,
    /// What was asked for.
    pub expected: Money,
    /// What was really received; may differ from what was asked for, and somebody is told when it does.
    pub received: Money,
    /// Of it, what the reservation needed.
    pub allocated: Money,
    /// Of it, what became the client's credit. Whatever else remains goes back.
    pub credited: Money,
    pub by: Actor,
    pub at: Timestamp,
}

/// A second success with another transaction: a receipt of its own, refunded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Duplicated {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub transaction: ProviderId,
    /// As in [`Succeeded`].
    pub merchant_account: Option<Slug>,
    pub method: Method,
    pub received: Money,
    pub at: Timestamp,
}

/// No money moved: whoever is named vouches that it will be paid later. It does not count as received.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PutOnAccount {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub amount: Money,
    pub by: Actor,
    pub at: Timestamp,
}

/// The provider says it will never be paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Failed {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub reason: Note,
    /// When the hold may end: this checkout no longer prolongs it, but another one that is open may.
    pub hold_expires_at: Option<Timestamp>,
    pub at: Timestamp,
}

/// The checkout was closed unpaid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Expired {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    /// As in [`Failed`].
    pub hold_expires_at: Option<Timestamp>,
    pub at: Timestamp,
}

/// A refund has a claim on part of what was captured: Σ allotted ≤ Σ captured is decided here, in the payment's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RefundAllotted {
    pub payment_id: PaymentId,
    pub refund_id: RefundId,
    /// Whose money it is: a payment that landed twice has two.
    pub transaction: ProviderId,
    pub amount: Money,
    pub reason: Reason,
    pub at: Timestamp,
}

/// A refund ended without paying: its part can be refunded again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RefundReturned {
    pub payment_id: PaymentId,
    pub refund_id: RefundId,
    pub amount: Money,
    pub at: Timestamp,
}
