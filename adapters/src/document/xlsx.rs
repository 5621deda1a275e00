//! A workbook of one sheet.

use chrono::{Datelike, Timelike};
use chrono_tz::Tz;
use domain::{Timestamp, money::Money};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::{Cell, DocumentError, Kind, Table, plain, unit};

/// Above it a double no longer holds every whole number.
const EXACT: u64 = 1 << 53;
/// The most that the name of a sheet may have (Excel).
const NAME: usize = 31;

/// Facts, headings, rows, totals. Amounts and counts are numbers, text is never a formula.
///
/// # Errors
/// [`DocumentError::Xlsx`] beyond what a sheet holds (1 048 576 rows, 32 767 characters in a cell).
pub fn xlsx(table: &Table) -> Result<Vec<u8>, DocumentError> {
    let mut book = Workbook::new();
    let made_at = ExcelDateTime::from_timestamp(table.made_at.timestamp())?;
    book.set_properties(&DocProperties::new().set_title(&table.title).set_creation_datetime(&made_at));
    let sheet = book.add_worksheet();
    sheet.set_name(name(&table.title))?;
    let strong = Format::new().set_bold();
    sheet.write_string_with_format(0, 0, &table.title, &strong)?;
    let mut row = 1;
    for (word, said) in &table.facts {
        sheet.write_string(row, 0, word)?;
        sheet.write_string(row, 1, said)?;
        row += 1;
    }
    row += 1;
    for (index, column) in (0_u16..).zip(&table.columns) {
        let align = if column.kind == Kind::Text { FormatAlign::Left } else { FormatAlign::Right };
        sheet.write_string_with_format(row, index, &column.heading, &strong.clone().set_align(align))?;
        sheet.set_column_width(index, if column.kind == Kind::Text { 28 } else { 18 })?;
    }
    sheet.set_freeze_panes(row + 1, 0)?;
    sheet.set_repeat_rows(row, row)?;
    for (cells, format) in table
        .rows
        .iter()
        .map(|cells| (cells, Format::new()))
        .chain(table.totals.iter().map(|cells| (cells, strong.clone())))
    {
        row += 1;
        for (index, cell) in (0_u16..).zip(cells) {
            put(sheet, (row, index), cell, &format, table.zone)?;
        }
    }
    Ok(book.save_to_buffer()?)
}

fn put(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: &Cell,
    format: &Format,
    zone: Tz,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => {}
        Cell::Text(text) => drop(sheet.write_string_with_format(row, column, text, format)?),
        Cell::Money(money) => match number(*money) {
            Some((number, shown)) => {
                sheet.write_number_with_format(row, column, number, &format.clone().set_num_format(shown))?;
            }
            None => drop(sheet.write_string_with_format(row, column, plain(*money), format)?),
        },
        Cell::Count(count) => {
            let shown = format.clone().set_num_format("0");
            sheet.write_number_with_format(row, column, *count as f64, &shown)?;
        }
        Cell::Time(at) => {
            let shown = format.clone().set_num_format("dd/mm/yyyy hh:mm");
            sheet.write_datetime_with_format(row, column, local(*at, zone)?, &shown)?;
        }
    }
    Ok(())
}

/// A number and how it is shown; `None` when a double would not hold it.
fn number(money: Money) -> Option<(f64, &'static str)> {
    let shown = if money.currency.exponent() == 0 { "#,##0" } else { "#,##0.00" };
    (money.amount.unsigned_abs() <= EXACT).then(|| (money.amount as f64 / unit(money.currency) as f64, shown))
}

/// Sheets know no zones: the time on the wall.
fn local(at: Timestamp, zone: Tz) -> Result<ExcelDateTime, XlsxError> {
    let at = at.with_timezone(&zone);
    let year = u16::try_from(at.year()).unwrap_or(u16::MAX);
    ExcelDateTime::from_ymd(year, at.month() as u8, at.day() as u8)?.and_hms(
        at.hour() as u16,
        at.minute() as u8,
        at.second(),
    )
}

fn name(title: &str) -> String {
    let kept: String =
        title.chars().map(|c| if "[]:*?/\\'".contains(c) || c.is_control() { ' ' } else { c }).take(NAME).collect();
    let kept = kept.trim();
    if kept.is_empty() { "-".to_owned() } else { kept.to_owned() }
}
