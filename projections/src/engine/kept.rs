//! Rows of one table in memory, by id: those that events change, and those that were written last.

use std::{collections::BTreeMap, sync::Arc};

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    ApplyError, Applying,
    bulk::Changes,
    copy::{Tuples, copy_in},
};

/// What a table's rows are folded from, one per id.
pub(crate) trait Copied: Clone + Send + Sync + 'static {
    /// `COPY <table> (<columns>) FROM STDIN (FORMAT binary)`.
    const COPY: &'static str;

    /// Deletes the table's rows of these ids.
    fn delete(connection: &mut PgConnection, ids: &[Uuid]) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Puts the table's rows, if there are any.
    fn put(&self, id: Uuid, tuples: &mut Tuples) -> Result<(), serde_json::Error>;
}

/// A row, and whether the table may have one of this id already.
#[derive(Clone, Debug)]
struct One<R> {
    row: R,
    stored: bool,
}

type Rows<R> = BTreeMap<Uuid, One<R>>;

/// Rows that were changed, over those of the time before: what is there need not be loaded. A batch of live rows begins
/// with none; a shadow that is filled keeps them.
#[derive(Debug)]
pub(crate) struct Kept<R> {
    changed: Rows<R>,
    /// Written, or being written.
    before: Arc<Rows<R>>,
}

impl<R> Default for Kept<R> {
    fn default() -> Self {
        Self { changed: BTreeMap::new(), before: Arc::default() }
    }
}

impl<R: Clone> Kept<R> {
    /// Those of the ids that are not here.
    pub(crate) fn missing(&self, mut ids: Vec<Uuid>) -> Vec<Uuid> {
        ids.retain(|id| !self.changed.contains_key(id) && !self.before.contains_key(id));
        ids
    }

    /// Takes in rows of the table that are about to be changed.
    pub(crate) fn loaded(&mut self, rows: impl IntoIterator<Item = (Uuid, R)>) {
        self.changed.extend(rows.into_iter().map(|(id, row)| (id, One { row, stored: true })));
    }

    /// Puts a row in the place of the one that may be there.
    pub(crate) fn insert(&mut self, id: Uuid, row: R) {
        let stored = self.changed.get(&id).map_or_else(|| self.before.contains_key(&id), |one| one.stored);
        self.changed.insert(id, One { row, stored });
    }

    /// The row.
    pub(crate) fn get(&self, id: Uuid) -> Option<&R> {
        self.changed.get(&id).or_else(|| self.before.get(&id)).map(|one| &one.row)
    }

    /// The row, to be changed.
    pub(crate) fn get_mut(&mut self, id: Uuid) -> Option<&mut R> {
        let Self { changed, before } = self;
        match changed.entry(id) {
            std::collections::btree_map::Entry::Occupied(one) => Some(&mut one.into_mut().row),
            std::collections::btree_map::Entry::Vacant(place) => {
                let row = before.get(&id)?.row.clone();
                Some(&mut place.insert(One { row, stored: true }).row)
            }
        }
    }

    /// The row, to be changed, or a new one.
    pub(crate) fn get_or_default(&mut self, id: Uuid) -> &mut R
    where
        R: Default,
    {
        let before = &self.before;
        let one = self.changed.entry(id).or_insert_with(|| match before.get(&id) {
            Some(one) => One { row: one.row.clone(), stored: true },
            None => One { row: R::default(), stored: false },
        });
        &mut one.row
    }

    /// The rows that were changed, by id.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (Uuid, &R)> {
        self.changed.iter().map(|(id, one)| (*id, &one.row))
    }

    /// The ids of those that the table has.
    pub(crate) fn stored(&self) -> Vec<Uuid> {
        stored(&self.changed)
    }

    pub(crate) fn count(&self) -> usize {
        self.changed.len()
    }
}

impl<R: Copied> Kept<R> {
    /// What was changed, to be written; it stays here until the next time.
    pub(crate) fn take(&mut self) -> Box<dyn Changes> {
        self.before = Arc::new(std::mem::take(&mut self.changed));
        Box::new(Taken(Arc::clone(&self.before)))
    }
}

fn stored<R>(rows: &Rows<R>) -> Vec<Uuid> {
    rows.iter().filter(|(_, one)| one.stored).map(|(id, _)| *id).collect()
}

struct Taken<R>(Arc<Rows<R>>);

impl<R: Copied> Changes for Taken<R> {
    fn write<'a>(&'a self, connection: &'a mut PgConnection) -> Applying<'a> {
        Box::pin(write(connection, &self.0))
    }
}

/// After an error the connection cannot be used any more.
async fn write<R: Copied>(connection: &mut PgConnection, rows: &Rows<R>) -> Result<(), ApplyError> {
    if rows.is_empty() {
        return Ok(());
    }
    let stored = stored(rows);
    if !stored.is_empty() {
        R::delete(&mut *connection, &stored).await?;
    }
    copy_in(connection, R::COPY, rows.iter(), |(id, one), tuples| one.row.put(*id, tuples)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn what_the_table_has_is_known_across_batches() {
        let mut kept = Kept::<u8>::default();
        kept.insert(id(1), 10);
        assert_eq!(kept.missing(vec![id(1), id(2)]), [id(2)]);
        kept.loaded([(id(2), 20)]);
        assert_eq!(kept.stored(), [id(2)], "the first is new");
        *kept.get_mut(id(1)).unwrap() += 1;
        kept.before = Arc::new(std::mem::take(&mut kept.changed));
        // The next batch finds both in memory, and both in the table.
        assert_eq!((kept.count(), kept.missing(vec![id(1), id(2)])), (0, vec![]));
        kept.insert(id(1), 30);
        *kept.get_or_default(id(2)) += 1;
        assert_eq!(kept.get_or_default(id(3)), &0);
        assert_eq!(kept.get_mut(id(4)), None);
        assert_eq!(kept.stored(), [id(1), id(2)]);
        assert_eq!(kept.changed().map(|(_, row)| *row).collect::<Vec<_>>(), [30, 21, 0]);
    }
}
