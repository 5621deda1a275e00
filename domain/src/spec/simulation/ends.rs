//! How it ends: when a charge is at rest, how long that took, and what became of each payment when nothing is left to do about its
//! reservation. Then it is forgotten.

use chrono::Duration;

use super::{
    Run,
    known::{ChargeId, Pay, Refunding},
    provider::Moving,
    slow::Slow,
};
use crate::{
    Timestamp,
    ids::{PaymentId, RefundId, ReservationId},
    payment::{self, Method},
    reaction::{About, Notice},
    refund::{self, Route},
    reservation::Status,
};

/// A case that is open under a name, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Case {
    /// A person asked for a refund above the limit: it waits for a second one. Finance was told.
    WaitsForASecondPerson,
    /// It goes back in cash or by a transfer: it waits for whoever hands it out. The manager was told.
    WaitsToBeHandedOut,
    /// Its provider has not said within 72 hours what became of it. Finance was told.
    ProviderSilent,
    /// A second charge in a checkout that is settled, whose webhook never came: nobody asks about it. The statement has it.
    ChargeOnlyInTheStatement,
    /// A refund that was paid, and that its provider took back when everybody believed it over. The statement has it.
    ReversalOnlyInTheStatement,
}

impl Case {
    pub(super) const ALL: [Self; 5] = [
        Self::WaitsForASecondPerson,
        Self::WaitsToBeHandedOut,
        Self::ProviderSilent,
        Self::ChargeOnlyInTheStatement,
        Self::ReversalOnlyInTheStatement,
    ];

    pub(super) const fn says(self) -> &'static str {
        match self {
            Self::WaitsForASecondPerson => "case: waits for a second person",
            Self::WaitsToBeHandedOut => "case: waits to be handed out",
            Self::ProviderSilent => "case: provider silent for 72 h",
            Self::ChargeOnlyInTheStatement => "case: second charge only in the statement",
            Self::ReversalOnlyInTheStatement => "case: late reversal only in the statement",
        }
    }
}

/// What is due within it.
pub(super) const SOON: Duration = Duration::minutes(15);

impl Run {
    /// Looks whether the charges of a reservation are at rest.
    pub(super) fn look(&mut self, of: ReservationId) {
        let Some(stay) = self.audit.stays.get(&of) else { return };
        if stay.unrested == 0 {
            return;
        }
        let at_rest = |charge: &&ChargeId| {
            let fate = &self.audit.fates[*charge];
            fate.rest.is_none() && fate.landed.is_some() && self.is_at_rest(fate.payment)
        };
        let rested: Vec<ChargeId> = stay.charges.iter().filter(at_rest).copied().collect();
        for charge in rested {
            self.rests(of, charge);
        }
    }

    /// Every franc of it is with a reservation that stands, the client's, paid back, or in an open case.
    fn is_at_rest(&self, payment: PaymentId) -> bool {
        let pay = &self.audit.pays[&payment];
        let stay = &self.audit.stays[&pay.of];
        let placed = pay.held() == 0 || !matches!(stay.status, Status::Held | Status::Expired);
        let of = |id: &&RefundId| self.audit.refunds[*id].payment == payment;
        placed && stay.refunds.iter().filter(of).all(|id| self.refund_rests(*id))
    }

    pub(super) fn refund_rests(&self, id: RefundId) -> bool {
        let status = self.audit.refunds[&id].status;
        matches!(status, refund::Status::Succeeded | refund::Status::Declined) || self.case_of(id).is_some()
    }

    /// The case in which a refund that is not paid waits.
    pub(super) fn case_of(&self, id: RefundId) -> Option<Case> {
        let refund = &self.audit.refunds[&id];
        let told = |notice| self.audit.told.contains(&notice);
        match refund.status {
            refund::Status::Requested => {
                told(Notice::ApprovalWanted { refund_id: id }).then_some(Case::WaitsForASecondPerson)
            }
            refund::Status::Approved if refund.by_hand => {
                told(Notice::HandOut { refund_id: id }).then_some(Case::WaitsToBeHandedOut)
            }
            refund::Status::Failed | refund::Status::Reversed => {
                told(Notice::HandOut { refund_id: id }).then_some(Case::WaitsToBeHandedOut)
            }
            status if status.is_out() => {
                told(Notice::NoAnswer { about: About::Refund(id) }).then_some(Case::ProviderSilent)
            }
            _ => None,
        }
    }

