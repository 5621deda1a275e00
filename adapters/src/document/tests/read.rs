//! Readers of CSV, XLSX and PDF, as far as ours go.

use std::io::Read;

/// Rows of fields, by RFC 4180.
pub(crate) fn csv(bytes: &[u8]) -> Vec<Vec<String>> {
    let text = std::str::from_utf8(bytes).unwrap().strip_prefix('\u{feff}').unwrap();
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {
                chars.next();
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    assert!(!quoted && field.is_empty() && row.is_empty(), "the last line has an end");
    rows
}

fn le(bytes: &[u8], at: usize, len: usize) -> usize {
    bytes[at..at + len].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// A file of a ZIP archive, by its central directory (APPNOTE 4.3.12).
pub(crate) fn part(archive: &[u8], name: &str) -> String {
    let end = archive.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    let (count, mut at) = (le(archive, end + 10, 2), le(archive, end + 16, 4));
    for _ in 0..count {
        assert_eq!(&archive[at..at + 4], b"PK\x01\x02");
        let (method, packed) = (le(archive, at + 10, 2), le(archive, at + 20, 4));
        let (name_len, extra, comment) = (le(archive, at + 28, 2), le(archive, at + 30, 2), le(archive, at + 32, 2));
        let local = le(archive, at + 42, 4);
        if &archive[at + 46..at + 46 + name_len] == name.as_bytes() {
            let start = local + 30 + le(archive, local + 26, 2) + le(archive, local + 28, 2);
            let data = &archive[start..start + packed];
            let mut text = String::new();
            match method {
                0 => text.push_str(std::str::from_utf8(data).unwrap()),
                8 => drop(flate2::read::DeflateDecoder::new(data).read_to_string(&mut text).unwrap()),
                other => panic!("method {other}"),
            }
            return text;
        }
        at += 46 + name_len + extra + comment;
    }
    panic!("no {name}");
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    text.split(from).skip(1).filter_map(|rest| rest.split(to).next()).collect()
}

/// Rows of cells: six each, numbers as they are stored.
pub(crate) fn xlsx(book: &[u8]) -> Vec<Vec<String>> {
    let strings = part(book, "xl/sharedStrings.xml");
    let strings: Vec<String> = between(&strings, "<si>", "</si>")
        .iter()
        .map(|item| item.split_once('>').unwrap().1.split("</t>").next().unwrap().to_owned())
        .collect();
    let sheet = part(book, "xl/worksheets/sheet1.xml");
    let rows = between(&sheet, "<row ", "</row>");
    rows.iter()
        .map(|row| {
            let mut cells = Vec::new();
            for cell in row.split("<c ").skip(1) {
                let name = between(cell, "r=\"", "\"")[0];
                let column = usize::from(name.as_bytes()[0] - b'A');
                cells.resize(column, String::new());
                let value = between(cell, "<v>", "</v>").first().copied().unwrap_or_default();
                let is_text = cell.split('>').next().unwrap().contains("t=\"s\"");
                let value = if is_text { strings[value.parse::<usize>().unwrap()].clone() } else { value.to_owned() };
                cells.push(value);
            }
            cells
        })
        .collect()
}

/// The contents of every page.
fn pages(pdf: &[u8]) -> Vec<Vec<u8>> {
    assert!(pdf.starts_with(b"%PDF-1."));
    let find = |from: usize, what: &[u8]| pdf[from..].windows(what.len()).position(|w| w == what).map(|at| from + at);
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(start) = find(at, b"stream\n") {
        let end = find(start, b"endstream").unwrap();
        let mut page = Vec::new();
        flate2::read::ZlibDecoder::new(&pdf[start + 7..end]).read_to_end(&mut page).unwrap();
        out.push(page);
        at = end + 9;
    }
    out
}

const WIN_ANSI: &str = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ";

fn letter(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WIN_ANSI.chars().nth(usize::from(byte - 0x80)).unwrap(),
        byte => char::from(byte),
    }
}

/// Tokens of a page: strings with their letters, everything else as it stands.
fn tokens(page: &[u8]) -> Vec<(bool, String)> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < page.len() {
        match page[at] {
            b'(' => {
                let (mut text, mut depth) = (String::new(), 1);
                at += 1;
                loop {
                    match page[at] {
                        b'\\' => {
                            at += 1;
                            match page[at] {
                                b'0'..=b'7' => {
                                    let code = page[at..at + 3].iter().fold(0_u32, |n, d| n * 8 + u32::from(d - b'0'));
                                    text.push(letter(u8::try_from(code).unwrap()));
                                    at += 2;
                                }
                                escaped => text.push(char::from(escaped)),
                            }
                        }
                        b'(' => {
                            depth += 1;
                            text.push('(');
                        }
                        b')' => {
                            depth -= 1;
                            if depth == 0 {
                                break;
                            }
                            text.push(')');
                        }
                        byte => text.push(letter(byte)),
                    }
                    at += 1;
                }
                out.push((true, text));
                at += 1;
            }
            b'<' => {
                let end = at + page[at..].iter().position(|byte| *byte == b'>').unwrap();
                let hex: Vec<u8> = hex::decode(&page[at + 1..end]).unwrap();
                out.push((true, hex.into_iter().map(letter).collect()));
                at = end + 1;
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            _ => {
                let rest = &page[at..];
                let len = rest.iter().position(|b| b.is_ascii_whitespace() || b"(<".contains(b)).unwrap_or(rest.len());
                out.push((false, String::from_utf8_lossy(&rest[..len]).into_owned()));
                at += len;
            }
        }
    }
    out
}

/// What is written where: x, y, size, text.
fn texts(pdf: &[u8]) -> Vec<Vec<(f32, f32, f32, String)>> {
    pages(pdf)
        .iter()
        .map(|page| {
            let (mut size, mut place, mut numbers, mut found) = (0.0, (0.0, 0.0), Vec::<f32>::new(), Vec::new());
            for (is_text, token) in tokens(page) {
                match (is_text, token.as_str()) {
                    (true, _) => found.push((place.0, place.1, size, token)),
                    (false, "Tf") => size = numbers.pop().unwrap(),
                    (false, "Td") => place = (numbers[numbers.len() - 2], numbers[numbers.len() - 1]),
                    (false, other) => {
                        numbers.extend(other.parse::<f32>().ok());
                    }
                }
            }
            found
        })
        .collect()
}

/// Pages, and lines of what stands side by side; a row of the table has as many as columns.
pub(crate) fn pdf(bytes: &[u8]) -> (usize, Vec<Vec<String>>) {
    let pages = texts(bytes);
    let mut lines: Vec<(usize, f32, Vec<String>)> = Vec::new();
    for (nth, page) in pages.iter().enumerate() {
        for (_, y, _, text) in page {
            match lines.iter_mut().rev().take(8).find(|(page, at, _)| *page == nth && (at - y).abs() < 0.01) {
                Some((.., line)) => line.push(text.clone()),
                None => lines.push((nth, *y, vec![text.clone()])),
            }
        }
    }
    (pages.len(), lines.into_iter().map(|(.., line)| line).collect())
}

/// Each text and where it ends.
pub(crate) fn ends(bytes: &[u8], width: impl Fn(&str, f32) -> f32) -> Vec<(String, f32)> {
    texts(bytes).concat().into_iter().map(|(x, _, size, text)| (text.clone(), x + width(&text, size))).collect()
}

/// Every rectangle that is filled.
pub(crate) fn rectangles(bytes: &[u8]) -> Vec<[f32; 4]> {
    let mut found = Vec::new();
    for page in pages(bytes) {
        let mut numbers = Vec::new();
        for (_, token) in tokens(&page) {
            if token == "re" {
                let at = numbers.len() - 4;
                found.push([numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]]);
            }
            numbers.extend(token.parse::<f32>().ok());
        }
    }
    found
}
