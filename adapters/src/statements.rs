//! Statements of providers as files: one day of one account as CSV, read wholly or not at all.
//!
//! Two forms of each provider are known: the canonical one (docs/reconciliation.md), and its own words, as far as it has
//! published any (providers.md §1.4, §2a, §3.1, §3.2). A file that is wrong somewhere is refused with the lines that are.

mod canonical;
mod cells;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod own;
mod table;

use chrono::NaiveDate;
use domain::{
    Timestamp,
    payment::ProviderId,
    phone::{Phone, PhoneHash},
    reconciliation::{Line, Listing, Provider},
};
use thiserror::Error;

use self::{cells::Row, table::Table};
pub(crate) use self::{
    cells::whole,
    own::{SONATEL_STATES, SONATEL_TYPES, WAVE_TYPES},
};

/// Bytes of a file at most.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Lines of a file at most, without the header.
pub const MOST_LINES: usize = 20_000;
/// Faults that are told at most: whoever has a hundred has the wrong file.
pub const MOST_FAULTS: usize = 100;

/// A line of a statement, with the number that nobody writes down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub listing: Listing,
    /// Another id of it that we may know: the checkout it was paid in.
    pub checkout: Option<ProviderId>,
    /// Whose wallet was on the other side. Personal.
    pub number: Option<Phone>,
}

impl Listed {
    /// As it is compared.
    pub fn line(self, hash: impl FnOnce(&Phone) -> PhoneHash) -> Line {
        Line { listing: self.listing, checkout: self.checkout, number: self.number.as_ref().map(hash) }
    }
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {}{what}", column.map(|column| format!("{column} ")).unwrap_or_default())]
pub struct Fault {
    /// From 1, the header included.
    pub line: u64,
    /// The column, in the words of the file's form.
    pub column: Option<&'static str>,
    pub what: What,
}

/// What may be wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum What {
    #[error("is not UTF-8")]
    NotText,
    #[error("there is no header")]
    Empty,
    #[error("is no CSV: {0}")]
    NotCsv(String),
    #[error("is a column that is missing")]
    NoColumn,
    #[error("has a column that is not known: {0:?}")]
    UnknownColumn(String),
    #[error("names a column twice: {0:?}")]
    ColumnTwice(String),
    #[error("has {found} fields, and the header {header}")]
    Fields { found: usize, header: usize },
    #[error("is empty")]
    Nothing,
    #[error("is not a whole number of the smallest unit, such as 15000")]
    NotWhole,
    #[error("is out of range")]
    OutOfRange,
    #[error("is not a currency that is known: XOF or EUR")]
    NotCurrency,
    #[error("is not an identifier: 1 to 120 visible characters")]
    NotId,
    #[error("is not a time, such as 2026-11-28T18:00:00Z")]
    NotTime,
    #[error("is not a word that is known here: {0:?}")]
    NotWord(String),
    #[error("has the wrong sign for what it is")]
    WrongWay,
    #[error("is of another day: {0}")]
    AnotherDay(Timestamp),
    #[error("is the same as line {0}")]
    Same(u64),
    #[error("has more than {MOST_LINES} lines after it, or the file more than {MOST_BYTES} bytes")]
    TooMuch,
}

impl Fault {
    const fn of(line: u64, what: What) -> Self {
        Self { line, column: None, what }
    }

    const fn at(line: u64, column: &'static str, what: What) -> Self {
        Self { line, column: Some(column), what }
    }
}

/// Reads the statement of a day.
///
/// # Errors
/// All faults of the file, [`MOST_FAULTS`] at most, in the order of its lines: nothing of it counts.
pub fn read(provider: Provider, day: NaiveDate, file: &[u8]) -> Result<Vec<Listed>, Vec<Fault>> {
    let table = Table::read(file).map_err(|fault| vec![fault])?;
    let form = if canonical::is(&table) { canonical::FORM } else { own::of(provider) };
    let columns = table.columns(&form)?;
    let (mut lines, mut faults) = (Vec::with_capacity(table.rows.len()), Vec::new());
    for row in &table.rows {
        match Row::new(row, &columns).and_then(|row| within(day, row.line, (form.read)(provider, &row)?)) {
            Ok(listed) => lines.push(listed),
            Err(fault) => faults.push(fault),
        }
    }
    faults.extend(table.same());
    faults.sort_by_key(|fault| fault.line);
    faults.truncate(MOST_FAULTS);
    if faults.is_empty() { Ok(lines) } else { Err(faults) }
}

fn within(day: NaiveDate, line: u64, listed: Listed) -> Result<Listed, Fault> {
    let at = listed.listing.at;
    if at.date_naive() == day { Ok(listed) } else { Err(Fault::of(line, What::AnotherDay(at))) }
}

/// A form of a file.
#[derive(Clone, Copy)]
struct Form {
    required: &'static [&'static str],
    optional: &'static [&'static str],
    /// Whether a column that is not known is a fault: providers add columns, our own form has none.
    closed: bool,
    read: fn(Provider, &Row<'_>) -> Result<Listed, Fault>,
}

#[cfg(test)]
mod tests;
