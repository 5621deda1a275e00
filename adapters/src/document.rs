//! Tables as documents: CSV for programs, XLSX for those who count on, PDF for those who print and sign.
//!
//! One [`Table`] makes all three, so they show the same numbers. The same table makes the same bytes: the time in a document
//! is the one that was passed in.

mod csv;
mod letters;
mod pdf;
mod sheet;
#[cfg(test)]
mod tests;
mod xlsx;

use chrono::SecondsFormat;
use chrono_tz::Tz;
use domain::{
    Timestamp,
    money::{Currency, Money},
};
use thiserror::Error;

pub use csv::csv;
pub use pdf::pdf;
pub use sheet::{Align, Face, Paper, Sheet};
pub use xlsx::xlsx;

/// Media types of the three forms.
pub const CSV: &str = "text/csv; charset=utf-8";
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
pub const PDF: &str = "application/pdf";

/// Why there is no document.
#[derive(Debug, Error)]
pub enum DocumentError {
    #[error("the sheet cannot be written: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    #[error("too much for a QR code: {0}")]
    Qr(#[from] qrcode::types::QrError),
    #[error("more pages than a PDF of ours may have")]
    TooLong,
}

/// What a column holds: how it is aligned and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Money,
    Count,
    Time,
}

/// A column and its heading, in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub heading: String,
    pub kind: Kind,
}

/// What stands in a row under a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Empty,
    Text(String),
    Money(Money),
    Count(i64),
    Time(Timestamp),
}

/// A QR code under a table, for a PDF alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    pub text: String,
    pub caption: String,
}

/// What a document shows. Every text is in the reader's language already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub title: String,
    /// Said above the table in XLSX and PDF: whose it is, for which time. CSV is the table alone.
    pub facts: Vec<(String, String)>,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// After the rows, and set apart from them where a form can.
    pub totals: Vec<Vec<Cell>>,
    pub code: Option<Code>,
    /// In which times are written.
    pub zone: Tz,
    /// `Page` and `of` in the reader's language.
    pub page_words: (String, String),
    pub made_at: Timestamp,
}

impl Column {
    pub fn new(heading: impl Into<String>, kind: Kind) -> Self {
        Self { heading: heading.into(), kind }
    }
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// As programs read it: `35000`, `-12.05`. Exact at any size; the currency stands in the heading or beside it.
pub fn plain(money: Money) -> String {
    let digits = money.amount.unsigned_abs().to_string();
    let sign = if money.amount < 0 { "-" } else { "" };
    match money.currency.exponent() as usize {
        0 => format!("{sign}{digits}"),
        exponent => {
            let digits = format!("{digits:0>width$}", width = exponent + 1);
            let (whole, part) = digits.split_at(digits.len() - exponent);
            format!("{sign}{whole}.{part}")
        }
    }
}

/// As people read it: `35 000`, its thousands set apart by spaces that do not break.
pub fn spaced(money: Money) -> String {
    let plain = plain(money);
    let (whole, part) = plain.split_once('.').map_or((plain.as_str(), None), |(whole, part)| (whole, Some(part)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut shown = sign.to_owned();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            shown.push('\u{a0}');
        }
        shown.push(digit);
    }
    if let Some(part) = part {
        shown.push(',');
        shown.push_str(part);
    }
    shown
}

/// `2026-11-27T18:00:00+00:00`, in the zone of the table.
fn machine_time(at: Timestamp, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// `27/11/2026 18:00`, in the zone of the table.
fn reader_time(at: Timestamp, zone: Tz) -> String {
    at.with_timezone(&zone).format("%d/%m/%Y %H:%M").to_string()
}

/// The exponent's unit: 1 for XOF, 100 for EUR.
const fn unit(currency: Currency) -> i64 {
    10_i64.pow(currency.exponent())
}