    fn rests(&mut self, of: ReservationId, charge: ChargeId) {
        let now = self.now;
        let left_hold = self.audit.stays[&of].left_hold;
        let fate = self.audit.fates.get_mut(&charge).unwrap();
        fate.rest = Some(now);
        let (payment, landed) = (fate.payment, fate.landed.unwrap());
        let (at, in_hold, again) = (fate.at, fate.in_hold, fate.again);
        self.audit.stays.get_mut(&of).unwrap().unrested -= 1;
        // A part of what is due waits, with the hold, for the rest of it: nobody is late then.
        let since = left_hold.filter(|left| in_hold && *left > landed).unwrap_or(landed);
        let found = landed - self.provider(charge.0).well_since(at, landed);
        let mut well = self.provider(charge.0).well_since(since, now);
        for (_, method) in self.audit.stays[&of].refunds.iter().filter_map(|id| self.audit.refunds[id].way) {
            if method.has_provider() {
                well = well.max(self.provider(method).well_since(since, now));
            }
        }
        let all = found + (now - well);
        self.report.rested.push(took(all));
        if all > SOON {
            let refunds: Vec<RefundId> = self.audit.stays[&of].refunds.clone();
            let refunds: Vec<RefundId> =
                refunds.into_iter().filter(|id| self.audit.refunds[id].payment == payment).collect();
            let pay = &self.audit.pays[&payment];
            // Whoever was told of it, or asked in the first minutes, did not wait for the hour.
            let late = (found > Duration::minutes(9)).then_some(match (again, pay.hourly, pay.cut_off) {
                (true, ..) => Slow::SecondCharge,
                (_, _, true) => Slow::CutOff,
                (_, true, _) => Slow::Hourly,
                _ => return self.audit.wrong("in_time", of, format!("found after {} s", found.num_seconds())),
            });
            self.slower(of, &refunds, late, all);
        }
    }

    /// A refund that was approved later on is paid, or waits for a person.
    pub(super) fn refund_over(&mut self, id: RefundId) {
        let Some(refund) = self.audit.refunds.get(&id) else { return };
        let (Some(since), of) = (refund.approved, refund.of) else { return };
        if refund.by_hand || refund.over || !self.refund_rests(id) {
            return;
        }
        let now = self.now;
        let own = self.audit.pays[&refund.payment].method;
        let method = refund.way.map_or(own, |(_, method)| method);
        let mut well = since;
        for method in [own, method].into_iter().filter(|method| method.has_provider()) {
            well = well.max(self.provider(method).well_since(since, now));
        }
        self.audit.refunds.get_mut(&id).unwrap().over = true;
        self.report.refunds.push(took(now - well));
        if now - well > SOON {
            self.slower(of, &[id], None, now - well);
        }
    }

    /// Nothing is left to do about it: then everything must be over.
    pub(super) fn may_retire(&mut self, of: ReservationId) {
        let Some(stay) = self.audit.stays.get(&of) else { return };
        if stay.pending > 0 {
            return;
        }
        if matches!(stay.status, Status::Held | Status::Confirmed | Status::CheckedIn) {
            let status = stay.status;
            return self.audit.wrong("comes_to_rest", of, format!("it is {status} and nobody will look again"));
        }
        let (payments, refunds) = (stay.payments.clone(), stay.refunds.clone());
        for id in &refunds {
            if !self.refund_rests(*id) {
                let status = self.audit.refunds[id].status;
                return self.audit.wrong(
                    "comes_to_rest",
                    of,
                    format!("a refund is {status} and nobody will look again"),
                );
            }
            self.refunded_once(of, *id);
            self.counts(*id);
        }
        for payment in payments {
            self.report.credited += self.audit.pays[&payment].credited;
            self.ends(of, payment);
        }
        for id in self.lane.payments_of(of).to_vec() {
            self.effects.forget(id.uuid());
            self.wishes.remove(&id);
        }
        for id in refunds {
            self.effects.forget(id.uuid());
        }
        self.effects.forget(of.uuid());
        self.racing.remove(&of);
        self.lane.forget(of);
        self.audit.forget(of);
        self.report.reservations += 1;
    }

