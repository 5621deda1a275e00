//! What is due in shares: who is missing, and how much.

use serde::{Deserialize, Serialize};

use super::{Purpose, Reservation, Share, SplitUp};
use crate::{
    Timestamp,
    ids::{PaymentId, ShareId},
    money::Money,
};

/// How what is due was split. What came of it is in the receipts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    pub of: Purpose,
    pub shares: Vec<Share>,
    /// What must have been received in all for it to be confirmed; `None` when it was confirmed already.
    pub quorum: Option<Money>,
    /// Until when the hold lives once a share is paid.
    pub deadline: Timestamp,
    /// A share was paid: the hold lives until the deadline.
    pub pledged: bool,
}

impl Shares {
    pub(super) fn of(split: SplitUp) -> Self {
        let SplitUp { of, shares, quorum, deadline, .. } = split;
        Self { of, shares, quorum, deadline, pledged: false }
    }
}

/// Where one share stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub share_id: ShareId,
    pub amount: Money,
    /// Allocated and not given back to be paid again.
    pub received: Money,
    /// Still to pay of it, as [`Reservation::share_due`].
    pub due: Money,
    /// The payments with money in it, the first received first.
    pub payments: Vec<PaymentId>,
}

impl Reservation {
    /// The shares, in the order in which they were made; none when nothing is split.
    pub fn shares(&self) -> impl Iterator<Item = Standing> + '_ {
        let shares = self.split.as_ref().map(|split| split.shares.as_slice()).unwrap_or_default();
        shares.iter().map(|Share { share_id, amount }| {
            let payments = self.payments_of(*share_id);
            let due = self.share_due(*share_id);
            Standing { share_id: *share_id, amount: *amount, received: self.share_received(*share_id), due, payments }
        })
    }

    /// What was agreed for a share; `None` when there is no such share.
    pub fn share(&self, share_id: ShareId) -> Option<Money> {
        let split = self.split.as_ref()?;
        split.shares.iter().find(|share| share.share_id == share_id).map(|share| share.amount)
    }

    fn payments_of(&self, share_id: ShareId) -> Vec<PaymentId> {
        let of = |payment: &PaymentId| {
            self.receipts.iter().any(|receipt| receipt.payment_id == *payment && receipt.share_id == Some(share_id))
        };
        self.paying().into_iter().filter(of).collect()
    }

    /// Allocated to a share and not given back; what a person granted counts as paid, as for the whole.
    pub fn share_received(&self, share_id: ShareId) -> Money {
        let payments = self.payments_of(share_id);
        let paid = self.receipts.iter().filter(|receipt| receipt.share_id == Some(share_id));
        let back =
            self.returns.iter().filter(|given| payments.contains(&given.share.payment_id) && !self.forgives(given));
        let paid = paid.map(|receipt| receipt.amount.amount).fold(0, i64::saturating_add);
        self.money(paid.saturating_sub(back.map(|given| given.share.amount.amount).fold(0, i64::saturating_add)))
    }

    /// Still to pay of a share, and never more than is still to pay in all: what somebody pays at the gate nobody owes
    /// any more.
    pub fn share_due(&self, share_id: ShareId) -> Money {
        let missing = self.share(share_id).map_or(0, |amount| amount.amount);
        let missing = missing.saturating_sub(self.share_received(share_id).amount);
        self.money(missing.min(self.balance_due().amount))
    }

    /// What a payment for this purpose, or for this share, would have to be.
    pub fn due_of(&self, purpose: Purpose, share_id: Option<ShareId>) -> Money {
        share_id.map_or_else(|| self.due(purpose), |share_id| self.share_due(share_id))
    }

    /// Still missing before money confirms it: the deposit, and of what is split the quorum.
    pub fn confirmation_due(&self) -> Money {
        let quorum = self.split.as_ref().and_then(|split| split.quorum).map_or(0, |quorum| quorum.amount);
        let missing = quorum.saturating_sub(self.held_money().amount);
        self.money(missing.max(self.deposit_due().amount))
    }
}
