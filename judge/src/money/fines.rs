//! Fines: one for a no-show that asks it, owed until it is settled or waived; and whoever owes books nothing by themselves.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::books::Books;
use crate::event::{Event, Fact, FineDecided, FineSettled, Fined, Held, Time};

pub(super) const FINES: &str = "money.fines";

/// The fine of a reservation.
pub(super) struct Fine {
    client: Uuid,
    pub amount: i64,
    state: &'static str,
    decide_by: Option<Time>,
}

impl Fine {
    /// Whether it is still owed.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, "owed" | "appealed" | "upheld")
    }

    /// Whether it keeps its client from booking.
    fn blocks(&self) -> bool {
        matches!(self.state, "owed" | "upheld")
    }
}

/// Of each reservation.
pub(super) type Fines = BTreeMap<Uuid, Fine>;

impl Books {
    /// What is wrong about what happened to a fine.
    pub(super) fn fine(&mut self, event: &Event) -> Option<String> {
        match &event.fact {
            Fact::Fined(fined) => self.fined(fined),
            Fact::FineAppealed(appealed) => {
                let id = appealed.reservation_id;
                self.follows(id, &["owed"], "appealed").or_else(|| {
                    self.fines.get_mut(&id)?.decide_by = Some(appealed.decide_by);
                    None
                })
            }
            Fact::FineDecided(decided) => self.decided(decided),
            Fact::FineSettled(settled) => self.settled(settled),
            _ => None,
        }
    }

    fn fined(&mut self, fined: &Fined) -> Option<String> {
        let (id, amount) = (fined.reservation_id, fined.amount);
        let fine = Fine { client: fined.client_id, amount, state: "owed", decide_by: None };
        if self.fines.insert(id, fine).is_some() {
            return Some(format!("{id} is fined twice"));
        }
        let asked = self.reservations.get(&id).filter(|missed| missed.status == "no_show").and_then(|it| it.fine);
        (asked != Some(amount))
            .then(|| format!("{id} is fined {amount}, and its terms ask {asked:?} of who is not there"))
    }

    /// Nobody but the site decides, unless the time for it is over; and nobody decides against a client for it.
    fn decided(&mut self, decided: &FineDecided) -> Option<String> {
        let (id, waived) = (decided.reservation_id, decided.verdict == "waive");
        let by_time = decided.by.role == "system";
        if decided.by.role != "manager" && !by_time {
            return Some(format!("the fine of {id} is decided by a {}", decided.by.role));
        }
        let in_time = self.fines.get(&id).and_then(|fine| fine.decide_by).is_none_or(|until| decided.at < until);
        if by_time && (in_time || !waived) {
            return Some(format!("nobody decided about the fine of {id}, and it is decided"));
        }
        let (after, to): (&[&str], _) =
            if waived { (&["owed", "appealed", "upheld"], "waived") } else { (&["appealed"], "upheld") };
        self.of_amount(id, decided.amount).or_else(|| self.follows(id, after, to))
    }

    fn settled(&mut self, settled: &FineSettled) -> Option<String> {
        let (id, amount) = (settled.reservation_id, settled.amount);
        let payment = self.payments.entry(settled.payment_id).or_default();
        payment.settles += amount;
        if payment.received() < payment.settles + payment.credited {
            return Some(format!("the fine of {id} is settled by {amount} of a payment of {}", payment.received()));
        }
        self.of_amount(id, amount).or_else(|| self.follows(id, &["owed", "appealed", "upheld"], "settled"))
    }

    fn of_amount(&self, id: Uuid, amount: i64) -> Option<String> {
        let owed = self.fines.get(&id).map(|fine| fine.amount);
        (owed != Some(amount)).then(|| format!("{amount} is said of the fine of {id}, which is {owed:?}"))
    }

    fn follows(&mut self, id: Uuid, after: &[&str], to: &'static str) -> Option<String> {
        let Some(fine) = self.fines.get_mut(&id) else { return Some(format!("{id} was not fined")) };
        let was = std::mem::replace(&mut fine.state, to);
        (!after.contains(&was)).then(|| format!("the fine of {id} is {to}, and was {was}"))
    }

    /// Whoever owes a fine places nothing by themselves. `None` when they owe none.
    pub(super) fn places_in_debt(&self, held: &Held) -> Option<String> {
        let client = held.client_id.filter(|_| held.channel == "online")?;
        let (of, _) = self.fines.iter().find(|(_, fine)| fine.client == client && fine.blocks())?;
        Some(format!("{} is placed by client {client}, who owes the fine of {of}", held.reservation_id))
    }

    /// What fines were paid with, and was not given back, is of the reservation they were for.
    pub(super) fn attribute_fines(&mut self) {
        let settling = self.payments.iter().filter(|(_, payment)| payment.settles > 0);
        let kept: Vec<_> =
            settling.map(|(id, payment)| (payment.reservation, payment.of_fine(self.going_back(*id)))).collect();
        for (reservation, amount) in kept {
            self.reservations.entry(reservation).or_default().fines += amount;
        }
    }
}
