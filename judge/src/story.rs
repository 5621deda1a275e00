//! Every reservation and payment, folded from the log: what it was at each position.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    event::{Event, Fact, Slot, Time},
    machine::{self, ABSENT},
};

/// A reservation from one position on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    pub position: i64,
    pub status: &'static str,
    pub pitch: Uuid,
    pub starts_at: Time,
    pub ends_at: Time,
}

/// A reservation with its past.
#[derive(Clone, Debug)]
pub struct Booking {
    pub id: Uuid,
    pub site: Uuid,
    pub placed_by: String,
    /// When it was held.
    pub held_at: Time,
    /// When it stopped taking its cells; `None` while it does.
    pub freed_at: Option<Time>,
    /// In the order of the log; never empty.
    pub points: Vec<Point>,
}

impl Booking {
    /// As it was when the log had this many events; `None` before its first.
    pub fn at(&self, position: i64) -> Option<&Point> {
        let later = self.points.partition_point(|point| point.position <= position);
        self.points.get(later.checked_sub(1)?)
    }

    /// As it was placed.
    pub fn first(&self) -> Option<&Point> {
        self.points.first()
    }

    /// As it is at the end of the log.
    pub fn last(&self) -> Option<&Point> {
        self.points.last()
    }

    /// Whether its cells are its own in this status.
    pub fn takes_cells(status: &str) -> bool {
        matches!(status, "held" | "confirmed" | "checked_in")
    }
}

/// A payment as the log ends.
#[derive(Clone, Debug)]
pub struct Paying {
    pub id: Uuid,
    pub status: &'static str,
    /// Position of its last event.
    pub position: i64,
}

/// The whole log, by noun.
#[derive(Clone, Debug, Default)]
pub struct Story {
    pub bookings: HashMap<Uuid, Booking>,
    pub payments: HashMap<Uuid, Paying>,
    /// By our reference at the provider.
    pub references: HashMap<String, Uuid>,
    /// Position of the last event.
    pub head: i64,
    /// When the last event was recorded.
    pub now: Option<Time>,
}

impl Story {
    pub fn of(log: &[Event]) -> Self {
        let mut story = Self::default();
        for event in log {
            story.head = event.position;
            story.now = Some(event.recorded_at);
            if event.name.starts_with("reservation.") {
                story.book(event);
            } else if event.name.starts_with("payment.") {
                story.pay(event);
            }
        }
        story
    }

    /// Bookings in the order in which they were placed.
    pub fn in_order(&self) -> Vec<&Booking> {
        let mut bookings: Vec<&Booking> = self.bookings.values().collect();
        bookings.sort_unstable_by_key(|booking| booking.points.first().map(|point| point.position));
        bookings
    }

    fn book(&mut self, event: &Event) {
        let Some(id) = event.fact.stream() else { return };
        if let Fact::Held(held) = &event.fact {
            let point = point(event.position, machine::next(ABSENT, &event.name), &held.slot);
            let booking = Booking {
                id,
                site: held.slot.site_id,
                placed_by: held.placed_by.role.clone(),
                held_at: event.recorded_at,
                freed_at: None,
                points: vec![point],
            };
            // A second hold of one stream is for the state machine to object to.
            self.bookings.entry(id).or_insert(booking);
            return;
        }
        let Some(booking) = self.bookings.get_mut(&id) else { return };
        let Some(mut point_now) = booking.points.last().cloned() else { return };
        point_now.position = event.position;
        point_now.status = machine::next(point_now.status, &event.name);
        if let Fact::Rescheduled(moved) = &event.fact {
            point_now = point(event.position, point_now.status, &moved.to);
        }
        let takes = Booking::takes_cells(point_now.status);
        booking.freed_at = if takes { None } else { booking.freed_at.or(Some(event.recorded_at)) };
        booking.points.push(point_now);
    }

    fn pay(&mut self, event: &Event) {
        let Some(id) = event.fact.stream() else { return };
        if let Fact::PaymentRequested(requested) = &event.fact {
            self.references.insert(requested.reference.clone(), id);
            self.payments.insert(id, Paying { id, status: ABSENT, position: event.position });
        }
        if let Some(payment) = self.payments.get_mut(&id) {
            payment.status = machine::next(payment.status, &event.name);
            payment.position = event.position;
        }
    }
}

fn point(position: i64, status: &'static str, slot: &Slot) -> Point {
    let Slot { pitch_id, during, .. } = slot;
    Point { position, status, pitch: *pitch_id, starts_at: during.from, ends_at: during.to }
}
