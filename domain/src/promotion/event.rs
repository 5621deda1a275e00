//! What can happen to a promotion.

use chrono::Weekday;
use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    actor::Actor,
    event::events,
    ids::{ClientId, PromotionId, ReservationId, SiteId},
    interval::Interval,
    money::{Currency, Money},
    policy::BasisPoints,
    site::Format,
    text::{Note, TextError},
};

events! { "promotion" {
    Created = "promotion.created" v 1,
    Ended = "promotion.ended" v 1,
    Redeemed = "promotion.redeemed" v 1,
    Released = "promotion.released" v 1,
} }

/// The word that a client types: 3 to 32 of `A–Z`, `0–9` and inner hyphens. Small letters are read as capitals.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct PromoCode(String);

impl PromoCode {
    const LENGTH: std::ops::RangeInclusive<usize> = 3..=32;

    /// # Errors
    /// [`TextError`] for what cannot be a code.
    pub fn new(raw: &str) -> Result<Self, TextError> {
        let code = raw.trim().to_ascii_uppercase();
        let fine = Self::LENGTH.contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
            && !code.starts_with('-')
            && !code.ends_with('-');
        if fine { Ok(Self(code)) } else { Err(TextError::NotACode(*Self::LENGTH.end())) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PromoCode {
    type Error = TextError;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        Self::new(&raw)
    }
}

impl From<PromoCode> for String {
    fn from(code: PromoCode) -> Self {
        code.0
    }
}

/// What is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reduction {
    /// A part of the price, rounded down to a whole unit.
    Percent { basis_points: BasisPoints },
    /// So much, but never more than the price.
    Fixed { amount: Money },
}

/// What a code gives, to whom, how often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub code: PromoCode,
    /// Of the prices it is for, and of every amount in here.
    pub currency: Currency,
    pub reduction: Reduction,
    /// The price before the discount must be at least this.
    pub minimum_total: Option<Money>,
    /// When it may be used: the time of booking, not of play.
    pub valid: Interval,
    /// Only these formats; empty means any.
    pub formats: Vec<Format>,
    /// Only for games that begin in opening windows of these weekdays; empty means any.
    pub days: Vec<Weekday>,
    /// The most it gives in all.
    pub budget: Option<Money>,
    /// How often it is used in all.
    pub uses: Option<u32>,
    /// How often by one client.
    pub uses_per_client: Option<u32>,
}

/// The code counts from now on, within its terms, which never change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Created {
    pub promotion_id: PromotionId,
    /// Where it counts; `None` for every site.
    pub site_id: Option<SiteId>,
    pub terms: Terms,
    pub by: Actor,
    pub at: Timestamp,
}

/// The code no longer counts. What was redeemed stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ended {
    pub promotion_id: PromotionId,
    pub site_id: Option<SiteId>,
    pub code: PromoCode,
    pub reason: Option<Note>,
    pub by: Actor,
    pub at: Timestamp,
}

/// A reservation was placed with it: so much of the budget is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Redeemed {
    pub promotion_id: PromotionId,
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub client_id: Option<ClientId>,
    /// What it took off; more than nothing.
    pub discount: Money,
    pub at: Timestamp,
}

/// The hold ended unpaid, or it was called off with everything back: so much of the budget came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Released {
    pub promotion_id: PromotionId,
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub discount: Money,
    pub at: Timestamp,
}
