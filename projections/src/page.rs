//! Lists: an opaque cursor instead of an offset, `limit` 1–100, no total.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::Uuid;

use crate::Position;

/// The most a page may hold.
pub const MOST: u32 = 100;

/// One row, and up to which event the answer counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<T> {
    /// Comes from the same statement as the row.
    pub as_of: Position,
    pub row: Option<T>,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// Comes from the same statement as the rows.
    pub as_of: Position,
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    pub fn has_more(&self) -> bool {
        self.next.is_some()
    }
}

/// Why a list was not answered.
#[derive(Debug, Error)]
pub enum ListError {
    #[error("the cursor is not one of ours, or belongs to other filters")]
    Cursor,
    #[error("limit must be between 1 and {MOST}")]
    Limit,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The place after which a page begins: the sort key of the last row, its id to tell equals apart, and what was asked, so
/// that a cursor cannot be carried over to other filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// A position, microseconds since 1970, or the bits of a distance: whatever the list is sorted by.
    pub key: i64,
    pub id: Uuid,
    pub filters: u64,
}

impl Cursor {
    pub(crate) fn encode(self) -> String {
        let mut bytes = Vec::with_capacity(32);
        bytes.extend(self.filters.to_be_bytes());
        bytes.extend(self.key.to_be_bytes());
        bytes.extend(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of a client.
    ///
    /// # Errors
    /// [`ListError::Cursor`] when it is not one of ours or was given for other filters.
    pub(crate) fn decode(text: &str, filters: u64) -> Result<Self, ListError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ListError::Cursor)?;
        let (head, rest) = bytes.split_first_chunk::<8>().ok_or(ListError::Cursor)?;
        let (key, id) = rest.split_first_chunk::<8>().ok_or(ListError::Cursor)?;
        let id = Uuid::from_slice(id).map_err(|_| ListError::Cursor)?;
        let cursor = Self { key: i64::from_be_bytes(*key), id, filters: u64::from_be_bytes(*head) };
        if cursor.filters == filters { Ok(cursor) } else { Err(ListError::Cursor) }
    }
}

/// The first half of a hash of what was asked: list name, filters, sort. Not a secret, only a check.
pub(crate) fn hash_of(list: &str, filters: &impl Serialize) -> Result<u64, ListError> {
    let text = serde_json::to_vec(filters).map_err(|_| ListError::Cursor)?;
    let hash = Sha256::new().chain_update(list).chain_update([0]).chain_update(&text).finalize();
    hash.first_chunk::<8>().map(|first| u64::from_be_bytes(*first)).ok_or(ListError::Cursor)
}

/// How many rows to ask for: one more than the page, to know whether there is another.
pub(crate) fn with_one_more(limit: u32) -> Result<i64, ListError> {
    if (1..=MOST).contains(&limit) { Ok(i64::from(limit) + 1) } else { Err(ListError::Limit) }
}

/// Cuts the extra row off and makes the cursor of the next page from the last row that stays.
pub(crate) fn cut<T>(mut rows: Vec<T>, limit: u32, cursor: impl Fn(&T) -> Cursor) -> (Vec<T>, Option<String>) {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let next = if more { rows.last().map(|last| cursor(last).encode()) } else { None };
    (rows, next)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back_as_it_was(key: i64, id: u128, filters: u64) {
            let cursor = Cursor { key, id: Uuid::from_u128(id), filters };
            prop_assert_eq!(Cursor::decode(&cursor.encode(), filters).unwrap(), cursor);
        }

        #[test]
        fn whatever_a_client_sends_is_no_panic(text in ".{0,64}") {
            prop_assert!(matches!(Cursor::decode(&text, 7), Err(ListError::Cursor)) || text.len() == 43);
        }
    }

    #[test]
    fn a_cursor_of_other_filters_is_refused() {
        let one = hash_of("reservations", &("client", 1)).unwrap();
        let other = hash_of("reservations", &("client", 2)).unwrap();
        let cursor = Cursor { key: 1, id: Uuid::from_u128(2), filters: one }.encode();
        assert!(Cursor::decode(&cursor, one).is_ok());
        assert!(matches!(Cursor::decode(&cursor, other), Err(ListError::Cursor)));
    }

    #[test]
    fn a_page_has_between_1_and_100_rows() {
        assert!(matches!(with_one_more(0), Err(ListError::Limit)));
        assert!(matches!(with_one_more(101), Err(ListError::Limit)));
        assert_eq!(with_one_more(100).unwrap(), 101);
        let (rows, next) = cut(vec![1, 2, 3], 2, |&row| Cursor { key: row, id: Uuid::nil(), filters: 0 });
        assert_eq!(rows, [1, 2]);
        assert_eq!(Cursor::decode(&next.unwrap(), 0).unwrap().key, 2);
    }
}