    /// Once at a provider, or as credit, or by hand; and what is called paid was paid.
    fn refunded_once(&mut self, of: ReservationId, id: RefundId) {
        let refund = &self.audit.refunds[&id];
        let alive = |(method, nth): &&(Method, usize)| !Refunding::is_dead(self.provider(*method).backs[*nth].moving);
        let there = refund.movements.iter().filter(alive).count();
        let elsewhere = matches!(refund.way, Some((Route::Credit | Route::Cash | Route::Transfer, _)));
        let paid = refund.status == refund::Status::Succeeded;
        let taken_back =
            refund.movements.iter().any(|(method, nth)| self.provider(*method).backs[*nth].moving == Moving::Reversed);
        let right = match (paid, elsewhere) {
            (true, true) => there == 0,
            (true, false) => there == 1 || (there == 0 && taken_back),
            (false, _) => there == 0 || self.case_of(id) == Some(Case::ProviderSilent),
        };
        if !right {
            let status = refund.status;
            self.audit.wrong("refunded_once", of, format!("{status}, and {there} movements of it stand"));
        }
    }

    /// What of it the ledger should still show when all is over.
    fn counts(&mut self, id: RefundId) {
        let refund = &self.audit.refunds[&id];
        match (refund.status, refund.way) {
            (refund::Status::Requested | refund::Status::Declined, _) => {}
            (refund::Status::Succeeded, Some((Route::Credit, _))) => self.report.credited += refund.amount,
            (refund::Status::Succeeded, _) => {}
            _ => self.report.owed += refund.amount,
        }
        if self.case_of(id).is_some() {
            let moving = refund.movements.iter().map(|(method, nth)| &self.provider(*method).backs[*nth]);
            let moving: i64 = moving.filter(|back| !Refunding::is_dead(back.moving)).map(|back| back.amount).sum();
            self.report.moving_in_cases += moving;
        }
        self.only_in_the_statement(id);
    }

    /// Lines of a statement that we have none for: only where somebody was told, or it was taken back when it was over.
    fn only_in_the_statement(&mut self, id: RefundId) {
        let refund = &self.audit.refunds[&id];
        let lines = |moving| match moving {
            Moving::Failed => 0,
            Moving::Processing | Moving::Succeeded => 1,
            Moving::Reversed => 2,
        };
        let theirs: usize =
            refund.movements.iter().map(|(method, nth)| lines(self.provider(*method).backs[*nth].moving)).sum();
        let late = refund.status == refund::Status::Succeeded && theirs > refund.lines;
        let told = refund.stated || self.case_of(id) == Some(Case::ProviderSilent);
        let (of, ours) = (refund.of, refund.lines);
        if theirs < ours || (theirs > ours && !late && !told) {
            return self.audit.wrong("ledgers_agree", of, format!("{ours} lines of a refund here, {theirs} there"));
        }
        self.report.only_there += (theirs - ours) as u64;
    }

