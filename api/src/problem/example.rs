//! A problem document as an example: what a code looks like when it happens.

use serde_json::{Value, json};

use super::{Occasion, Problem, catalogue};
use crate::http::language::Language;

/// The document of a code, in English, with values left open.
pub fn example(code: &str, base_url: &str) -> Value {
    let occasion = Occasion {
        instance: "/v1/reservations",
        request_id: "019ab2c4-5f00-7000-8000-0000000000aa",
        language: Language::En,
        base_url,
    };
    let mut document = Problem::new(code).common(occasion);
    document["detail"] = json!(open(catalogue::find(code).detail.en));
    document
}

/// A sentence of the catalogue with `…` where a value is to be.
pub(super) fn open(sentence: &str) -> String {
    let mut text = String::with_capacity(sentence.len());
    let mut inside = false;
    for c in sentence.chars() {
        match c {
            '{' => {
                inside = true;
                text.push('…');
            }
            '}' => inside = false,
            _ if inside => {}
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_left_open() {
        assert_eq!(open("At most {value} of {name}."), "At most … of ….");
        let shown = example("reservation.too_many_holds", "https://k.example");
        assert_eq!(shown["status"], 422);
        assert_eq!(shown["type"], "https://k.example/problems/reservation.too_many_holds");
        assert!(!shown["detail"].as_str().unwrap().contains('{'));
    }
}
