//! What can happen to a drawer.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    actor::Actor,
    contract::Flow,
    event::events,
    ids::{SiteId, TillId},
    money::Money,
    text::{Name, Note},
};

events! { "till" {
    Opened = "till.opened" v 1,
    Counted = "till.counted" v 1,
    CashMoved = "till.cash_moved" v 1,
    Closed = "till.closed" v 1,
} }

/// The drawer is open: cash that comes and goes at the site from here on counts in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Opened {
    pub till_id: TillId,
    pub site_id: SiteId,
    /// 1 for the first time it is opened.
    pub session: u32,
    /// What was counted in it: the site's own, and in no book of ours.
    pub float: Money,
    /// Movements after this position count in it.
    pub as_of_position: i64,
    pub by: Actor,
    pub at: Timestamp,
}

/// Counted on the way: nothing changes but that it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Counted {
    pub till_id: TillId,
    pub site_id: SiteId,
    pub session: u32,
    pub counted: Money,
    /// Float + received − handed out − taken out.
    pub expected: Money,
    /// Counted − expected: negative when something is missing.
    pub variance: Money,
    /// Up to where movements were counted.
    pub as_of_position: i64,
    pub by: Actor,
    pub at: Timestamp,
}

/// Cash was taken out of the drawer, to the bank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CashMoved {
    pub till_id: TillId,
    pub site_id: SiteId,
    pub session: u32,
    pub amount: Money,
    pub reason: Note,
    /// The slip of the bank.
    pub reference: Option<Name>,
    /// Who collects at the site: whose money it is.
    pub flow: Flow,
    pub by: Actor,
    pub at: Timestamp,
}

/// Counted, and closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Closed {
    pub till_id: TillId,
    pub site_id: SiteId,
    pub session: u32,
    pub float: Money,
    /// By payments, since it was opened.
    pub received: Money,
    /// By refunds, since then.
    pub handed_out: Money,
    /// To the bank, since then.
    pub moved: Money,
    /// Float + received − handed out − moved.
    pub expected: Money,
    pub counted: Money,
    /// Counted − expected: negative when something is missing.
    pub variance: Money,
    /// Why it differs; never left out when it does.
    pub reason: Option<Note>,
    /// Movements after `from_position`, up to and with `as_of_position`, are in it.
    pub from_position: i64,
    pub as_of_position: i64,
    /// Who collects at the site: whose loss a difference is.
    pub flow: Flow,
    pub by: Actor,
    pub at: Timestamp,
}