    /// Where the francs of a payment are.
    fn ends(&mut self, of: ReservationId, id: PaymentId) {
        let pay = &self.audit.pays[&id];
        let stay = &self.audit.stays[&of];
        if !pay.method.has_provider() {
            return;
        }
        let silent = self.audit.told.contains(&Notice::NoAnswer { about: About::Payment(id) });
        let open = pay.status.is_open();
        if open && !silent {
            return self.audit.wrong("comes_to_rest", of, "a payment is open and nobody will look again");
        }
        let mut francs =
            Francs { held: if matches!(stay.status, Status::Expired) { 0 } else { pay.held() }, ..Francs::default() };
        francs.credit = pay.credited;
        let mut cases = Vec::new();
        let mut refunds = 0;
        for id in stay.refunds.iter().filter(|refund| self.audit.refunds[*refund].payment == id) {
            let refund = &self.audit.refunds[id];
            let owed = !matches!(refund.status, refund::Status::Requested | refund::Status::Declined);
            refunds += if owed { refund.amount } else { 0 };
            if let Some(case) = self.case_of(*id) {
                cases.push(case);
                francs.case += if owed { refund.amount } else { 0 };
                continue;
            }
            let reversed =
                |(method, nth): &(Method, usize)| self.provider(*method).backs[*nth].moving == Moving::Reversed;
            match refund.way {
                _ if !owed => {}
                Some((Route::Credit, _)) => francs.credit += refund.amount,
                Some((Route::Cash | Route::Transfer, _)) => francs.by_hand += refund.amount,
                _ if refund.movements.last().is_some_and(reversed) => {
                    cases.push(Case::ReversalOnlyInTheStatement);
                    francs.case += refund.amount;
                }
                _ => francs.back += refund.amount,
            }
        }
        let pay = &self.audit.pays[&id];
        let mut charged = 0;
        for charge in &pay.charges {
            let fate = &self.audit.fates[&(pay.method, *charge)];
            charged += fate.amount;
            if fate.landed.is_none() && fate.again && fate.lost && pay.received > 0 {
                cases.push(Case::ChargeOnlyInTheStatement);
                self.report.only_there += 1;
                francs.case += fate.amount;
            }
        }
        let right = pay.received == pay.held() + pay.credited + refunds;
        let credit_is_theirs = pay.credit == francs.credit;
        francs.orphaned = charged - francs.sum();
        let (name, what) =
            (name_of(pay, silent && open, charged, &francs, &cases), (charged, refunds, pay.held(), pay.credited));
        if francs.orphaned != 0 || !right || !credit_is_theirs {
            self.audit.wrong(
                "no_franc_is_orphaned",
                of,
                format!("charged, back, held, credited: {what:?}; {francs:?} {cases:?}"),
            );
        }
        self.report.end(name, charged, &francs, &cases);
    }

    /// Two minutes after its end a hold that was not paid blocks nobody; and soon it is ended.
    pub(super) fn hold_is_over(&mut self, of: ReservationId) {
        let Some(stay) = self.audit.stays.get(&of).filter(|stay| stay.status == Status::Held) else { return };
        let fence: Timestamp = stay.hold_end + stay.grace;
        if self.now < fence {
            return;
        }
        let lane = self.lane.guards.blocks_until(of.uuid());
        let lane = lane.is_some_and(|until| until.is_none_or(|until| self.now < until));
        if lane || self.audit.cells.blocks(of, self.now) {
            self.audit.wrong("holds_end", of, "it blocks others two minutes after its end");
        }
        if self.now > fence + Duration::minutes(8) {
            self.audit.wrong("holds_end", of, "nobody has ended it");
        }
    }
}

/// Of one payment, or of many.
#[derive(Clone, Debug, Default)]
pub(super) struct Francs {
    pub(super) held: i64,
    pub(super) credit: i64,
    pub(super) back: i64,
    pub(super) by_hand: i64,
    pub(super) case: i64,
    pub(super) orphaned: i64,
}

impl Francs {
    pub(super) const fn sum(&self) -> i64 {
        self.held + self.credit + self.back + self.by_hand + self.case
    }
}

fn name_of(pay: &Pay, silent: bool, charged: i64, francs: &Francs, cases: &[Case]) -> &'static str {
    if let Some(case) = cases.first() {
        return case.says();
    }
    if silent {
        return Case::ProviderSilent.says();
    }
    if charged == 0 {
        return match pay.status {
            payment::Status::Succeeded => "succeeded without a charge",
            _ => "never paid: ended",
        };
    }
    match (francs.held > 0, francs.back > 0, francs.credit > 0, francs.by_hand > 0) {
        (true, false, false, false) => "confirmed",
        (true, ..) => "confirmed; a part back or credited",
        (false, true, _, _) => "refunded",
        (false, false, true, _) => "credited",
        (false, false, false, _) => "handed out in cash",
    }
}

fn took(time: Duration) -> i32 {
    i32::try_from(time.num_milliseconds().max(0)).unwrap_or(i32::MAX)
}
