//! The language a reader asks for: `Accept-Language` (RFC 9110 §12.5.4), of the three we write.

use axum::http::{HeaderMap, header};

/// French unless asked otherwise (domain.md, Notifications).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    Fr,
    En,
    Wo,
}

impl Language {
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
            Self::Wo => "wo",
        }
    }

    /// The offered language with the highest weight; the first of equals.
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(wishes) = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()) else {
            return Self::default();
        };
        let mut best: Option<(Self, u16)> = None;
        for wish in wishes.split(',').take(20) {
            let mut parts = wish.split(';');
            let language = parts.next().map(str::trim).and_then(Self::from_range);
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=").map(thousandths)).unwrap_or(1000);
            if let Some(language) = language
                && weight > best.map_or(0, |(_, weight)| weight)
            {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language).unwrap_or_default()
    }

    fn from_range(range: &str) -> Option<Self> {
        match range.split('-').next()?.to_ascii_lowercase().as_str() {
            "fr" | "*" => Some(Self::Fr),
            "en" => Some(Self::En),
            "wo" => Some(Self::Wo),
            _ => None,
        }
    }
}

/// A weight `0` to `1` with up to three decimals, in thousandths; nonsense weighs nothing.
fn thousandths(weight: &str) -> u16 {
    match weight.trim().split_once('.') {
        None => weight.trim().parse::<u16>().map_or(0, |whole| whole.min(1) * 1000),
        Some((whole, decimals)) => {
            let padded: String = decimals.chars().chain("000".chars()).take(3).collect();
            let whole = whole.parse::<u16>().unwrap_or(0).min(1) * 1000;
            (whole + padded.parse::<u16>().unwrap_or(0)).min(1000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, value.parse().unwrap());
        Language::of(&headers)
    }

    #[test]
    fn the_heaviest_language_wins_and_french_is_the_default() {
        assert_eq!(Language::of(&HeaderMap::new()), Language::Fr);
        assert_eq!(asked("de, en-GB;q=0.8, wo;q=0.9"), Language::Wo);
        assert_eq!(asked("en;q=0, fr-SN;q=0.1"), Language::Fr);
        assert_eq!(asked("en;q=x"), Language::Fr);
    }
}
