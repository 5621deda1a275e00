//! A file as rows of fields, each with its line.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{Fault, Form, MOST_BYTES, MOST_LINES, What};

/// What some spreadsheets begin a file with.
const MARK: &str = "\u{feff}";

pub(super) struct Record {
    pub line: u64,
    pub fields: StringRecord,
}

pub(super) struct Table {
    pub header: Record,
    pub rows: Vec<Record>,
}

/// Where the columns of a form are in a file.
pub(super) type Columns = BTreeMap<&'static str, usize>;

impl Table {
    pub(super) fn read(file: &[u8]) -> Result<Self, Fault> {
        if file.len() > MOST_BYTES {
            return Err(Fault::of(1, What::TooMuch));
        }
        let text = std::str::from_utf8(file).map_err(|error| {
            let before = file.get(..error.valid_up_to()).unwrap_or_default();
            Fault::of(line_after(before), What::NotText)
        })?;
        let text = text.strip_prefix(MARK).unwrap_or(text);
        // A spreadsheet in French writes semicolons.
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let delimiter = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .trim(Trim::All)
            .from_reader(text.as_bytes());
        let mut records = Vec::new();
        for record in reader.records() {
            let fields = record.map_err(|error| {
                let line = error.position().map_or(1, csv::Position::line);
                Fault::of(line, What::NotCsv(error.to_string()))
            })?;
            let line = fields.position().map_or(1, csv::Position::line);
            if records.len() > MOST_LINES {
                return Err(Fault::of(line, What::TooMuch));
            }
            records.push(Record { line, fields });
        }
        let mut records = records.into_iter();
        let header = records.next().ok_or(Fault::of(1, What::Empty))?;
        Ok(Self { header, rows: records.collect() })
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.header.fields.iter().any(|name| name == column)
    }

    /// Where the columns of `form` are.
    pub(super) fn columns(&self, form: &Form) -> Result<Columns, Vec<Fault>> {
        let line = self.header.line;
        let (mut columns, mut faults) = (Columns::new(), Vec::new());
        let known = || form.required.iter().chain(form.optional);
        for (index, name) in self.header.fields.iter().enumerate() {
            match known().find(|known| **known == name) {
                Some(known) if columns.insert(*known, index).is_some() => {
                    faults.push(Fault::of(line, What::ColumnTwice(name.to_owned())));
                }
                None if form.closed => faults.push(Fault::of(line, What::UnknownColumn(name.to_owned()))),
                Some(_) | None => {}
            }
        }
        let missing = form.required.iter().filter(|name| !columns.contains_key(*name));
        faults.extend(missing.map(|name| Fault::at(line, name, What::NoColumn)));
        faults.truncate(super::MOST_FAULTS);
        if faults.is_empty() { Ok(columns) } else { Err(faults) }
    }

    /// Rows that repeat another one to the letter: a file that was put together twice. What a provider lists twice differs
    /// in something, and is a difference.
    pub(super) fn same(&self) -> Vec<Fault> {
        let mut seen: BTreeMap<Vec<&str>, u64> = BTreeMap::new();
        let mut faults = Vec::new();
        for row in &self.rows {
            match seen.get(&row.fields.iter().collect::<Vec<_>>()) {
                Some(first) => faults.push(Fault::of(row.line, What::Same(*first))),
                None => drop(seen.insert(row.fields.iter().collect(), row.line)),
            }
        }
        faults
    }
}

/// The line in which the bytes after `before` begin.
fn line_after(before: &[u8]) -> u64 {
    let ends = before.iter().filter(|byte| **byte == b'\n').count();
    u64::try_from(ends).unwrap_or(u64::MAX).saturating_add(1)
}
