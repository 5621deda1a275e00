//! A table on A4: headings on every page, amounts to the right, long words broken, nothing cut off.

use chrono_tz::Tz;

use super::{
    Align, Cell, DocumentError, Face, Kind, Paper, Sheet, Table, reader_time,
    sheet::Face::{Bold, Regular},
    spaced,
};

const MARGIN: f32 = 40.0;
const FOOT: f32 = 48.0;
const GAP: f32 = 8.0;
const SIZE: f32 = 8.5;
const LINE: f32 = 12.0;
/// Points on a side of a QR code.
const CODE: f32 = 130.0;

/// The table and its facts, and its QR code at the end. Lying when it has more than five columns.
///
/// # Errors
/// [`DocumentError`] when it is too long, or the QR code would hold too much.
pub fn pdf(table: &Table) -> Result<Vec<u8>, DocumentError> {
    let paper = if table.columns.len() > 5 { Paper::Lying } else { Paper::Upright };
    let mut press =
        Press { sheet: Sheet::new(paper), table, left: left_edges(table, paper), y: paper.height() - MARGIN };
    press.head();
    press.headings();
    for row in &table.rows {
        press.row(row, Regular)?;
    }
    if !table.totals.is_empty() {
        press.rule();
    }
    for row in &table.totals {
        press.row(row, Bold)?;
    }
    press.code()?;
    let (page, of) = &table.page_words;
    press.sheet.finish(&table.title, (page, of), table.made_at)
}

struct Press<'a> {
    sheet: Sheet,
    table: &'a Table,
    /// Left edge and width of each column.
    left: Vec<(f32, f32)>,
    y: f32,
}

impl Press<'_> {
    fn head(&mut self) {
        self.y -= 14.0;
        self.sheet.text((MARGIN, self.y), Align::Left, Bold, 14.0, &self.table.title);
        self.y -= 6.0;
        for (word, said) in &self.table.facts {
            let (x, room) = (MARGIN + 130.0, self.width() - 130.0);
            self.y -= LINE;
            self.sheet.text((MARGIN, self.y), Align::Left, Regular, SIZE, word);
            for (nth, line) in wrap(said, Regular, room).iter().enumerate() {
                if nth > 0 {
                    self.y -= LINE;
                }
                self.sheet.text((x, self.y), Align::Left, Regular, SIZE, line);
            }
        }
        self.y -= LINE;
    }

    fn width(&self) -> f32 {
        paper(self.table).width() - 2.0 * MARGIN
    }

    fn rule(&mut self) {
        self.y -= 3.0;
        let length = self.width();
        self.sheet.rule((MARGIN, self.y), length);
    }

    fn headings(&mut self) {
        let lines: Vec<Vec<String>> = self
            .table
            .columns
            .iter()
            .zip(&self.left)
            .map(|(column, (_, width))| wrap(&column.heading, Bold, *width))
            .collect();
        self.lines(&lines, Bold);
        self.rule();
    }

    fn row(&mut self, cells: &[Cell], face: Face) -> Result<(), DocumentError> {
        let zone = self.table.zone;
        let lines: Vec<Vec<String>> =
            cells.iter().zip(&self.left).map(|(cell, (_, width))| wrap(&shown(cell, zone), face, *width)).collect();
        let height = lines.iter().map(Vec::len).max().unwrap_or(1) as f32 * LINE;
        if self.y - height < FOOT {
            self.turn()?;
        }
        self.lines(&lines, face);
        Ok(())
    }

    fn turn(&mut self) -> Result<(), DocumentError> {
        self.sheet.turn()?;
        self.y = paper(self.table).height() - MARGIN;
        self.headings();
        Ok(())
    }

    fn lines(&mut self, cells: &[Vec<String>], face: Face) {
        for (nth, ((lines, column), (left, width))) in cells.iter().zip(&self.table.columns).zip(&self.left).enumerate()
        {
            // The word "total" in the first column is text, whatever the column holds.
            let align = if column.kind == Kind::Text || nth == 0 { Align::Left } else { Align::Right };
            let x = if align == Align::Left { *left } else { left + width };
            for (line, text) in lines.iter().enumerate() {
                self.sheet.text((x, self.y - (line + 1) as f32 * LINE), align, face, SIZE, text);
            }
        }
        self.y -= cells.iter().map(Vec::len).max().unwrap_or(1) as f32 * LINE;
    }

    fn code(&mut self) -> Result<(), DocumentError> {
        let Some(code) = &self.table.code else { return Ok(()) };
        if self.y - CODE - 2.0 * LINE < FOOT {
            self.turn()?;
        }
        self.y -= CODE + LINE;
        self.sheet.qr((MARGIN, self.y), CODE, &code.text)?;
        self.y -= LINE;
        self.sheet.text((MARGIN, self.y), Align::Left, Regular, SIZE, &code.caption);
        Ok(())
    }
}

fn paper(table: &Table) -> Paper {
    if table.columns.len() > 5 { Paper::Lying } else { Paper::Upright }
}

fn shown(cell: &Cell, zone: Tz) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Money(money) => spaced(*money),
        Cell::Count(count) => count.to_string(),
        Cell::Time(at) => reader_time(*at, zone),
    }
}

/// Numbers get the room they need; text shares what is left, as it needs it.
fn left_edges(table: &Table, paper: Paper) -> Vec<(f32, f32)> {
    let rows = || table.rows.iter().chain(&table.totals);
    let needs: Vec<f32> = table
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            // Headings wrap between words; their longest word does not.
            let heading = column.heading.split(' ').map(|word| Sheet::width(word, Bold, SIZE)).fold(0.0, f32::max);
            let cells = rows().filter_map(|row| row.get(index)).map(|cell| match (column.kind, cell) {
                (Kind::Text, cell) => Sheet::width(&shown(cell, table.zone), Bold, SIZE),
                // A word among numbers wraps.
                (_, Cell::Text(_)) => 40.0,
                (_, cell) => Sheet::width(&shown(cell, table.zone), Bold, SIZE),
            });
            cells.fold(heading, f32::max).max(20.0)
        })
        .collect();
    let room = paper.width() - 2.0 * MARGIN - GAP * (needs.len().saturating_sub(1)) as f32;
    let of = |text: bool| -> f32 {
        table
            .columns
            .iter()
            .zip(&needs)
            .filter(|(column, _)| (column.kind == Kind::Text) == text)
            .map(|(_, need)| need)
            .sum()
    };
    let (texts, numbers) = (of(true), of(false));
    let text_scale = if texts > 0.0 { ((room - numbers).max(30.0) / texts).min(1.0) } else { 1.0 };
    let spare = (room - numbers - texts * text_scale).max(0.0) / needs.len().max(1) as f32;
    let mut x = MARGIN;
    let mut edges = Vec::with_capacity(needs.len());
    for (column, need) in table.columns.iter().zip(needs) {
        let width = need * if column.kind == Kind::Text { text_scale } else { 1.0 } + spare;
        edges.push((x, width));
        x += width + GAP;
    }
    edges
}

/// Lines that fit: broken between words, and inside a word that is wider than the column. Never empty.
fn wrap(text: &str, face: Face, room: f32) -> Vec<String> {
    let fits = |line: &str| Sheet::width(line, face, SIZE) <= room + 0.01;
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let joined = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if fits(&joined) {
            line = joined;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            line.push(c);
            if !fits(&line) && line.chars().count() > 1 {
                line.pop();
                lines.push(std::mem::take(&mut line));
                line.push(c);
            }
        }
    }
    lines.push(line);
    lines
}
