//! Letters of a PDF: the encoding and the widths of Helvetica, which every reader of PDFs has (PDF 1.7, 9.6.2.2, annex D).
//!
//! WinAnsi holds every letter of French and English and, of Wolof, all but `ŋ`: that becomes `ng`, which is how it is written
//! where the letter is missing; `ñ`, which it has, is another sound. A letter with an accent that it does not have loses the
//! accent; what has no letter at all is `?`. CSV and XLSX keep everything.

use unicode_normalization::UnicodeNormalization;

use super::sheet::Face;

/// 0x80 to 0x9f of WinAnsi, as Unicode; `\0` where it has nothing.
const HIGH: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“', '”', '•',
    '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// Thousandths of the size, from the space on (Adobe's metrics of Helvetica).
const REGULAR: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584,
];

/// The text as a PDF of ours can show it.
pub(super) fn encode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.nfc() {
        match c {
            'ŋ' => out.extend(b"ng"),
            'Ŋ' => out.extend(b"Ng"),
            // Narrow, and other widths of a space.
            '\u{202f}' | '\u{2009}' => out.push(0xa0),
            '\u{2212}' => out.push(b'-'),
            c if c.is_control() => out.push(b' '),
            c => match byte(c) {
                Some(byte) => out.push(byte),
                None => out.push(std::iter::once(c).nfd().next().and_then(byte).unwrap_or(b'?')),
            },
        }
    }
    out
}

fn byte(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ (0x20..=0x7e | 0xa0..=0xff) => u8::try_from(code).ok(),
        _ => HIGH.iter().position(|high| *high == c && c != '\0').and_then(|at| u8::try_from(0x80 + at).ok()),
    }
}

/// How wide encoded text is, in the unit of `size`.
pub(super) fn width(text: &[u8], face: Face, size: f32) -> f32 {
    let thousandths: u32 = text.iter().map(|byte| u32::from(advance(*byte, face))).sum();
    thousandths as f32 / 1_000.0 * size
}

fn advance(byte: u8, face: Face) -> u16 {
    let ascii = if face == Face::Bold { &BOLD } else { &REGULAR };
    let of = |c: u8| ascii.get(usize::from(c.wrapping_sub(b' '))).copied();
    let found = match byte {
        b' '..=b'~' => of(byte),
        0xa0 => of(b' '),
        0x85 | 0x89 | 0x8c | 0x97 | 0x99 | 0xc6 => Some(1_000),
        0x9c => Some(944),
        0xe6 => Some(889),
        0xab | 0xbb | 0x80 | 0x96 => Some(556),
        0xb0 => Some(400),
        0xcc..=0xcf | 0xec..=0xef => Some(278),
        0x91 | 0x92 => Some(if face == Face::Bold { 278 } else { 222 }),
        0x93 | 0x94 => Some(if face == Face::Bold { 500 } else { 333 }),
        0xd8 => Some(778),
        // As wide as the letter without its accent.
        0xc0..=0xff => std::iter::once(char::from(byte)).nfd().next().and_then(|c| u8::try_from(c).ok()).and_then(of),
        _ => None,
    };
    found.unwrap_or(611)
}
