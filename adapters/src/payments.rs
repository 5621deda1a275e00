//! Money in and out by a provider: the calls that workers make, in words that no provider owns.
//!
//! A reference of ours goes with everything, so that an unknown outcome is resolved by asking, never by doing it again.

#[cfg(test)]
mod corpora;
pub mod origin;
pub mod paydunya;
pub mod paytech;
pub mod sonatel;
mod token;
pub mod wave;
pub mod webhook;
pub mod webpay;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    Timestamp,
    money::Money,
    payment::{ProviderId, Reference},
    phone::Phone,
    refund::Ways,
};
use url::Url;
use uuid::Uuid;

pub use self::{paydunya::PayDunya, paytech::PayTech, sonatel::Sonatel, wave::Wave, webpay::WebPay};
use crate::{
    call::{Outcome, Refusal},
    statements::Listed,
};

/// A checkout to open. The amount is what the payer pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub amount: Money,
    pub reference: Reference,
    /// Where the payer's browser goes afterwards; proves nothing.
    pub success_url: Url,
    pub error_url: Url,
    /// When it should close by itself, for providers that can be told: the end of the hold. `None`: as late as they let it.
    pub closes_at: Option<Timestamp>,
    /// The time, for providers that are told a duration. Time is passed in.
    pub now: Timestamp,
    /// Only this number may pay; `None` lets anybody.
    pub payer: Option<Phone>,
}

/// A checkout to be asked about: by the provider's id, and by what we asked for, which some want to hear again.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub provider_id: &'a ProviderId,
    pub reference: &'a Reference,
    pub amount: Money,
}

/// An open checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub provider_id: ProviderId,
    /// The provider's page.
    pub launch_url: String,
    /// When the provider closes it, in its own words; never assumed.
    pub expires_at: Option<Timestamp>,
}

/// Money that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub provider_id: ProviderId,
    pub transaction_id: ProviderId,
    /// What the payer paid, to be compared with what was asked for.
    pub amount: Money,
    /// Our reference, as the provider kept it; to be compared too.
    pub reference: Option<String>,
    /// Whose wallet paid, where the provider tells. Personal.
    pub payer: Option<Phone>,
    /// When it was paid, in the provider's words.
    pub at: Option<Timestamp>,
}

/// Where a checkout stands at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderStatus {
    /// Can be paid. `last_error` is the code of a failed attempt; the payer may try again.
    Pending {
        opened: Opened,
        last_error: Option<String>,
    },
    Succeeded(Receipt),
    /// Ended by a refusal. Nothing more can be paid in it.
    Failed {
        provider_id: ProviderId,
        code: String,
    },
    /// Ended unpaid.
    Expired {
        provider_id: ProviderId,
    },
    /// Nobody paid, as far as the provider knows. Said by those that list payments and not checkouts: one that is open,
    /// one that has ended and one that never was look alike.
    Unpaid,
    /// Somebody is paying and it is not decided yet, says a provider of that kind.
    UnderWay,
    /// The provider knows nothing of it: asked by reference, it may be opened (again).
    NotFound,
    /// More than one under one reference: somebody must look. Each with its own status.
    Several(Vec<ProviderStatus>),
}

/// What became of asking a provider to close a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It can no longer be paid.
    Now,
    /// It was paid or expired before: ask for its status.
    Already,
    /// The provider has no such call: it can be paid until it ends by itself.
    ByItself,
    NotFound,
}

/// Money to send to somebody's wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutOrder {
    pub recipient: Phone,
    /// What the recipient gets; the fee comes on top.
    pub amount: Money,
    pub reference: Reference,
    /// The same for each try of one payout; 1 to 255 visible ASCII characters.
    pub idempotency_key: String,
    /// Shown to the recipient; cut at 40 characters.
    pub reason: Option<String>,
}

/// Where a payout stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayoutStatus {
    Processing {
        provider_id: ProviderId,
    },
    Succeeded {
        provider_id: ProviderId,
        amount: Money,
        fee: Option<Money>,
        at: Option<Timestamp>,
    },
    /// The provider took the call and the payout failed: no money moved.
    Failed {
        provider_id: ProviderId,
        code: String,
        message: String,
    },
    /// Paid, then taken back.
    Reversed {
        provider_id: ProviderId,
    },
    NotFound,
    Several(Vec<PayoutStatus>),
}

/// A provider. One variant each; the compiler asks everybody when one is added.
#[derive(Clone, Debug)]
pub enum Rail {
    Wave(Wave),
    Sonatel(Sonatel),
    PayTech(PayTech),
    PayDunya(PayDunya),
    WebPay(WebPay),
}

/// The same call of whichever provider it is.
macro_rules! each {
    ($self:ident, $rail:ident => $call:expr) => {
        match $self {
            Rail::Wave($rail) => $call,
            Rail::Sonatel($rail) => $call,
            Rail::PayTech($rail) => $call,
            Rail::PayDunya($rail) => $call,
            Rail::WebPay($rail) => $call,
        }
    };
}

