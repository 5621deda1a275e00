//! The provider's own truth: its checkouts, its charges, what it gave back. It knows nothing of ours but references and
//! keys, and answers only what it is asked.

use std::sync::Arc;

use super::Booking;
use crate::{
    Timestamp,
    ids::{PaymentId, RefundId},
};

/// What a provider can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Has checkouts with a status, and closes them when asked to.
    Closes,
    /// Lists payments only: an open checkout, an ended one and none look alike, and none can be closed.
    Lists,
}

/// Where a checkout stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Standing {
    Open,
    Paid,
    /// Closed by us, or by itself at its end.
    Expired,
    /// Ended by a refusal.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Checkout {
    pub(super) payment: PaymentId,
    pub(super) key: String,
    pub(super) amount: i64,
    pub(super) standing: Standing,
    pub(super) ends: Timestamp,
}

/// Money that a payer paid.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Charge {
    pub(super) checkout: usize,
    pub(super) amount: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Moving {
    Processing,
    Succeeded,
    Failed,
    /// Paid, then taken back.
    Reversed,
}

/// Money that went back, or was to go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Movement {
    pub(super) refund: RefundId,
    pub(super) payment: PaymentId,
    pub(super) key: String,
    pub(super) amount: i64,
    pub(super) moving: Moving,
}

/// A request whose sender was cut off: it may still arrive, and nobody will hear the answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Request {
    Open { payment: PaymentId, key: String, amount: i64 },
    Close { checkout: usize },
    Whole { refund: RefundId, checkout: usize },
    Payout { refund: RefundId, payment: PaymentId, key: String, amount: i64 },
}

/// A receipt, in the provider's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Receipt {
    pub(super) checkout: usize,
    pub(super) charge: usize,
    pub(super) amount: i64,
    /// Whose reference the checkout carries.
    pub(super) payment: PaymentId,
}

