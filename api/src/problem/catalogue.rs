//! Every code a problem can carry, with its status and its words. Codes never change their meaning.

mod audit;
mod booking;
mod credit;
mod endpoints;
mod invoices;
mod money;
mod payouts;
mod promotions;
mod rare;
mod reconciliations;
mod recovery;
mod request;
mod rules;
mod setup;
mod shares;
mod sign_in;
mod tills;

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::language::Language;

/// Whether what was asked for happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    NotDone,
    /// Nobody can tell: repeat with the same key to find out.
    Unknown,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotDone => "not_done",
            Self::Unknown => "unknown",
        }
    }
}

/// One sentence in the three languages of the product.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    pub fr: &'static str,
    pub en: &'static str,
    pub wo: &'static str,
}

impl Words {
    pub const fn of(&self, language: Language) -> &'static str {
        match language {
            Language::Fr => self.fr,
            Language::En => self.en,
            Language::Wo => self.wo,
        }
    }
}

/// What a code means.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub code: &'static str,
    pub status: u16,
    pub retryable: bool,
    pub outcome: Outcome,
    pub title: Words,
    pub detail: Words,
}

/// All codes, by the noun they belong to.
pub const ENTRIES: &[&[Entry]] = &[
    request::ENTRIES,
    rules::ENTRIES,
    booking::ENTRIES,
    money::ENTRIES,
    reconciliations::ENTRIES,
    recovery::ENTRIES,
    credit::ENTRIES,
    payouts::ENTRIES,
    invoices::ENTRIES,
    setup::ENTRIES,
    sign_in::ENTRIES,
    shares::ENTRIES,
    promotions::ENTRIES,
    tills::ENTRIES,
    endpoints::ENTRIES,
    audit::ENTRIES,
    rare::ENTRIES,
];

/// A rule of the domain that has no sentence of its own here: the rule speaks for itself.
const RULE: Entry = refusal(
    "rule.refused",
    422,
    [
        ("Une règle s'y oppose", "Une règle du site ou de la plateforme ne le permet pas."),
        ("A rule says no", "A rule of the site or of the platform does not allow it."),
        ("Yoon amul", "Sàrt bi mayul loolu."),
    ],
);

/// The entry of a code; `RULE` when it has none.
pub fn find(code: &str) -> Entry {
    ENTRIES.iter().copied().flatten().find(|entry| entry.code == code).copied().unwrap_or(RULE)
}

/// An entry of the usual kind: nothing happened, and repeating does not help. Words in the order fr, en, wo.
const fn refusal(code: &'static str, status: u16, words: [(&'static str, &'static str); 3]) -> Entry {
    let [(title_fr, fr), (title_en, en), (title_wo, wo)] = words;
    Entry {
        code,
        status,
        retryable: false,
        outcome: Outcome::NotDone,
        title: Words { fr: title_fr, en: title_en, wo: title_wo },
        detail: Words { fr, en, wo },
    }
}

impl Entry {
    const fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    const fn unknown(mut self) -> Self {
        self.outcome = Outcome::Unknown;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_an_operation_promises_has_words_of_its_own() {
        for operation in crate::operations() {
            for code in operation.refusals {
                assert_eq!(find(code).code, *code, "{} has no words for it", operation.id);
            }
        }
    }

    #[test]
    fn every_code_is_there_once_with_words_in_three_languages() {
        let mut seen = std::collections::HashSet::new();
        for entry in ENTRIES.iter().copied().flatten() {
            assert!(seen.insert(entry.code), "{} is there twice", entry.code);
            for words in [entry.title, entry.detail] {
                assert!(![words.fr, words.en, words.wo].contains(&""), "{} lacks words", entry.code);
            }
            assert!((400..600).contains(&entry.status));
        }
    }
}
