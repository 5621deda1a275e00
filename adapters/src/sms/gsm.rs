//! The SMS alphabet (3GPP TS 23.038): what fits into one message, and French written so that it does.

use unicode_normalization::UnicodeNormalization;

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                     abcdefghijklmnopqrstuvwxyzäöñüà";
/// These take two places.
const EXTENDED: &str = "^{}\\[~]|€\u{c}";

/// How a text travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Gsm7,
    Ucs2,
}

/// What a text costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub encoding: Encoding,
    /// Messages it is billed as.
    pub segments: usize,
}

/// The number of messages a text is charged as: 160 / 153 places in GSM-7, 70 / 67 in UCS-2.
pub fn size(text: &str) -> Size {
    match places(text) {
        Some(places) => Size { encoding: Encoding::Gsm7, segments: parts(places, 160, 153) },
        None => Size { encoding: Encoding::Ucs2, segments: parts(text.encode_utf16().count(), 70, 67) },
    }
}

const fn parts(units: usize, single: usize, part: usize) -> usize {
    if units <= single { 1 } else { units.div_ceil(part) }
}

/// `None` as soon as one character is outside GSM-7. A two-place character that would straddle two messages moves to the
/// next one, so that a place is lost.
fn places(text: &str) -> Option<usize> {
    let widths = text.chars().map(|c| if BASIC.contains(c) { Some(1) } else { EXTENDED.contains(c).then_some(2) });
    let widths: Vec<usize> = widths.collect::<Option<_>>()?;
    let total: usize = widths.iter().sum();
    if total <= 160 {
        return Some(total);
    }
    let place = |at: usize, width: usize| if at % 153 + width > 153 { at + 1 + width } else { at + width };
    Some(widths.into_iter().fold(0, place))
}

/// Writes a text with GSM-7 characters only: accents that the alphabet lacks go (`ê` → `e`; `é`, `è`, `à`, `ù` stay),
/// typography becomes plain, anything else becomes `?`.
pub fn transliterate(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.nfc() {
        if BASIC.contains(c) || EXTENDED.contains(c) {
            plain.push(c);
        } else if let Some(written) = written(c) {
            plain.push_str(written);
        } else {
            // The letter under its accents, if that is in the alphabet.
            let letter = std::iter::once(c).nfd().next().filter(|letter| BASIC.contains(*letter));
            plain.push(letter.unwrap_or('?'));
        }
    }
    plain
}

const fn written(c: char) -> Option<&'static str> {
    Some(match c {
        'œ' => "oe",
        'Œ' => "OE",
        'ŋ' => "ng",
        'Ŋ' => "NG",
        '’' | '‘' | '‚' | '`' | '´' | '′' => "'",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '–' | '—' | '‑' | '−' | '‐' => "-",
        '…' => "...",
        '→' => "->",
        '×' => "x",
        '•' | '·' => "-",
        '°' => "o",
        '\u{a0}' | '\u{202f}' | '\u{2009}' | '\t' => " ",
        // Joiners and variation marks have no width.
        '\u{200b}'..='\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{feff}' | '\u{ad}' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn french_is_written_for_one_segment() {
        let text = "Réservé : « Temple du Foot » – 18 h à 19 h, acompte 5\u{202f}000 F reçu. À bientôt, l’équipe…";
        let plain = transliterate(text);
        assert_eq!(plain, "Réservé : \" Temple du Foot \" - 18 h à 19 h, acompte 5 000 F recu. A bientot, l'équipe...");
        assert_eq!(size(&plain), Size { encoding: Encoding::Gsm7, segments: 1 });
        assert_eq!(size(text).encoding, Encoding::Ucs2);
    }

    #[test]
    fn wolof_letters_and_decomposed_accents_are_written() {
        assert_eq!(transliterate("Jërëjëf, ñu ngi ŋ ó"), "Jerejef, ñu ngi ng o");
        assert_eq!(transliterate("e\u{301}te\u{302} 😀"), "éte ?");
    }

    #[test]
    fn segments_are_counted_at_their_edges() {
        let segments = |text: &str| size(text).segments;
        assert_eq!([160, 161, 306, 307].map(|length| segments(&"e".repeat(length))), [1, 2, 2, 3]);
        assert_eq!([70, 71, 134, 135].map(|length| segments(&"ê".repeat(length))), [1, 2, 2, 3]);
        // 152 + a euro sign that does not fit into the 153rd place.
        let straddling = format!("{}€{}", "e".repeat(152), "e".repeat(151));
        assert_eq!(segments(&straddling), 2);
        assert_eq!(segments(&(straddling + "e")), 3);
    }

    proptest! {
        #[test]
        fn what_was_transliterated_is_in_the_alphabet_and_stays_so(text in "\\PC{0,200}") {
            let plain = transliterate(&text);
            prop_assert_eq!(size(&plain).encoding, Encoding::Gsm7);
            prop_assert_eq!(transliterate(&plain), plain);
        }
    }
}
