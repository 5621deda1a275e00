//! What came of a world, or of many.

use std::collections::BTreeMap;

use super::{
    ends::{Case, Francs},
    faults::{Fault, Tally},
    open::Open,
    slow::Slow,
    table::Table,
};

/// How a payment ends that is in no open case.
const ENDS: [&str; 6] = [
    "confirmed",
    "confirmed; a part back or credited",
    "refunded",
    "credited",
    "handed out in cash",
    "never paid: ended",
];

#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    pub(super) worlds: u64,
    pub(super) payments: u64,
    pub(super) reservations: u64,
    pub(super) events: u64,
    pub(super) steps: u64,
    pub(super) most_alive: usize,
    /// Payments and francs by their end.
    pub(super) ends: BTreeMap<&'static str, (u64, i64)>,
    pub(super) cases: BTreeMap<Case, u64>,
    pub(super) francs: Francs,
    /// A quarter of an hour after the charge.
    pub(super) open: BTreeMap<Open, u64>,
    pub(super) charged: i64,
    /// Milliseconds from the charge, and from the approval of a refund, to rest.
    pub(super) rested: Vec<i32>,
    pub(super) refunds: Vec<i32>,
    /// How many, and the longest in seconds.
    pub(super) slower: BTreeMap<Slow, (u64, i64)>,
    pub(super) tally: Tally,
    pub(super) counts: BTreeMap<&'static str, u64>,
    pub(super) differences: u64,
    /// Lines that only a statement has: as counted, and as found in the end.
    pub(super) only_there: u64,
    pub(super) unseen: u64,
    /// By the events alone, and of all methods: owed to payers and not paid back yet, and credited to clients.
    pub(super) owed: i64,
    pub(super) credited: i64,
    /// Moving, or moved, at a provider that has not said so yet.
    pub(super) moving_in_cases: i64,
}

impl Report {
    pub(super) fn end(&mut self, name: &'static str, charged: i64, francs: &Francs, cases: &[Case]) {
        self.payments += 1;
        let end = self.ends.entry(name).or_default();
        (end.0, end.1) = (end.0 + 1, end.1 + charged);
        self.charged += charged;
        self.francs.add(francs);
        for case in cases {
            *self.cases.entry(*case).or_default() += 1;
        }
    }

    /// Ends that nobody came to.
    pub(super) fn missing_ends(&self) -> Vec<&'static str> {
        let ends = ENDS.into_iter().filter(|name| !self.ends.contains_key(name));
        let cases = Case::ALL.into_iter().filter(|case| !self.cases.contains_key(case)).map(Case::says);
        let open = Open::ALL.into_iter().filter(|open| !self.open.contains_key(open)).map(Open::says);
        ends.chain(cases).chain(open).collect()
    }

    pub(super) fn add(&mut self, other: Self) {
        self.worlds += 1;
        self.payments += other.payments;
        self.reservations += other.reservations;
        self.events += other.events;
        self.steps += other.steps;
        self.most_alive = self.most_alive.max(other.most_alive);
        for (name, (count, francs)) in other.ends {
            let end = self.ends.entry(name).or_default();
            (end.0, end.1) = (end.0 + count, end.1 + francs);
        }
        for (case, count) in other.cases {
            *self.cases.entry(case).or_default() += count;
        }
        self.francs.add(&other.francs);
        for (open, count) in other.open {
            *self.open.entry(open).or_default() += count;
        }
        self.charged += other.charged;
        self.rested.extend(other.rested);
        self.refunds.extend(other.refunds);
        for (slow, (count, longest)) in other.slower {
            let known = self.slower.entry(slow).or_default();
            *known = (known.0 + count, known.1.max(longest));
        }
        for (name, count) in other.counts {
            *self.counts.entry(name).or_default() += count;
        }
        self.tally.add(&other.tally);
        self.differences += other.differences;
        self.only_there += other.only_there;
        self.unseen += other.unseen;
    }
}

impl Francs {
    fn add(&mut self, other: &Self) {
        self.held += other.held;
        self.credit += other.credit;
        self.back += other.back;
        self.by_hand += other.by_hand;
        self.case += other.case;
        self.orphaned += other.orphaned;
    }
}

/// Of sorted milliseconds, in seconds with one digit behind the point.
fn seconds(sorted: &[i32], in_1000: usize) -> String {
    let nth = (sorted.len() * in_1000 / 1_000).min(sorted.len().saturating_sub(1));
    let millis = sorted.get(nth).copied().unwrap_or(0);
    format!("{}.{}", millis / 1_000, millis % 1_000 / 100)
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} payments of {} reservations in {} worlds", self.payments, self.reservations, self.worlds)?;
        writeln!(f, "{} events, {} steps, at most {} reservations alive\n", self.events, self.steps, self.most_alive)?;
        let mut ends = Table::new(1, ["end of a payment", "payments", "francs charged"]);
        for (name, (count, francs)) in &self.ends {
            ends.row([name, count, francs]);
        }
        writeln!(f, "{ends}")?;
        writeln!(f, "{}", self.of_francs())?;
        let mut cases = Table::new(1, ["open case", "times"]);
        for (case, count) in &self.cases {
            cases.row([&case.says(), count]);
        }
        writeln!(f, "{cases}")?;
        let mut times = Table::new(1, ["seconds to rest", "how many", "p50", "p99", "p99.9", "max"]);
        for (name, all) in [("from the charge", &self.rested), ("from the approval of a refund", &self.refunds)] {
            let mut sorted = all.clone();
            sorted.sort_unstable();
            let [half, most, nearly, all] = [500, 990, 999, 1_000].map(|part| seconds(&sorted, part));
            times.row([&name, &sorted.len(), &half, &most, &nearly, &all]);
        }
        writeln!(f, "{times}")?;
        let mut open = Table::new(1, ["open 15 min after the charge, or the approval", "times"]);
        for (name, count) in &self.open {
            open.row([&name.says(), count]);
        }
        writeln!(f, "{open}")?;
        let mut slower = Table::new(1, ["longer than 15 min to rest", "how many", "longest, s"]);
        for (slow, (count, longest)) in &self.slower {
            slower.row([&slow.says(), count, longest]);
        }
        writeln!(f, "{slower}")?;
        let mut faults = Table::new(2, ["fault", "what it was", "times"]);
        for fault in Fault::ALL {
            let (row, says) = fault.says();
            faults.row([&row, &says, &self.tally.of(fault)]);
        }
        writeln!(f, "{faults}")?;
        let mut also = Table::new(1, ["also", "times"]);
        for (name, count) in &self.counts {
            also.row([name, count]);
        }
        also.row([&"differences found in statements", &self.differences]);
        write!(f, "{also}")
    }
}

impl Report {
    fn of_francs(&self) -> Table {
        let Francs { held, credit, back, by_hand, case, orphaned } = self.francs;
        let mut francs = Table::new(1, ["francs", "how many"]);
        francs.row([&"charged by the providers", &self.charged]);
        francs.row([&"with a reservation that stands, or kept by the policy", &held]);
        francs.row([&"credit of the client", &credit]);
        francs.row([&"back by a provider", &back]);
        francs.row([&"handed out", &by_hand]);
        francs.row([&"in an open case", &case]);
        francs.row([&"orphaned", &orphaned]);
        francs
    }
}
