//! Who is let in, who waits, who is sent away: without a clock of its own, without tasks.
//!
//! A short queue takes up what comes at once. Past half of it the newest goes first: the oldest has waited longest and its
//! caller is the likeliest to be gone. While the queue has not been empty for as long as anybody may wait, there is no end of
//! it in sight, and whoever waits is sent away after a few milliseconds instead (adaptive LIFO and controlled delay: Maurer,
//! "Fail at Scale", ACM Queue 2015, after Nichols and Jacobson's CoDel): what is answered is answered soon, and so is who is
//! not. That is over when fewer than one in five was sent away: not when nobody happens to wait, or the long queue would be
//! there again at once; nor only when nobody is sent away, for so short a queue sends somebody away at any load.

use std::collections::VecDeque;

use super::class::{CLASSES, Class};

/// The longest anybody waits, in microseconds (reliability.md §5.2).
pub const LONGEST_WAIT: u64 = 100_000;
/// How long while there is no end in sight.
const SHORT_WAIT: u64 = 5_000;
/// Who may wait at once: a crowd that comes for one slot, and no more.
const MOST_WAITING: usize = 1_024;

/// What becomes of one who comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Is let in.
    In,
    /// Waits so many microseconds at most; `instead_of` one who is sent away at once.
    Waits { ticket: u64, patience: u64, instead_of: Option<u64> },
    /// Is sent away.
    Refused,
}

/// The places of one process, and who waits for one.
#[derive(Debug, Default)]
pub struct Gate {
    in_hand: usize,
    waiting: [VecDeque<u64>; CLASSES],
    /// In all of them.
    count: usize,
    tickets: u64,
    /// When nobody waited, last.
    empty: u64,
    /// No end is in sight.
    lasts: bool,
    look: Look,
}

/// Who came lately, and who of them was sent away.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    since: u64,
    came: u32,
    refused: u32,
}

impl Gate {
    /// Worked on now.
    pub const fn in_hand(&self) -> usize {
        self.in_hand
    }

    /// Who waits now.
    #[cfg(test)]
    pub const fn waiting(&self) -> usize {
        self.count
    }

    /// Somebody comes while there are so many places.
    pub fn arrive(&mut self, class: Class, places: usize, now: u64) -> Arrival {
        if self.count == 0 {
            self.empty = now;
        }
        self.look_up(now);
        self.look.came += 1;
        if self.in_hand < class.places(places) {
            self.in_hand += 1;
            return Arrival::In;
        }
        let mut instead_of = None;
        if self.count >= self.room(places) {
            instead_of = self.lowest_below(class);
            self.look.refused += 1;
            if instead_of.is_none() {
                return Arrival::Refused;
            }
        } else {
            self.count += 1;
        }
        let ticket = self.tickets;
        self.tickets = self.tickets.wrapping_add(1);
        self.waiting[class.index()].push_back(ticket);
        let patience = if self.lasts { SHORT_WAIT } else { LONGEST_WAIT };
        Arrival::Waits { ticket, patience, instead_of }
    }

    /// Counts somebody who comes, when they would be refused, and says whether they are: anybody else still has to
    /// [`Self::arrive`].
    pub fn turns_away(&mut self, class: Class, places: usize, now: u64) -> bool {
        if self.count == 0 {
            return false;
        }
        self.look_up(now);
        let goes_before = || self.waiting[..class.index()].iter().any(|waiting| !waiting.is_empty());
        if self.in_hand < class.places(places) || self.count < self.room(places) || goes_before() {
            return false;
        }
        self.look.came += 1;
        self.look.refused += 1;
        true
    }

    /// Somebody who was let in before, and stood aside, is back: they are never sent away, others wait the longer.
    pub const fn come_back(&mut self) {
        self.in_hand += 1;
    }

    /// Somebody is done.
    pub const fn leave(&mut self) {
        self.in_hand = self.in_hand.saturating_sub(1);
    }

    /// The next to be let in, if anybody may be. They are in hand from now on.
    pub fn next(&mut self, places: usize, now: u64) -> Option<u64> {
        let newest = self.count * 2 > self.room(places);
        for class in Class::ALL.into_iter().rev() {
            let waiting = &mut self.waiting[class.index()];
            if waiting.is_empty() {
                continue;
            }
            if self.in_hand >= class.places(places) {
                return None;
            }
            let ticket = if newest { waiting.pop_back() } else { waiting.pop_front() };
            self.in_hand += 1;
            self.fewer(now);
            return ticket;
        }
        None
    }

    /// Somebody waits no more; whether they did until now.
    pub fn give_up(&mut self, class: Class, ticket: u64, now: u64) -> bool {
        let waiting = &mut self.waiting[class.index()];
        // They are in the order of their numbers.
        let Ok(at) = waiting.binary_search(&ticket) else { return false };
        waiting.remove(at);
        self.look.refused += 1;
        self.fewer(now);
        true
    }

    fn fewer(&mut self, now: u64) {
        self.count -= 1;
        if self.count == 0 {
            self.empty = now;
        }
    }

    /// Whether there is an end in sight: none when the queue has been there for as long as anybody may wait.
    fn look_up(&mut self, now: u64) {
        if !self.lasts && now.saturating_sub(self.empty) > LONGEST_WAIT {
            (self.lasts, self.look) = (true, Look { since: now, ..Look::default() });
        }
        if now.saturating_sub(self.look.since) > LONGEST_WAIT {
            if self.lasts && self.look.refused * 5 <= self.look.came {
                (self.lasts, self.empty) = (false, now);
            }
            self.look = Look { since: now, ..Look::default() };
        }
    }

    /// Who may wait: when there is no end in sight only so many that no place stays free. Whoever waits and is refused all the
    /// same costs more than who is refused at once.
    fn room(&self, places: usize) -> usize {
        if self.lasts { (places / 4).clamp(2, MOST_WAITING) } else { MOST_WAITING }
    }

    /// The oldest of the lowest class that waits, below this one.
    fn lowest_below(&mut self, class: Class) -> Option<u64> {
        self.waiting[..class.index()].iter_mut().find_map(VecDeque::pop_front)
    }
}

#[cfg(test)]
mod tests;
