//! Where checks bring what they saw: counts per check, and violations with their circumstances.

use crate::{
    history::{self, History, Record},
    input::Input,
    verdict::{Check, KEPT, KEPT_OF_ONE, Outcome, Verdict, Violation},
};

/// Records of what was done to the engine that are shown before and after a violation.
const BEFORE: usize = 4;
const AFTER: usize = 2;
/// Records of a key or call that are shown.
const TOLD: usize = 24;

/// What is wrong, before its circumstances are looked up.
#[derive(Debug, Default)]
pub struct Objection {
    said: String,
    position: Option<i64>,
    call: Option<u64>,
    key: Option<String>,
}

impl Objection {
    pub fn new(said: impl Into<String>) -> Self {
        Self { said: said.into(), ..Self::default() }
    }

    /// The event it is about.
    pub fn at(self, position: i64) -> Self {
        Self { position: Some(position), ..self }
    }

    /// The call it is about.
    pub fn by(self, call: u64) -> Self {
        Self { call: Some(call), ..self }
    }

    /// The idempotency key it is about.
    pub fn of(self, key: Option<&str>) -> Self {
        Self { key: key.map(str::to_owned), ..self }
    }
}

/// Collects what the checks say.
#[derive(Debug)]
pub struct Court<'a> {
    history: &'a History,
    checks: Vec<Check>,
    violations: Vec<Violation>,
    broken: u64,
}

impl<'a> Court<'a> {
    pub fn new(history: &'a History) -> Self {
        Self { history, checks: Vec::new(), violations: Vec::new(), broken: 0 }
    }

    /// What the clients recorded.
    pub fn history(&self) -> &'a History {
        self.history
    }

    /// A check looked at so many (more) things. Checks are shown in the order in which they first said so.
    pub fn saw(&mut self, name: &'static str, looked_at: usize) {
        let looked_at = looked_at as u64;
        match self.checks.iter_mut().find(|check| check.name == name) {
            Some(check) => check.looked_at += looked_at,
            None => self.checks.push(Check { name, looked_at, violations: 0 }),
        }
    }

    /// A check found something wrong.
    pub fn object(&mut self, name: &'static str, objection: Objection) {
        self.saw(name, 0);
        let mut of_this = 0;
        if let Some(check) = self.checks.iter_mut().find(|check| check.name == name) {
            check.violations += 1;
            of_this = check.violations;
        }
        self.broken += 1;
        if self.violations.len() < KEPT && of_this <= KEPT_OF_ONE {
            let violation = self.with_circumstances(name, objection);
            self.violations.push(violation);
        }
    }

    fn with_circumstances(&self, check: &'static str, objection: Objection) -> Violation {
        let Objection { said, position, call, key } = objection;
        let history: Vec<Record> = self
            .history
            .records
            .iter()
            .filter(|record| {
                call.is_some() && record.call == call || key.is_some() && record.key.as_deref() == key.as_deref()
            })
            .take(TOLD)
            .cloned()
            .collect();
        let told = position.and_then(|position| self.history.told_by(position));
        let moment = history.last().map(|record| record.n).or(told);
        Violation { check, said, position, call, around: self.around(moment), history }
    }

    fn around(&self, moment: Option<u64>) -> Vec<Record> {
        let faults: Vec<&Record> = self.history.faults().collect();
        let place = moment.map_or(faults.len(), |n| faults.partition_point(|fault| fault.n <= n));
        let (from, to) = (place.saturating_sub(BEFORE), (place + AFTER).min(faults.len()));
        faults.get(from..to).unwrap_or_default().iter().map(|record| (*record).clone()).collect()
    }

    /// Everything has been said.
    pub fn close(self, input: &Input) -> Verdict {
        let told = self.history;
        let looked_at = |name: &str| self.checks.iter().find(|check| check.name == name).map_or(0, |c| c.looked_at);
        let mut reasons = told.problems.clone();
        if told.torn {
            reasons.push("the last line of the history is torn: the trial itself died".to_owned());
        }
        let whole = reasons.is_empty();
        // A run in which nothing was acknowledged shows nothing.
        for name in ["acknowledged.place", "rebuild.equal"] {
            if looked_at(name) == 0 {
                reasons.push(format!("{name} had nothing to look at"));
            }
        }
        let outcome = match (whole, self.broken, reasons.is_empty()) {
            (false, ..) | (true, 0, false) => Outcome::Unknown,
            (true, 0, true) => Outcome::Valid,
            (true, ..) => Outcome::Invalid,
        };
        let count = |outcome| told.calls.iter().filter(|call| call.outcome == outcome).count() as u64;
        Verdict {
            outcome,
            seed: input.stage.seed,
            events: input.log.last().map_or(0, |event| event.position),
            calls: told.calls.len() as u64,
            acknowledged: count(history::Outcome::Ok),
            refused: count(history::Outcome::Fail),
            uncertain: count(history::Outcome::Maybe),
            faults: told.faults().count() as u64,
            broken: self.broken,
            reasons,
            checks: self.checks,
            violations: self.violations,
        }
    }
}
