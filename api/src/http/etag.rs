//! `ETag` of a resource: `"v<stream version>.<hash of what is embedded, role and language>"` (decisions.md, HTTP).
//! `If-None-Match` compares the whole tag, `If-Match` the version alone.

use axum::http::{HeaderMap, header};
use domain::aggregate::Version;
use sha2::{Digest, Sha256};

use crate::{http::operation::IfMatch, problem::Problem};

/// The tag of a body made from a stream at `version`.
pub fn of(version: Version, embedded: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in embedded {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let short = digest.get(..6).map(hex::encode).unwrap_or_default();
    format!("\"v{version}.{short}\"")
}

/// What `If-Match` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    None,
    /// `*`: it must exist.
    Exists,
    Version(Version),
}

impl Precondition {
    /// # Errors
    /// 428 when it is required and missing, `request.invalid_header` when it is not one of our tags.
    pub fn read(headers: &HeaderMap, wanted: IfMatch) -> Result<Self, Problem> {
        let Some(value) = headers.get(header::IF_MATCH) else {
            return match wanted {
                IfMatch::Required => Err(Problem::new("precondition.required")),
                IfMatch::Optional | IfMatch::Ignored => Ok(Self::None),
            };
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self::Exists);
        }
        text.strip_prefix("\"v")
            .and_then(|rest| rest.strip_suffix('"'))
            .and_then(|inner| inner.split('.').next())
            .and_then(|version| version.parse().ok())
            .map(Self::Version)
            .ok_or_else(|| {
                Problem::new("request.invalid_header").parameter("If-Match", "must be an ETag that we gave, or *")
            })
    }

    /// # Errors
    /// 412 when the stream has another version.
    pub fn check(self, version: Version) -> Result<(), Problem> {
        match self {
            Self::None => Ok(()),
            Self::Exists if version > 0 => Ok(()),
            Self::Version(wanted) if wanted == version => Ok(()),
            Self::Exists | Self::Version(_) => Err(Problem::new("precondition.failed").member("version", version)),
        }
    }
}

/// Whether the reader already has this body.
pub fn known(headers: &HeaderMap, etag: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|tags| {
        tags.split(',').any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn if_match(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, value.parse().unwrap());
        headers
    }

    #[test]
    fn only_the_version_is_compared_on_writes() {
        let tag = of(3, &[b"manager", b"fr"]);
        let precondition = Precondition::read(&if_match(&tag), IfMatch::Required).unwrap();
        assert_eq!(precondition, Precondition::Version(3));
        assert!(precondition.check(3).is_ok());
        assert_eq!(precondition.check(4).unwrap_err().status(), 412);
    }

    #[test]
    fn configuration_without_if_match_is_428_and_nonsense_400() {
        assert_eq!(Precondition::read(&HeaderMap::new(), IfMatch::Required).unwrap_err().status(), 428);
        assert_eq!(Precondition::read(&if_match("W/\"x\""), IfMatch::Optional).unwrap_err().status(), 400);
        assert!(Precondition::Exists.check(0).is_err());
    }

    #[test]
    fn a_known_tag_is_found_among_several() {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, "\"v1.x\", W/\"v2.abc\"".parse().unwrap());
        assert!(known(&headers, "\"v2.abc\""));
        assert!(!known(&headers, "\"v3.abc\""));
    }
}