/// What it says of a checkout.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Said {
    Pending(usize),
    Succeeded(Receipt),
    Failed(usize),
    Expired(usize),
    Unpaid,
    NotFound,
    Several(Vec<Said>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Closed {
    Now,
    Already,
    ByItself,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Provider {
    lists: bool,
    shows_latest_only: bool,
    /// Checkouts end at one of these.
    instants: Arc<[Timestamp]>,
    pub(super) checkouts: Vec<Checkout>,
    pub(super) charges: Vec<Charge>,
    pub(super) movements: Vec<Movement>,
    /// Cut off and under way.
    pub(super) late: Vec<Request>,
    /// A request to open was sent for these, and nobody has asked what became of it.
    pub(super) unasked: Vec<PaymentId>,
    /// A second one was sent without asking.
    pub(super) blind: bool,
}

impl Provider {
    pub(super) fn new(model: &Booking) -> Self {
        Self {
            lists: model.rail == Kind::Lists,
            shows_latest_only: model.shows_latest_only,
            instants: (0..model.instants.len()).map(|tick| model.instant(tick)).collect(),
            checkouts: Vec::new(),
            charges: Vec::new(),
            movements: Vec::new(),
            late: Vec::new(),
            unasked: Vec::new(),
            blind: false,
        }
    }

    /// A request to open leaves us.
    pub(super) fn sent_open(&mut self, payment: PaymentId) {
        self.blind |= self.unasked.contains(&payment);
        self.unasked.retain(|other| *other != payment);
        self.unasked.push(payment);
    }

    pub(super) fn open(&mut self, payment: PaymentId, key: &str, amount: i64, now: Timestamp) -> usize {
        // Long enough to be paid after the hold; those that only list payments take money for a day.
        let ends = now + if self.lists { chrono::Duration::hours(20) } else { chrono::Duration::minutes(29) };
        let ends = self.instants.iter().find(|instant| **instant >= ends).copied().unwrap_or(ends);
        self.checkouts.push(Checkout { payment, key: key.into(), amount, standing: Standing::Open, ends });
        self.checkouts.len() - 1
    }

    /// When it says that a checkout ends.
    pub(super) fn tells_end(&self, checkout: usize) -> Option<Timestamp> {
        self.checkouts.get(checkout).filter(|_| !self.lists).map(|checkout| checkout.ends)
    }

    pub(super) fn status(&self, checkout: usize) -> Said {
        let Some(found) = self.checkouts.get(checkout) else { return Said::NotFound };
        let mut paid = self.receipts(|charge| charge.checkout == checkout);
        match found.standing {
            Standing::Paid if paid.len() > 1 && !self.shows_latest_only => Said::Several(paid),
            Standing::Paid => paid.pop().unwrap_or(Said::NotFound),
            _ if self.lists => Said::Unpaid,
            Standing::Open => Said::Pending(checkout),
            Standing::Expired => Said::Expired(checkout),
            Standing::Failed => Said::Failed(checkout),
        }
    }

    pub(super) fn search(&mut self, payment: PaymentId, key: &str) -> Said {
        self.unasked.retain(|other| *other != payment);
        let mut found: Vec<usize> = (0..self.checkouts.len()).filter(|nth| self.checkouts[*nth].key == key).collect();
        if self.lists {
            let mut paid = self.receipts(|charge| self.checkouts[charge.checkout].key == key);
            return match paid.len() {
                0 => Said::Unpaid,
                1 => paid.remove(0),
                _ => Said::Several(paid),
            };
        }
        match found.len() {
            0 => Said::NotFound,
            1 => self.status(found.remove(0)),
            _ => Said::Several(found.into_iter().map(|nth| self.status(nth)).collect()),
        }
    }

    fn receipts(&self, wanted: impl Fn(&Charge) -> bool) -> Vec<Said> {
        let receipt = |(charge, paid): (usize, &Charge)| {
            let (checkout, amount) = (paid.checkout, paid.amount);
            Said::Succeeded(Receipt { checkout, charge, amount, payment: self.checkouts[checkout].payment })
        };
        self.charges.iter().enumerate().filter(|(_, charge)| wanted(charge)).map(receipt).collect()
    }

    pub(super) fn close(&mut self, checkout: usize) -> Closed {
        if self.lists {
            return Closed::ByItself;
        }
        match self.checkouts.get_mut(checkout) {
            Some(found) if found.standing == Standing::Open => {
                found.standing = Standing::Expired;
                Closed::Now
            }
            _ => Closed::Already,
        }
    }

    /// Gives a paid checkout back: its first charge, once.
    pub(super) fn whole(&mut self, refund: RefundId, checkout: usize) {
        let key = format!("whole:{checkout}");
        let first = self.charges.iter().find(|charge| charge.checkout == checkout);
        let Some(amount) = first.map(|charge| charge.amount) else { return };
        if !self.movements.iter().any(|movement| movement.key == key) {
            let payment = self.checkouts[checkout].payment;
            self.movements.push(Movement { refund, payment, key, amount, moving: Moving::Succeeded });
        }
    }

    /// Sends money under a key; the same key again is the same movement, whatever became of it.
    pub(super) fn payout(&mut self, of: Payout<'_>, becomes: Moving) -> usize {
        if let Some(known) = self.paid_out(of.key) {
            return known;
        }
        let Payout { refund, payment, key, amount } = of;
        self.movements.push(Movement { refund, payment, key: key.into(), amount, moving: becomes });
        self.movements.len() - 1
    }

    pub(super) fn paid_out(&self, key: &str) -> Option<usize> {
        self.movements.iter().position(|movement| movement.key == key)
    }

    /// Whether a payout is being worked on.
    pub(super) fn is_moving(&self) -> bool {
        self.movements.iter().any(|movement| movement.moving == Moving::Processing)
    }

    /// Carries out what had been cut off.
    pub(super) fn arrive(&mut self, nth: usize, now: Timestamp) {
        match self.late.remove(nth) {
            Request::Open { payment, key, amount } => {
                self.open(payment, &key, amount, now);
            }
            Request::Close { checkout } => {
                self.close(checkout);
            }
            Request::Whole { refund, checkout } => self.whole(refund, checkout),
            Request::Payout { refund, payment, key, amount } => {
                self.payout(Payout { refund, payment, key: &key, amount }, Moving::Succeeded);
            }
        }
    }

    /// Time passes: what was cut off long ago does not arrive any more, and checkouts end.
    pub(super) fn pass(&mut self, now: Timestamp) {
        self.late.clear();
        for checkout in &mut self.checkouts {
            if checkout.standing == Standing::Open && checkout.ends <= now {
                checkout.standing = Standing::Expired;
            }
        }
    }
}

/// An order to send money.
#[derive(Clone, Copy)]
pub(super) struct Payout<'a> {
    pub(super) refund: RefundId,
    pub(super) payment: PaymentId,
    pub(super) key: &'a str,
    pub(super) amount: i64,
}
