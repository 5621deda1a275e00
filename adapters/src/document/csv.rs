//! CSV as RFC 4180 says: commas, CRLF, quotes where they are needed.

use super::{Cell, Table, machine_time, plain};

/// Spreadsheets take a cell that begins so for a formula (OWASP, CSV injection).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The table alone: headings, rows, totals. Amounts are plain numbers, times are RFC 3339.
///
/// It begins with a byte order mark: without one, Excel reads UTF-8 as the machine's own code page, and `é` as `Ã©`; programs
/// read it as `utf-8-sig`. Text that a spreadsheet would run as a formula gets an apostrophe in front. Numbers of ours
/// are numbers: `-1200` stays one.
pub fn csv(table: &Table) -> Vec<u8> {
    let mut out = String::from('\u{feff}');
    line(&mut out, table.columns.iter().map(|column| harmless(&column.heading)));
    for row in table.rows.iter().chain(&table.totals) {
        line(
            &mut out,
            row.iter().map(|cell| match cell {
                Cell::Empty => String::new(),
                Cell::Text(text) => harmless(text),
                Cell::Money(money) => plain(*money),
                Cell::Count(count) => count.to_string(),
                Cell::Time(at) => machine_time(*at, table.zone),
            }),
        );
    }
    out.into_bytes()
}

fn harmless(text: &str) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
}

fn line(out: &mut String, fields: impl Iterator<Item = String>) {
    for (nth, field) in fields.enumerate() {
        if nth > 0 {
            out.push(',');
        }
        if field.contains([',', '"', '\r', '\n']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&field);
        }
    }
    out.push_str("\r\n");
}
