//! Providers with a truth of their own: checkouts, charges, what they gave back, and when they were away. Nothing in Kalel's
//! code writes here but by a call, and they know nothing of ours but references and keys. What each kind can do is what the four
//! real ones can (`docs/money.md`, `adapters/src/payments.rs`).

use super::{guards::Map, random::Random};
use crate::{
    Timestamp,
    payment::{Method, ProviderId},
    refund::Ways,
};

/// Which of the four it is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Wave,
    Sonatel,
    PayTech,
    PayDunya,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Open,
    Paid,
    Expired,
}

#[derive(Clone, Debug)]
pub(super) struct Checkout {
    pub(super) reference: String,
    pub(super) amount: i64,
    pub(super) standing: Standing,
    ends: Timestamp,
    pub(super) charges: Vec<usize>,
    given_back: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Charge {
    pub(super) checkout: usize,
    pub(super) amount: i64,
    pub(super) fee: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moving {
    Processing,
    Succeeded,
    Failed,
    Reversed,
}

/// Money that went back, or was to go.
#[derive(Clone, Debug)]
pub(super) struct Back {
    pub(super) key: String,
    pub(super) amount: i64,
    pub(super) moving: Moving,
    /// What becomes of it when its time has come.
    pub(super) then: Moving,
}

/// Something that comes to its end by itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Movement {
    Settles(usize),
    /// It had been paid, and is taken back when everybody believes it over.
    TakenBack(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) name: ProviderId,
    pub(super) transaction: ProviderId,
    pub(super) amount: i64,
    pub(super) reference: String,
    /// Whose wallet paid is told, and it is the client's number.
    pub(super) tells_payer: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Pending { name: ProviderId, ends: Option<Timestamp> },
    Succeeded(Receipt),
    Expired(ProviderId),
    Unpaid,
    NotFound,
    Several(Vec<Said>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    Now,
    Already,
    ByItself,
    NotFound,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PaidOut {
    Processing(ProviderId),
    Succeeded(ProviderId),
    Failed,
    Reversed(ProviderId),
    NotFound,
    Several,
}

pub(super) struct Provider {
    pub(super) method: Method,
    pub(super) kind: Kind,
    pub(super) checkouts: Vec<Checkout>,
    pub(super) charges: Vec<Charge>,
    pub(super) backs: Vec<Back>,
    by_reference: Map<String, Vec<usize>>,
    by_key: Map<String, Vec<usize>>,
    /// An hour each.
    pub(super) outages: Vec<(Timestamp, Timestamp)>,
}

impl Provider {
    pub(super) fn new(method: Method, kind: Kind) -> Self {
        let (by_reference, by_key) = (Map::default(), Map::default());
        let (checkouts, charges, backs, outages) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { method, kind, checkouts, charges, backs, by_reference, by_key, outages }
    }

    /// `Rail::ways`; money cannot be sent to a card.
    pub(super) const fn ways(&self) -> Ways {
        let (whole, payout) = match self.kind {
            Kind::Wave => (true, true),
            Kind::Sonatel => (false, true),
            Kind::PayTech => (true, false),
            Kind::PayDunya => (false, !matches!(self.method, Method::Card)),
        };
        Ways { whole, payout }
    }

    /// `Rail::unseen_after` is zero.
    pub(super) const fn pays_out_by_key(&self) -> bool {
        matches!(self.kind, Kind::Wave)
    }

    pub(super) fn is_away(&self, now: Timestamp) -> bool {
        self.outages.iter().any(|(from, to)| *from <= now && now < *to)
    }

    /// The end of an outage that touches this time.
    pub(super) fn away_until(&self, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
        let touching = self.outages.iter().filter(|(begins, ends)| *begins <= to && from < *ends);
        touching.map(|(_, ends)| *ends).max()
    }

    /// The latest end of an outage that touches this time; `from` when there is none.
    pub(super) fn well_since(&self, from: Timestamp, to: Timestamp) -> Timestamp {
        let touching = self.outages.iter().filter(|(begins, ends)| *begins <= to && from <= *ends);
        touching.map(|(_, ends)| (*ends).min(to)).max().map_or(from, |ends| ends.max(from))
    }

    pub(super) fn name(&self, checkout: usize) -> ProviderId {
        ProviderId::known(match self.kind {
            // The reference is the id there.
            Kind::Sonatel => self.checkouts[checkout].reference.clone(),
            kind => format!("{kind:?}-{checkout}"),
        })
    }

    /// The checkouts behind a name: one, but where the reference is the name.
    pub(super) fn found(&self, name: &ProviderId) -> Vec<usize> {
        if self.kind == Kind::Sonatel {
            return self.by_reference.get(name.as_str()).cloned().unwrap_or_default();
        }
        let number = name.as_str().rsplit('-').next().and_then(|number| number.parse().ok());
        number.filter(|number| *number < self.checkouts.len()).into_iter().collect()
    }

    pub(super) fn transaction(charge: usize) -> ProviderId {
        ProviderId::known(format!("T{charge}"))
    }

    pub(super) fn charge_of(transaction: &ProviderId) -> Option<usize> {
        transaction.as_str().strip_prefix('T')?.parse().ok()
    }

    /// `None`: the reference is used (PayTech).
    pub(super) fn open(
        &mut self,
        reference: &str,
        amount: i64,
        closes_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<(ProviderId, Option<Timestamp>)> {
        let before = self.by_reference.entry(reference.into()).or_default();
        if self.kind == Kind::PayTech && !before.is_empty() {
            return None;
        }
        let day = now + chrono::Duration::days(1);
        let ends = match self.kind {
            Kind::Wave => now + chrono::Duration::minutes(30),
            Kind::Sonatel => closes_at.map_or(day, |end| end.clamp(now + chrono::Duration::seconds(1), day)),
            Kind::PayTech | Kind::PayDunya => now + chrono::Duration::hours(12),
        };
        before.push(self.checkouts.len());
        let (reference, standing, charges, given_back) = (reference.to_owned(), Standing::Open, Vec::new(), None);
        self.checkouts.push(Checkout { reference, amount, standing, ends, charges, given_back });
        Some((self.name(self.checkouts.len() - 1), self.tells(ends)))
    }

    fn tells(&self, ends: Timestamp) -> Option<Timestamp> {
        matches!(self.kind, Kind::Wave | Kind::Sonatel).then_some(ends)
    }

    /// Whether somebody can still pay in it.
    pub(super) fn is_open(&self, checkout: usize, now: Timestamp) -> bool {
        let checkout = &self.checkouts[checkout];
        checkout.standing == Standing::Open && now < checkout.ends
    }

    /// A payer pays; the number of the charge.
    pub(super) fn charge(&mut self, checkout: usize, amount: i64) -> usize {
        self.checkouts[checkout].standing = Standing::Paid;
        self.checkouts[checkout].charges.push(self.charges.len());
        self.charges.push(Charge { checkout, amount, fee: fee(amount) });
        self.charges.len() - 1
    }

    fn receipts(&self, checkout: usize) -> Vec<Said> {
        self.checkouts[checkout].charges.iter().map(|nth| self.receipt(*nth, &self.charges[*nth])).collect()
    }

    fn receipt(&self, nth: usize, charge: &Charge) -> Said {
        Said::Succeeded(Receipt {
            name: self.name(charge.checkout),
            transaction: Self::transaction(nth),
            amount: charge.amount,
            reference: self.checkouts[charge.checkout].reference.clone(),
            tells_payer: self.kind == Kind::Sonatel,
        })
    }

    fn standing(&self, checkout: usize, now: Timestamp) -> Said {
        let found = &self.checkouts[checkout];
        match found.standing {
            Standing::Paid => one_or_several(self.receipts(checkout)),
            _ if self.kind == Kind::Sonatel => Said::Unpaid,
            Standing::Open if now < found.ends && self.kind == Kind::Wave => {
                Said::Pending { name: self.name(checkout), ends: Some(found.ends) }
            }
            Standing::Open if now < found.ends => Said::Unpaid,
            Standing::Open | Standing::Expired => Said::Expired(self.name(checkout)),
        }
    }

    pub(super) fn status(&self, name: &ProviderId, now: Timestamp) -> Said {
        if self.kind == Kind::Sonatel {
            return self.search(name.as_str(), now);
        }
        self.found(name).first().map_or(Said::NotFound, |checkout| self.standing(*checkout, now))
    }

    pub(super) fn search(&self, reference: &str, now: Timestamp) -> Said {
        let found = self.by_reference.get(reference).map_or(&[][..], Vec::as_slice);
        match self.kind {
            Kind::PayTech | Kind::PayDunya => Said::NotFound,
            Kind::Sonatel => {
                let paid: Vec<Said> = found.iter().flat_map(|checkout| self.receipts(*checkout)).collect();
                if paid.is_empty() { Said::Unpaid } else { one_or_several(paid) }
            }
            Kind::Wave if found.is_empty() => Said::NotFound,
            Kind::Wave => one_or_several(found.iter().map(|checkout| self.standing(*checkout, now)).collect()),
        }
    }

    pub(super) fn close(&mut self, name: &ProviderId, now: Timestamp) -> Closed {
        let Some(checkout) = self.found(name).first().copied() else { return Closed::NotFound };
        let open = self.is_open(checkout, now);
        match self.kind {
            Kind::Wave if open => {
                self.checkouts[checkout].standing = Standing::Expired;
                Closed::Now
            }
            Kind::Wave => Closed::Already,
            _ if matches!(self.status(name, now), Said::Unpaid) => Closed::ByItself,
            _ => Closed::Already,
        }
    }

    /// Whether it has taken an order to give a checkout back.
    pub(super) fn gives_back(&self, name: &ProviderId) -> bool {
        self.found(name).first().is_some_and(|checkout| self.checkouts[*checkout].given_back.is_some())
    }

    /// Gives a whole checkout back, its first charge. `None` while it is not done; the movement, if one began now.
    pub(super) fn whole(&mut self, name: &ProviderId) -> (bool, Option<usize>) {
        let checkout = self.found(name)[0];
        if let Some(known) = self.checkouts[checkout].given_back {
            return (self.backs[known].moving == Moving::Succeeded, None);
        }
        let Some(first) = self.checkouts[checkout].charges.first() else { return (false, None) };
        let amount = self.charges[*first].amount;
        let moving = if self.kind == Kind::Wave { Moving::Succeeded } else { Moving::Processing };
        self.backs.push(Back { key: format!("whole:{name}"), amount, moving, then: Moving::Succeeded });
        self.checkouts[checkout].given_back = Some(self.backs.len() - 1);
        (moving == Moving::Succeeded, Some(self.backs.len() - 1))
    }

    /// Whether it has taken an order to send money under this key, and would say so again.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.pays_out_by_key() && self.by_key.contains_key(key)
    }

    /// Sends money. Where a key makes it the same, the same key is the same movement, whatever became of it.
    pub(super) fn payout(&mut self, key: &str, amount: i64, becomes: (Moving, Moving)) -> (PaidOut, Option<usize>) {
        if self.pays_out_by_key()
            && let Some(known) = self.by_key.get(key).and_then(|known| known.first())
        {
            return (self.paid_out(*known), None);
        }
        let (moving, then) = becomes;
        self.backs.push(Back { key: key.into(), amount, moving, then });
        let nth = self.backs.len() - 1;
        self.by_key.entry(key.into()).or_default().push(nth);
        (self.paid_out(nth), Some(nth))
    }

    fn paid_out(&self, nth: usize) -> PaidOut {
        let name = || Self::movement(nth);
        match self.backs[nth].moving {
            Moving::Processing => PaidOut::Processing(name()),
            Moving::Succeeded => PaidOut::Succeeded(name()),
            Moving::Failed => PaidOut::Failed,
            Moving::Reversed => PaidOut::Reversed(name()),
        }
    }

    pub(super) fn movement(nth: usize) -> ProviderId {
        ProviderId::known(format!("out-{nth}"))
    }

    pub(super) fn movement_of(name: &ProviderId) -> Option<usize> {
        name.as_str().strip_prefix("out-")?.parse().ok()
    }

    pub(super) fn payout_status(&self, name: &ProviderId) -> PaidOut {
        Self::movement_of(name).map_or(PaidOut::NotFound, |nth| self.paid_out(nth))
    }

    pub(super) fn payout_search(&self, key: &str) -> PaidOut {
        match self.by_key.get(key).map_or(&[][..], Vec::as_slice) {
            [] => PaidOut::NotFound,
            [one] => self.paid_out(*one),
            _ => PaidOut::Several,
        }
    }

    /// What came, by its own books.
    pub(super) fn charged(&self) -> i64 {
        self.charges.iter().map(|charge| charge.amount).sum()
    }

    /// What went out and has not come back, by its own books.
    pub(super) fn out(&self) -> i64 {
        let out = |back: &&Back| matches!(back.moving, Moving::Processing | Moving::Succeeded);
        self.backs.iter().filter(out).map(|back| back.amount).sum()
    }
}

/// A percent, rounded up: told on statements only.
pub(super) const fn fee(amount: i64) -> i64 {
    (amount + 99) / 100
}

/// How a payout ends, and what it looks like until then.
pub(super) fn fate(random: &mut Random) -> (Moving, Moving) {
    random.weighed(&[
        (80, (Moving::Succeeded, Moving::Succeeded)),
        (10, (Moving::Processing, Moving::Succeeded)),
        (3, (Moving::Processing, Moving::Failed)),
        (2, (Moving::Processing, Moving::Reversed)),
        (5, (Moving::Failed, Moving::Failed)),
    ])
}

fn one_or_several(mut all: Vec<Said>) -> Said {
    if all.len() == 1 { all.remove(0) } else { Said::Several(all) }
}
