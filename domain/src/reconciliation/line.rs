//! Both sides of a comparison: what a provider lists, and what the log says moved.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Timestamp,
    ids::{PaymentId, RefundId},
    money::Money,
    payment::{Method, ProviderId, Reference},
    phone::PhoneHash,
    text::Slug,
};

/// Whoever keeps an account of ours and gives statements of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    Wave,
    Sonatel,
    Paytech,
    Paydunya,
}

impl Provider {
    pub const ALL: [Self; 4] = [Self::Wave, Self::Sonatel, Self::Paytech, Self::Paydunya];

    /// As in paths and settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wave => "wave",
            Self::Sonatel => "sonatel",
            Self::Paytech => "paytech",
            Self::Paydunya => "paydunya",
        }
    }

    /// The provider of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == name)
    }

    /// The ways of paying that can lie on its account.
    pub const fn methods(self) -> &'static [Method] {
        match self {
            Self::Wave => &[Method::Wave],
            Self::Sonatel => &[Method::OrangeMoney],
            Self::Paytech | Self::Paydunya => &[Method::Yas, Method::Card],
        }
    }
}

/// What a line of a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Is {
    Charge,
    Refund,
    Payout,
    Fee,
    Other,
}

impl Is {
    pub const ALL: [Self; 5] = [Self::Charge, Self::Refund, Self::Payout, Self::Fee, Self::Other];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Payout => "payout",
            Self::Fee => "fee",
            Self::Other => "other",
        }
    }
}

/// What became of it, says the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    Succeeded,
    Failed,
    /// It had moved, and was taken back.
    Reversed,
}

impl LineState {
    pub const ALL: [Self; 3] = [Self::Succeeded, Self::Failed, Self::Reversed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Reversed => "reversed",
        }
    }
}

/// A line of a statement, in words that no provider owns, as it is written down: whose number it was is not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Listing {
    /// The provider's id of the transaction.
    pub transaction: ProviderId,
    /// Our reference, if it has one that could be ours.
    pub reference: Option<Reference>,
    pub is: Is,
    pub state: LineState,
    /// Whose clearing account it is on.
    pub method: Method,
    /// What moved, before the provider's fee: positive came in, negative went out.
    pub amount: Signed,
    /// What the provider kept for it; negative when it gave that back.
    pub fee: Signed,
    pub at: Timestamp,
}

/// What a line is known by: some providers list what goes back under the transaction of what had come.
pub type Key = (ProviderId, Way);

/// Which way money went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    In,
    Out,
}

impl Way {
    pub const fn of(amount: Money) -> Self {
        if amount.amount < 0 { Self::Out } else { Self::In }
    }
}

impl Listing {
    pub fn key(&self) -> Key {
        (self.transaction.clone(), Way::of(self.amount.0))
    }
}

/// Money with a sign, in an order that only serves to be the same every time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Signed(pub Money);

impl PartialOrd for Signed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Signed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0.currency.code(), self.0.amount).cmp(&(other.0.currency.code(), other.0.amount))
    }
}

/// A line as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub listing: Listing,
    /// Another id of it that we may know: the checkout it was paid in.
    pub checkout: Option<ProviderId>,
    /// Whose wallet was on the other side, where it is told.
    pub number: Option<PhoneHash>,
}

/// What of ours moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Subject {
    pub object: Object,
    pub id: Uuid,
    /// 0; 1, 2… for a second and third success of one payment.
    pub nth: u16,
}

impl Subject {
    pub const fn payment(id: PaymentId, nth: u16) -> Self {
        Self { object: Object::Payment, id: id.uuid(), nth }
    }

    pub const fn refund(id: RefundId) -> Self {
        Self { object: Object::Refund, id: id.uuid(), nth: 0 }
    }
}

/// A noun whose money a provider moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Object {
    Payment,
    Refund,
    /// What is paid out to a site.
    Payout,
}

impl Object {
    pub const ALL: [Self; 3] = [Self::Payment, Self::Refund, Self::Payout];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Payout => "payout",
        }
    }
}

/// Where a movement of ours stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    Succeeded,
    /// Nobody told us of an end, or it ended unpaid.
    Open,
    /// The provider had said that it did not work.
    Failed,
    /// It had moved, and was taken back.
    Reversed,
}

impl Moved {
    pub const ALL: [Self; 4] = [Self::Succeeded, Self::Open, Self::Failed, Self::Reversed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Open => "open",
            Self::Failed => "failed",
            Self::Reversed => "reversed",
        }
    }
}

/// A movement of money that the log knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    pub subject: Subject,
    /// Whose clearing account it is on.
    pub method: Method,
    /// The merchant account it lies on, as the contract of its reservation says; `None` is the platform's.
    pub account: Option<Slug>,
    /// How the provider calls it: its transaction, its checkout.
    pub ids: Vec<ProviderId>,
    /// How we call it there.
    pub references: Vec<Reference>,
    /// Positive came in, negative went out.
    pub amount: Money,
    pub state: Moved,
    /// When it moved, or was asked for.
    pub at: Timestamp,
    pub number: Option<PhoneHash>,
}
