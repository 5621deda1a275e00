//! Forms that the text of a member must have, read together with the body: what is not of the form is refused before anything is
//! looked up, so it says nothing of what there is. The document says each of them as a `pattern` or a length.

use serde::{Deserialize, Deserializer, de::Error};

/// Text of at most so many characters: what is longer than anything that could be meant is not looked at.
///
/// # Errors
/// When it is longer.
pub fn at_most<'de, const MOST: usize, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.chars().count() > MOST { Err(D::Error::custom(format!("has at most {MOST} characters"))) } else { Ok(text) }
}

/// As [`at_most`], of a member that may be absent.
///
/// # Errors
/// When it is longer.
pub fn perhaps_at_most<'de, const MOST: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    match text {
        Some(text) if text.chars().count() > MOST => Err(D::Error::custom(format!("has at most {MOST} characters"))),
        text => Ok(text),
    }
}

/// The code of a message or of an authenticator app.
///
/// # Errors
/// When it is not six digits.
pub fn six_digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    of_form(deserializer, digits::<6, 6>, "must be six digits")
}

/// A PIN as somebody has one: six digits, or four that came with them from elsewhere.
///
/// # Errors
/// When it is not four to six digits.
pub fn pin<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    of_form(deserializer, digits::<4, 6>, "must be four to six digits")
}

/// A signature of a device.
///
/// # Errors
/// When it is not 64 bytes in base64url without padding.
pub fn signature<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    // Of the last of 86 characters only two bits belong to the bytes.
    let good = |text: &str| text.len() == 86 && text.bytes().all(is_base64url) && text.ends_with(['A', 'Q', 'g', 'w']);
    of_form(deserializer, good, "must be 64 bytes in base64url without padding")
}

/// A token that was given out here.
///
/// # Errors
/// When it holds anything that none of ours does.
pub fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let good = |text: &str| (1..=100).contains(&text.len()) && text.bytes().all(is_base64url);
    of_form(deserializer, good, "must be a token as it was given: letters, digits, `_` and `-`")
}

fn of_form<'de, D: Deserializer<'de>>(
    deserializer: D,
    good: impl Fn(&str) -> bool,
    wanted: &str,
) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if good(&text) { Ok(text) } else { Err(D::Error::custom(wanted)) }
}

fn digits<const LEAST: usize, const MOST: usize>(text: &str) -> bool {
    (LEAST..=MOST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_of_the_form_is_taken_and_nothing_else() {
        let taken = |read: fn(Value) -> Result<String, serde_json::Error>, text: &str| read(json!(text)).is_ok();
        assert!(taken(six_digits::<Value>, "042917"));
        for text in ["", "04291", "0429170", "O42917", "٠٤٢٩١٧", " 42917"] {
            assert!(!taken(six_digits::<Value>, text), "{text}");
        }
        assert!(taken(pin::<Value>, "1593") && taken(pin::<Value>, "739164"));
        assert!(!taken(pin::<Value>, "159") && !taken(pin::<Value>, "7391644"));
        assert!(taken(signature::<Value>, &"A".repeat(86)));
        for text in ["A".repeat(85), "A".repeat(87), format!("{}B", "A".repeat(85)), format!("{}=", "A".repeat(85))] {
            assert!(!taken(signature::<Value>, &text), "{text}");
        }
        assert!(taken(token::<Value>, "ki_6mM4oSSuPpqvyGzXCRnHMPa1ow0QqKdYxZTWNVOcb3E"));
        assert!(
            !taken(token::<Value>, "") && !taken(token::<Value>, "a b") && !taken(token::<Value>, &"a".repeat(101))
        );
        assert!(taken(at_most::<3, Value>, "éée") && !taken(at_most::<3, Value>, "éeée"));
        assert_eq!(perhaps_at_most::<3, Value>(Value::Null).unwrap(), None);
    }
}
