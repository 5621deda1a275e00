//! What people type as a telephone number, read with libphonenumber's plan (providers.md §9). Senegal unless said
//! otherwise; the number is normalised to E.164 and must be a mobile wherever an SMS or a wallet is meant.

use domain::phone::Phone;
use phonenumber::{Mode, PhoneNumber, Type, country};
use thiserror::Error;

/// Longer than any number with its punctuation.
const LENGTH: usize = 32;

/// Why a number was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    #[error("is not a telephone number")]
    NotANumber,
    #[error("is not a number in use; a Senegalese mobile has 9 digits and starts with 7")]
    NotValid,
    #[error("is not a mobile number")]
    NotMobile,
}

/// Reads any valid number, fixed lines included.
///
/// # Errors
/// [`Refused`].
pub fn parse(typed: &str) -> Result<Phone, Refused> {
    let number = read(typed)?;
    Phone::new(&number.format().mode(Mode::E164).to_string()).map_err(|_| Refused::NotANumber)
}

/// Reads a number that can receive an SMS.
///
/// # Errors
/// [`Refused`].
pub fn mobile(typed: &str) -> Result<Phone, Refused> {
    let number = read(typed)?;
    match number.number_type(&phonenumber::metadata::DATABASE) {
        // Some countries' plans do not tell the two apart.
        Type::Mobile | Type::FixedLineOrMobile => {
            Phone::new(&number.format().mode(Mode::E164).to_string()).map_err(|_| Refused::NotANumber)
        }
        _ => Err(Refused::NotMobile),
    }
}

/// A number as people of its country write it: `77 123 45 67`.
pub fn display(phone: &Phone) -> String {
    match phonenumber::parse(None, phone.e164()) {
        Ok(number) if number.code().value() == 221 => number.format().mode(Mode::National).to_string(),
        Ok(number) => number.format().mode(Mode::International).to_string(),
        Err(_) => phone.e164().to_owned(),
    }
}

fn read(typed: &str) -> Result<PhoneNumber, Refused> {
    let plain = plain(typed).ok_or(Refused::NotANumber)?;
    let number = phonenumber::parse(Some(country::SN), plain).map_err(|_| Refused::NotANumber)?;
    if number.extension().is_some() {
        return Err(Refused::NotANumber);
    }
    if number.is_valid() { Ok(number) } else { Err(Refused::NotValid) }
}

/// Digits with a leading `+` where the country is given. Letters are refused: "0800-PIZZA" is not what people mean here.
fn plain(typed: &str) -> Option<String> {
    let typed = typed.trim();
    if typed.len() > LENGTH {
        return None;
    }
    let typed = typed.replace("(0)", "");
    let international = typed.starts_with('+');
    let mut digits = String::new();
    for c in typed.chars().skip(usize::from(international)) {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '.' | '-' | '/' | '(' | ')' | '\u{a0}' | '\u{202f}' | '\u{2011}' => {}
            _ => return None,
        }
    }
    let abroad = |digits: &str| format!("+{digits}");
    Some(match digits.strip_prefix("00") {
        _ if international => abroad(&digits),
        Some(rest) => abroad(rest),
        // With the country's code but without its plus.
        None if digits.len() == 12 && digits.starts_with("221") => abroad(&digits),
        None => digits,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn people_type_the_same_number_in_many_ways() {
        let ways = [
            "77 123 45 67",
            "771234567",
            "+221771234567",
            "00221 77 123 45 67",
            "221771234567",
            "+221 (0) 77-123-45-67",
            " 77.123.45.67\u{a0}",
        ];
        for typed in ways {
            assert_eq!(mobile(typed).map(|phone| phone.e164().to_owned()), Ok("+221771234567".into()), "{typed}");
        }
    }

    #[test]
    fn what_is_not_a_mobile_is_said_to_be_what_it_is() {
        assert_eq!(mobile("731234567"), Err(Refused::NotValid));
        assert_eq!(mobile("77123456"), Err(Refused::NotValid));
        assert_eq!(mobile("338219903"), Err(Refused::NotMobile));
        assert!(parse("338219903").is_ok());
        for typed in ["", "abc", "77 123 45 6x", "+", "77123456789012345678901234567890123"] {
            assert_eq!(mobile(typed), Err(Refused::NotANumber), "{typed}");
        }
    }

    #[test]
    fn every_senegalese_mobile_range_is_one() {
        for start in ["70", "71", "75", "76", "77", "78", "721", "790"] {
            let typed = format!("{start:0<9}");
            assert!(mobile(&typed).is_ok(), "{typed}");
        }
    }

    #[test]
    fn foreign_mobiles_are_welcome() {
        assert_eq!(mobile("+33 6 12 34 56 78").unwrap().e164(), "+33612345678");
        assert_eq!(mobile("+1 202 555 0123").unwrap().e164(), "+12025550123");
    }

    #[test]
    fn numbers_are_shown_the_local_way() {
        assert_eq!(display(&mobile("771234567").unwrap()), "77 123 45 67");
        assert_eq!(display(&mobile("+33612345678").unwrap()), "+33 6 12 34 56 78");
    }

    proptest! {
        #[test]
        fn nothing_typed_makes_it_fall_over_and_what_is_read_reads_the_same(typed in "[+0-9 ().\\-]{0,20}|\\PC{0,40}") {
            if let Ok(phone) = parse(&typed) {
                prop_assert_eq!(parse(phone.e164()), Ok(phone));
            }
        }
    }
}
