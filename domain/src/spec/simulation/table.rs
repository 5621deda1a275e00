//! Tables that can be read as they are and pasted into a page.

use std::fmt::{Display, Formatter, Result};

/// Cells by row; the first row is the head. All columns but the first ones, of words, are of figures.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    words: usize,
}

impl Table {
    pub(super) fn new<const N: usize>(words: usize, head: [&str; N]) -> Self {
        Self { rows: vec![head.map(String::from).to_vec()], words }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [&dyn Display; N]) {
        self.rows.push(cells.map(|cell| cell.to_string()).to_vec());
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let columns = self.rows[0].len();
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).max(3);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (nth, row) in self.rows.iter().enumerate() {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                if column < self.words {
                    write!(f, "| {cell:<width$} ")?;
                } else {
                    write!(f, "| {cell:>width$} ")?;
                }
            }
            writeln!(f, "|")?;
            if nth > 0 {
                continue;
            }
            for (column, width) in widths.iter().enumerate() {
                let line = "-".repeat(*width);
                write!(f, "{}", if column < self.words { format!("|-{line}-") } else { format!("|-{line}:") })?;
            }
            writeln!(f, "|")?;
        }
        Ok(())
    }
}