impl Rail {
    /// As in the path of this provider's webhooks.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Wave(_) => wave::NAME,
            Self::Sonatel(_) => sonatel::NAME,
            Self::PayTech(_) => paytech::NAME,
            Self::PayDunya(_) => paydunya::NAME,
            Self::WebPay(_) => webpay::NAME,
        }
    }

    /// What it can do for a refund.
    pub const fn ways(&self) -> Ways {
        match self {
            Self::Wave(_) => Ways { whole: true, payout: true },
            Self::Sonatel(sonatel) => Ways { whole: false, payout: sonatel.pays_out() },
            Self::PayTech(_) => Ways { whole: true, payout: false },
            Self::PayDunya(paydunya) => Ways { whole: false, payout: paydunya.pays_out() },
            Self::WebPay(_) => Ways { whole: false, payout: false },
        }
    }

    /// How long after a lost answer a payout of which it knows nothing counts as never made. Nothing where the same order
    /// again is the same payout; elsewhere as long as it may take until an end is known (providers.md §2a: 24 h).
    pub const fn unseen_after(&self) -> TimeDelta {
        match self {
            Self::Wave(_) => TimeDelta::zero(),
            Self::Sonatel(_) | Self::PayTech(_) | Self::PayDunya(_) | Self::WebPay(_) => TimeDelta::hours(24),
        }
    }

    /// Opens a checkout. Unknown ⇒ [`Rail::search`] by the reference before anything else.
    pub async fn open(&self, order: &Order) -> Outcome<Opened> {
        each!(self, rail => rail.open(order).await)
    }

    /// How a checkout stands.
    pub async fn status(&self, asked: Asked<'_>) -> Outcome<ProviderStatus> {
        match self {
            Self::Wave(rail) => rail.status(asked.provider_id).await,
            Self::Sonatel(rail) => rail.status(asked.provider_id).await,
            Self::PayTech(rail) => rail.status(asked.provider_id).await,
            Self::PayDunya(rail) => rail.status(asked.provider_id).await,
            Self::WebPay(rail) => rail.status(asked).await,
        }
    }

    /// Checkouts by our reference.
    pub async fn search(&self, reference: &Reference) -> Outcome<ProviderStatus> {
        each!(self, rail => rail.search(reference).await)
    }

    /// Closes a checkout, so that its cells can be let go.
    pub async fn expire(&self, asked: Asked<'_>) -> Outcome<Closed> {
        match self {
            Self::Wave(rail) => rail.expire(asked.provider_id).await,
            Self::Sonatel(rail) => rail.expire(asked.provider_id).await,
            Self::PayTech(rail) => rail.expire(asked.provider_id).await,
            Self::PayDunya(rail) => rail.expire(asked.provider_id).await,
            Self::WebPay(rail) => rail.expire(asked).await,
        }
    }

    /// Gives a paid checkout back in full. Again is harmless: unknown ⇒ call it again.
    pub async fn refund_full(&self, provider_id: &ProviderId) -> Outcome<()> {
        each!(self, rail => rail.refund_full(provider_id).await)
    }

    /// Whether it says of a payment that it gave it back, whoever wanted that. Only some can be asked.
    pub async fn is_given_back(&self, provider_id: &ProviderId) -> Outcome<bool> {
        match self {
            Self::PayTech(paytech) => paytech.is_given_back(provider_id).await,
            // Their lists and statements tell.
            Self::Wave(_) | Self::Sonatel(_) | Self::PayDunya(_) | Self::WebPay(_) => {
                Refusal::local("not-offered", "it does not say what it gave back")
            }
        }
    }

    /// Sends money. Unknown or later ⇒ the same order with the same key again, or [`Rail::payout_search`]; see
    /// [`Rail::unseen_after`] for when.
    pub async fn payout(&self, order: &PayoutOrder) -> Outcome<PayoutStatus> {
        each!(self, rail => rail.payout(order).await)
    }

    /// Whether it lists its transactions.
    pub const fn lists(&self) -> bool {
        matches!(self, Self::Wave(_) | Self::Sonatel(_))
    }

    /// All transactions of a day, or none of them.
    pub async fn statement(&self, day: NaiveDate) -> Outcome<Vec<Listed>> {
        match self {
            Self::Wave(wave) => wave.statement(day).await,
            Self::Sonatel(sonatel) => sonatel.statement(day).await,
            Self::PayTech(_) | Self::PayDunya(_) | Self::WebPay(_) => {
                Refusal::local("not-offered", "it lists no transactions")
            }
        }
    }

    /// A payout by the provider's id.
    pub async fn payout_status(&self, provider_id: &ProviderId) -> Outcome<PayoutStatus> {
        each!(self, rail => rail.payout_status(provider_id).await)
    }

    /// Payouts by our reference.
    pub async fn payout_search(&self, reference: &Reference) -> Outcome<PayoutStatus> {
        each!(self, rail => rail.payout_search(reference).await)
    }
}

/// Our reference at providers: base64url of the id, 22 characters of `[A-Za-z0-9_-]`.
pub fn reference(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id.as_bytes())
}

/// The id behind a reference, if it is one of ours.
pub fn reference_id(reference: &str) -> Option<Uuid> {
    let bytes = URL_SAFE_NO_PAD.decode(reference).ok()?;
    Uuid::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_reference_leads_back_to_its_id(id in any::<u128>()) {
            let id = Uuid::from_u128(id);
            let text = reference(id);
            prop_assert!(text.len() <= 30 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            prop_assert_eq!(reference_id(&text), Some(id));
        }
    }

    #[test]
    fn what_is_not_ours_has_no_id() {
        assert_eq!(reference_id("bk_01TEST"), None);
        assert_eq!(reference_id(""), None);
    }
}
