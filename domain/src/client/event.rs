//! What can happen to a client.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    actor::Actor,
    event::events,
    ids::{ClientId, PaymentId, ReservationId},
    money::Money,
    phone::PhoneHash,
    sealed::Sealed,
};

events! { "client" {
    Registered = "client.registered" v 1,
    Renamed = "client.renamed" v 1,
    Credited = "client.credited" v 1,
    CreditSpent = "client.credit_spent" v 1,
    CreditForfeited = "client.credit_forfeited" v 1,
    NumberVerified = "client.number_verified" v 1,
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

/// The number is theirs: somebody who can know said so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NumberVerified {
    pub client_id: ClientId,
    /// A provider said that this payment of theirs was paid from this very number.
    pub payment_id: PaymentId,
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
