//! What can happen to a client.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    actor::Actor,
    event::{events, one_more_choice},
    ids::{ClientId, DeviceId, PaymentId, ReservationId, SecretId, SiteId},
    money::Money,
    phone::PhoneHash,
    sealed::Sealed,
    text::Note,
};

events! { "client" {
    Registered = "client.registered" v 1,
    Renamed = "client.renamed" v 1,
    Credited = "client.credited" v 1,
    CreditSpent = "client.credit_spent" v 1,
    CreditForfeited = "client.credit_forfeited" v 1,
    Fined = "client.fined" v 1,
    FineAppealed = "client.fine_appealed" v 1,
    FineDecided = "client.fine_decided" v 1,
    FineSettled = "client.fine_settled" v 1,
    NumberVerified = "client.number_verified" v 2 from [1 => one_more_choice],
    PinSet = "client.pin_set" v 1,
    DeviceBound = "client.device_bound" v 1,
    DeviceReleased = "client.device_released" v 1,
    Erased = "client.erased" v 1,
} }

/// Known from now on by their number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Registered {
    pub client_id: ClientId,
    pub phone_hash: PhoneHash,
    pub phone: Sealed,
    pub name: Option<Sealed>,
    pub language: Language,
    pub by: Actor,
    pub at: Timestamp,
}

/// The language a client reads; French unless they say otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Language {
    #[default]
    Fr,
    En,
    Wo,
}

impl Language {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
            Self::Wo => "wo",
        }
    }

    /// French for what is no language of ours.
    pub fn named(name: &str) -> Self {
        [Self::En, Self::Wo].into_iter().find(|language| language.as_str() == name).unwrap_or_default()
    }
}

/// Goes by another name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Renamed {
    pub client_id: ClientId,
    pub name: Option<Sealed>,
    pub by: Actor,
    pub at: Timestamp,
}

/// We hold money of theirs: more was received than was due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Credited {
    pub client_id: ClientId,
    pub payment_id: PaymentId,
    pub amount: Money,
    pub at: Timestamp,
}

/// They paid with what we held of theirs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CreditSpent {
    pub client_id: ClientId,
    /// The payment by credit: it was received in this very decision.
    pub payment_id: PaymentId,
    /// What it was paid for.
    pub reservation_id: ReservationId,
    pub amount: Money,
    pub by: Actor,
    pub at: Timestamp,
}

/// They gave up what we held of theirs, in so many words, to be forgotten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CreditForfeited {
    pub client_id: ClientId,
    pub amount: Money,
    pub by: Actor,
    pub at: Timestamp,
}

/// They did not come, and the terms of the reservation ask a fine of whoever does not: owed, not taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fined {
    pub client_id: ClientId,
    /// A reservation is fined once: its id is the fine's.
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub amount: Money,
    /// Until when they may say why it should not be paid.
    pub appeal_until: Timestamp,
    pub at: Timestamp,
}

/// They say why it should not be paid. Until it is decided it keeps them from nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FineAppealed {
    pub client_id: ClientId,
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    /// What they say; for the site and for nobody else.
    pub statement: Sealed,
    /// When nobody has decided by then, they are believed.
    pub decide_by: Timestamp,
    pub by: Actor,
    pub at: Timestamp,
}

/// What became of an appeal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The fine stands.
    Uphold,
    /// Nothing is owed any more.
    Waive,
}

/// The site decided about an appeal, or let it go without one; or nobody did in time, and the fine is waived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FineDecided {
    pub client_id: ClientId,
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub amount: Money,
    pub verdict: Verdict,
    /// `None` when nobody decided.
    pub note: Option<Note>,
    pub by: Actor,
    pub at: Timestamp,
}

/// What was owed is paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FineSettled {
    pub client_id: ClientId,
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub payment_id: PaymentId,
    pub amount: Money,
    pub at: Timestamp,
}

/// The number is theirs: somebody who can know said so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NumberVerified {
    pub client_id: ClientId,
    /// A provider said that this payment of theirs was paid from this very number; `None`: they knew a code that was sent
    /// to it.
    pub payment_id: Option<PaymentId>,
    pub at: Timestamp,
}

/// They sign in with another PIN from now on, beside a telephone that is bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PinSet {
    pub client_id: ClientId,
    /// Which of their PINs counts. Its hash is kept beside the log.
    pub secret_id: SecretId,
    pub by: Actor,
    pub at: Timestamp,
}

/// The public half of a key pair that never leaves a telephone: Ed25519 (RFC 8032), 32 bytes in base64url.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct DeviceKey(pub String);

/// A telephone that they sign in with from now on, by its signature and their PIN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeviceBound {
    pub client_id: ClientId,
    pub device_id: DeviceId,
    pub device_key: DeviceKey,
    /// What they call it.
    pub name: Option<Sealed>,
    pub at: Timestamp,
}

/// Why a telephone is bound no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// They said so: lost, sold, lent.
    Asked,
    /// They have too many, and this one was bound first.
    TooMany,
    /// The person is forgotten.
    Erased,
}

/// A telephone opens nothing any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeviceReleased {
    pub client_id: ClientId,
    pub device_id: DeviceId,
    pub why: Release,
    pub by: Actor,
    pub at: Timestamp,
}

/// The certificate of an erasure: from its position on nobody can read what was sealed under this person's key, which
/// ended in the transaction that recorded it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Erased {
    pub client_id: ClientId,
    /// The number is free again: its hash tells which one to whoever has the lookup key and the number.
    pub phone_hash: PhoneHash,
    pub by: Actor,
    pub at: Timestamp,
}
