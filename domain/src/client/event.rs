//! What can happen to a client.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    actor::Actor,
    event::{events, one_more_choice},
    ids::{ClientId, DeviceId, NumberChangeId, PaymentId, RecoveryId, ReservationId, SecretId, SiteId},
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
    DeviceReleased = "client.device_released" v 2 from [1 => one_more_choice],
    RecoveryBegun = "client.recovery_begun" v 1,
    RecoveryCancelled = "client.recovery_cancelled" v 1,
    RecoveryCompleted = "client.recovery_completed" v 1,
    NumberChangeBegun = "client.number_change_begun" v 1,
    NumberChangeCancelled = "client.number_change_cancelled" v 1,
    NumberChanged = "client.number_changed" v 1,
    NumberWanted = "client.number_wanted" v 1,
    NumberReleased = "client.number_released" v 1,
    Erased = "client.erased" v 2 from [1 => one_more_choice],
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
    /// They lost their PIN and chose another: what was bound before opens nothing.
    Recovery,
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

/// Why something that was to take a day does not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Somebody who is signed in said so.
    Asked,
    /// By the link that was sent to the number.
    Link,
    /// Another took its place.
    Replaced,
    /// The number was taken meanwhile.
    Taken,
}

/// Somebody who has the number says that the PIN is lost. From `ready_at` on they may choose another, with this device and
/// another code; until then whoever it belongs to can stop it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RecoveryBegun {
    pub client_id: ClientId,
    pub recovery_id: RecoveryId,
    /// The only device that may complete it.
    pub device_key: DeviceKey,
    pub ready_at: Timestamp,
    /// When it is over, if it was not completed by then.
    pub lapses_at: Timestamp,
    pub at: Timestamp,
}

/// The PIN stays what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RecoveryCancelled {
    pub client_id: ClientId,
    pub recovery_id: RecoveryId,
    pub why: Stopped,
    pub by: Actor,
    pub at: Timestamp,
}

/// Another PIN and this one device count, and nothing else that did: in one decision with the `pin_set` and the `device_bound`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RecoveryCompleted {
    pub client_id: ClientId,
    pub recovery_id: RecoveryId,
    /// No money goes to them by another way than it came before then.
    pub cools_until: Timestamp,
    pub at: Timestamp,
}

/// They want to be known by another number, which they have proven to have. It becomes theirs at `ready_at`, unless somebody who
/// has the one before stops it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NumberChangeBegun {
    pub client_id: ClientId,
    pub change_id: NumberChangeId,
    pub phone_hash: PhoneHash,
    pub phone: Sealed,
    pub ready_at: Timestamp,
    pub by: Actor,
    pub at: Timestamp,
}

/// The number stays what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NumberChangeCancelled {
    pub client_id: ClientId,
    pub change_id: NumberChangeId,
    pub why: Stopped,
    pub by: Actor,
    pub at: Timestamp,
}

/// Known by another number from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NumberChanged {
    pub client_id: ClientId,
    pub change_id: NumberChangeId,
    /// The one before is free again; `None` when it was somebody else's already.
    pub old_phone_hash: Option<PhoneHash>,
    pub phone_hash: PhoneHash,
    pub phone: Sealed,
    /// No money is sent to it before then.
    pub cools_until: Timestamp,
    pub at: Timestamp,
}

/// Somebody else wanted to be known by their number, and knew a code that was sent to it. Nothing came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NumberWanted {
    pub client_id: ClientId,
    pub at: Timestamp,
}

/// The number is somebody else's: nobody was here for a long time, and whoever has it now knew a code and no PIN. What they
/// did stays with this client, and the number begins anew with another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NumberReleased {
    pub client_id: ClientId,
    pub phone_hash: PhoneHash,
    pub at: Timestamp,
}

/// The certificate of an erasure: from its position on nobody can read what was sealed under this person's key, which
/// ended in the transaction that recorded it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Erased {
    pub client_id: ClientId,
    /// The number is free again: its hash tells which one to whoever has the lookup key and the number. `None`: it was
    /// somebody else's already.
    pub phone_hash: Option<PhoneHash>,
    pub by: Actor,
    pub at: Timestamp,
}
