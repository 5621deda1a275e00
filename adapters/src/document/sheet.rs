//! Pages of a PDF, and what is drawn on them: text, rules, a QR code.

use std::io::Write;

use chrono::{Datelike, Timelike};
use domain::Timestamp;
use flate2::{Compression, write::ZlibEncoder};
use pdf_writer::{Content, Date, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use qrcode::{Color, EcLevel, QrCode};

use super::{DocumentError, letters};

/// Pages at most: references are 32 bits wide, and nobody reads more.
const MOST_PAGES: usize = 20_000;

/// A size of paper, in points: A4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    Upright,
    Lying,
}

/// Standard fonts, which are in no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    Regular,
    Bold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Begins at x.
    Left,
    /// Ends at x.
    Right,
}

/// A PDF being drawn, page by page. Points, from the lower left corner.
pub struct Sheet {
    paper: Paper,
    pages: Vec<Content>,
}

impl Paper {
    pub const fn width(self) -> f32 {
        match self {
            Self::Upright => 595.0,
            Self::Lying => 842.0,
        }
    }

    pub const fn height(self) -> f32 {
        match self {
            Self::Upright => 842.0,
            Self::Lying => 595.0,
        }
    }
}

impl Face {
    const fn name(self) -> Name<'static> {
        match self {
            Self::Regular => Name(b"R"),
            Self::Bold => Name(b"B"),
        }
    }
}

impl Sheet {
    /// With one page.
    pub fn new(paper: Paper) -> Self {
        Self { paper, pages: vec![Content::new()] }
    }

    /// Goes on, on another page.
    ///
    /// # Errors
    /// [`DocumentError::TooLong`].
    pub fn turn(&mut self) -> Result<(), DocumentError> {
        if self.pages.len() >= MOST_PAGES {
            return Err(DocumentError::TooLong);
        }
        self.pages.push(Content::new());
        Ok(())
    }

    /// How wide a text is.
    pub fn width(text: &str, face: Face, size: f32) -> f32 {
        letters::width(&letters::encode(text), face, size)
    }

    /// One line of text on the last page.
    pub fn text(&mut self, (x, y): (f32, f32), align: Align, face: Face, size: f32, text: &str) {
        if let Some(page) = self.pages.last_mut() {
            write(page, (x, y), align, face, size, text);
        }
    }

    /// A thin horizontal line.
    pub fn rule(&mut self, (x, y): (f32, f32), length: f32) {
        if let Some(page) = self.pages.last_mut() {
            page.set_line_width(0.5).move_to(x, y).line_to(x + length, y).stroke();
        }
    }

    /// A QR code whose lower left corner is at `(x, y)`, `side` wide, its quiet zone included. Medium error correction.
    ///
    /// # Errors
    /// [`DocumentError::Qr`] when the text is too long.
    pub fn qr(&mut self, (x, y): (f32, f32), side: f32, text: &str) -> Result<(), DocumentError> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M)?;
        let Some(page) = self.pages.last_mut() else { return Ok(()) };
        let (width, colors) = (code.width(), code.to_colors());
        let module = side / (width + 8) as f32;
        for (row, line) in colors.chunks(width).enumerate() {
            let mut column = 0;
            while column < line.len() {
                // Dark modules side by side are one rectangle: fewer of them, and no hairlines between.
                let run = line.iter().skip(column).take_while(|color| **color == Color::Dark).count();
                if run > 0 {
                    let left = x + (column + 4) as f32 * module;
                    let bottom = y + side - (row + 5) as f32 * module;
                    page.rect(left, bottom, run as f32 * module, module);
                }
                column += run.max(1);
            }
        }
        page.fill_nonzero();
        Ok(())
    }

    /// The file, with `page n of m` at the foot of every page.
    ///
    /// # Errors
    /// Never: [`DocumentError`] is for what a later version may refuse.
    pub fn finish(
        mut self,
        title: &str,
        (page_word, of_word): (&str, &str),
        made_at: Timestamp,
    ) -> Result<Vec<u8>, DocumentError> {
        let count = self.pages.len();
        let middle = self.paper.width() - 40.0;
        for (nth, page) in self.pages.iter_mut().enumerate() {
            let foot = format!("{page_word} {} {of_word} {count}", nth + 1);
            write(page, (middle, 24.0), Align::Right, Face::Regular, 8.0, &foot);
        }
        let mut next = 1..;
        let mut fresh = || Ref::new(next.next().unwrap_or(i32::MAX));
        let (catalog, tree, regular, bold, info) = (fresh(), fresh(), fresh(), fresh(), fresh());
        let pages: Vec<(Ref, Ref, Vec<u8>)> =
            self.pages.into_iter().map(|page| (fresh(), fresh(), page.finish().to_vec())).collect();
        let mut pdf = Pdf::new();
        pdf.catalog(catalog).pages(tree);
        pdf.pages(tree).kids(pages.iter().map(|(page, ..)| *page)).count(i32::try_from(count).unwrap_or(i32::MAX));
        for (page_id, content_id, content) in &pages {
            let mut page = pdf.page(*page_id);
            page.media_box(Rect::new(0.0, 0.0, self.paper.width(), self.paper.height()));
            page.parent(tree).contents(*content_id);
            page.resources().fonts().pair(Face::Regular.name(), regular).pair(Face::Bold.name(), bold);
            page.finish();
            pdf.stream(*content_id, &deflated(content)).filter(Filter::FlateDecode);
        }
        for (id, name) in [(regular, &b"Helvetica"[..]), (bold, b"Helvetica-Bold")] {
            pdf.type1_font(id).base_font(Name(name)).encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        pdf.document_info(info).title(TextStr(title)).creator(TextStr("Kalel")).creation_date(date(made_at));
        Ok(pdf.finish())
    }
}

fn write(page: &mut Content, (x, y): (f32, f32), align: Align, face: Face, size: f32, text: &str) {
    let encoded = letters::encode(text);
    let left = match align {
        Align::Left => x,
        Align::Right => x - letters::width(&encoded, face, size),
    };
    page.begin_text().set_font(face.name(), size).next_line(left, y).show(Str(&encoded)).end_text();
}

/// Writing into memory does not fail.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

fn date(at: Timestamp) -> Date {
    // All of these fit: a month is at most 12, a second at most 59.
    let small = |value: u32| u8::try_from(value).unwrap_or_default();
    Date::new(u16::try_from(at.year()).unwrap_or_default())
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
}
