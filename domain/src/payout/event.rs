//! What can happen to a payout.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    actor::Actor,
    event::events,
    ids::{PayoutId, PrincipalId, SiteId},
    money::Money,
    payment::{Method, ProviderId, Reference},
    sealed::Sealed,
    site::Destination,
    text::{Note, Text},
};

events! { "payout" {
    Prepared = "payout.prepared" v 1,
    Agreed = "payout.agreed" v 1,
    Approved = "payout.approved" v 1,
    Rejected = "payout.rejected" v 1,
    Submitted = "payout.submitted" v 1,
    Pending = "payout.pending" v 1,
    BecameUnknown = "payout.became_unknown" v 1,
    Succeeded = "payout.succeeded" v 1,
    Failed = "payout.failed" v 1,
    Reversed = "payout.reversed" v 1,
    PaidByHand = "payout.paid_by_hand" v 1,
} }

/// What is to be paid, and what of the ledger it was read from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Prepared {
    pub payout_id: PayoutId,
    pub site_id: SiteId,
    /// The payout of this site before it, whatever became of that; `None` for the first.
    pub follows: Option<PayoutId>,
    /// Where the period of the last one that was paid ended; `None` when nothing was ever paid.
    pub from: Option<Timestamp>,
    /// Everything that was entered before this instant counts.
    pub to: Timestamp,
    /// Postings after this position are the period's…
    pub after_position: i64,
    /// …up to this one: the last before `to`.
    pub up_to_position: i64,
    /// How many postings that are on the site's `payable`, and the SHA-256 of them in hexadecimal.
    pub lines: u32,
    pub digest: Text<64>,
    /// What was owed to the site at `up_to_position`.
    pub payable: Money,
    /// Of it, gone back to clients since.
    pub taken_back: Money,
    /// Of it, with the site already: in its till or on its account at a bank, when the payout was prepared.
    pub at_site: Money,
    /// Of it, held for a dispute.
    pub held: Money,
    /// What is paid: the rest.
    pub amount: Money,
    /// Where to, as it was agreed then: see `site.payout_account_set`.
    pub method: Method,
    pub subject: PrincipalId,
    pub account: Sealed,
    pub by: Actor,
    pub at: Timestamp,
}

impl Prepared {
    pub fn destination(&self) -> Destination {
        Destination { method: self.method, subject: self.subject, account: self.account.clone() }
    }
}

/// The first of two persons said yes to a payout that was prepared by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Agreed {
    pub payout_id: PayoutId,
    pub by: Actor,
    pub at: Timestamp,
}

/// A second person said yes: it may be paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Approved {
    pub payout_id: PayoutId,
    pub site_id: SiteId,
    pub amount: Money,
    /// `transfer`: a person makes it at the bank.
    pub method: Method,
    pub by: Actor,
    pub at: Timestamp,
}

/// Somebody said no. The money stays the site's and is in the next one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rejected {
    pub payout_id: PayoutId,
    pub site_id: SiteId,
    pub reason: Note,
    pub by: Actor,
    pub at: Timestamp,
}

/// The provider is about to be asked: written before the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Submitted {
    pub payout_id: PayoutId,
    pub method: Method,
    /// The key at the provider. A payout has one attempt: after a final failure the money is payable again, and another
    /// payout has another key.
    pub reference: Reference,
    pub attempt: u16,
    pub at: Timestamp,
}

/// The provider took it and is working.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pending {
    pub payout_id: PayoutId,
    /// The provider's id of the movement.
    pub provider_id: ProviderId,
    pub at: Timestamp,
}

/// Nobody can tell; the provider is asked until it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BecameUnknown {
    pub payout_id: PayoutId,
    pub why: Note,
    pub at: Timestamp,
}

/// The site has the money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Succeeded {
    pub payout_id: PayoutId,
    pub site_id: SiteId,
    pub amount: Money,
    pub method: Method,
    pub provider_id: Option<ProviderId>,
    /// What the provider took for it, on top, where it says so.
    pub fee: Option<Money>,
    pub by: Actor,
    pub at: Timestamp,
}

/// It did not work, for good. The money is payable again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Failed {
    pub payout_id: PayoutId,
    pub site_id: SiteId,
    pub amount: Money,
    pub reason: Note,
    pub at: Timestamp,
}

/// The provider took it back after it was paid. The money is payable again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reversed {
    pub payout_id: PayoutId,
    pub site_id: SiteId,
    pub amount: Money,
    pub method: Method,
    pub reason: Note,
    pub at: Timestamp,
}

/// A person made the transfer at the bank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PaidByHand {
    pub payout_id: PayoutId,
    pub site_id: SiteId,
    pub amount: Money,
    /// The bank's.
    pub reference: Text<60>,
    pub by: Actor,
    pub at: Timestamp,
}
