//! One row, read cell by cell: strictly, so that nothing is guessed about money.

use chrono::NaiveDateTime;
use domain::{
    Timestamp,
    money::{Currency, Money},
    payment::{ProviderId, Reference},
    phone::Phone,
};

use super::{
    Fault, What,
    table::{Columns, Record},
};
use crate::phone;

pub(super) struct Row<'a> {
    pub line: u64,
    record: &'a Record,
    columns: &'a Columns,
}

impl<'a> Row<'a> {
    pub(super) fn new(record: &'a Record, columns: &'a Columns) -> Result<Self, Fault> {
        // Columns that are not known may be there or not; those that are must have a field.
        let header = columns.values().max().map_or(0, |last| last.saturating_add(1));
        let found = record.fields.len();
        if found < header {
            return Err(Fault::of(record.line, What::Fields { found, header }));
        }
        Ok(Self { line: record.line, record, columns })
    }

    /// `None` for a column that is not there, or an empty cell.
    pub(super) fn text(&self, column: &'static str) -> Option<&'a str> {
        let index = self.columns.get(column)?;
        self.record.fields.get(*index).filter(|text| !text.is_empty())
    }

    pub(super) fn need(&self, column: &'static str) -> Result<&'a str, Fault> {
        self.text(column).ok_or(self.fault(column, What::Nothing))
    }

    pub(super) const fn fault(&self, column: &'static str, what: What) -> Fault {
        Fault::at(self.line, column, what)
    }

    pub(super) fn id(&self, column: &'static str) -> Result<ProviderId, Fault> {
        ProviderId::new(self.need(column)?).map_err(|_| self.fault(column, What::NotId))
    }

    /// An id that need not be there.
    pub(super) fn other_id(&self, column: &'static str) -> Result<Option<ProviderId>, Fault> {
        let read = |text| ProviderId::new(text).map_err(|_| self.fault(column, What::NotId));
        self.text(column).map(read).transpose()
    }

    /// A reference that could be ours; whatever else stands there is somebody else's.
    pub(super) fn reference(&self, column: &'static str) -> Option<Reference> {
        self.text(column).and_then(|text| Reference::new(text).ok())
    }

    /// A number that can be read; some are told in part only.
    pub(super) fn number(&self, column: &'static str) -> Option<Phone> {
        self.text(column).and_then(|text| phone::parse(text).ok())
    }

    pub(super) fn currency(&self, column: &'static str) -> Result<Currency, Fault> {
        let name = self.need(column)?;
        let known = Currency::ALL.into_iter().find(|currency| currency.code() == name);
        known.ok_or(self.fault(column, What::NotCurrency))
    }

    /// Digits, with a minus perhaps: no point, no comma, no space. Money is never a fraction.
    pub(super) fn whole(&self, column: &'static str) -> Result<i64, Fault> {
        whole(self.need(column)?).map_err(|what| self.fault(column, what))
    }

    /// As [`Row::whole`]; nothing there is nothing.
    pub(super) fn whole_or_none(&self, column: &'static str) -> Result<i64, Fault> {
        self.text(column).map_or(Ok(0), whole).map_err(|what| self.fault(column, what))
    }

    /// With a zone, or without: Senegal keeps UTC all year.
    pub(super) fn at(&self, column: &'static str) -> Result<Timestamp, Fault> {
        let text = self.need(column)?;
        let local = || {
            let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%d-%m-%Y %H:%M:%S"];
            forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        };
        let read = text.parse().ok().or_else(|| local().map(|at| at.and_utc()));
        read.ok_or(self.fault(column, What::NotTime))
    }

    /// One of the words of a column.
    pub(super) fn word<T: Copy>(&self, column: &'static str, known: &[(&str, T)]) -> Result<T, Fault> {
        let said = self.need(column)?;
        let found = known.iter().find(|(word, _)| *word == said).map(|(_, meaning)| *meaning);
        found.ok_or_else(|| self.fault(column, What::NotWord(said.chars().take(40).collect())))
    }
}

pub(crate) fn whole(text: &str) -> Result<i64, What> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(What::NotWhole);
    }
    let number = text.parse::<i64>().map_err(|_| What::OutOfRange)?;
    if (-Money::MAX..=Money::MAX).contains(&number) { Ok(number) } else { Err(What::OutOfRange) }
}
