//! The table of tiles.

use std::collections::BTreeSet;

use sqlx::{PgConnection, PgExecutor};

use crate::{
    Store,
    merkle::{Hash, Tile, TileId, Tiles},
};

/// The tiles that are not full in a tree of this size, and how many hashes each holds.
pub(crate) fn edge(size: u64) -> impl Iterator<Item = (TileId, usize)> {
    (0_u8..8)
        .map(move |level| {
            let count = size >> (8 * u32::from(level));
            (TileId { level, index: count >> 8 }, usize::try_from(count & 0xff).unwrap_or(0))
        })
        .filter(|(_, count)| *count > 0)
}

/// Tiles as arrays of their columns.
pub(super) struct Columns {
    pub(super) levels: Vec<i16>,
    pub(super) indexes: Vec<i64>,
    pub(super) hashes: Vec<Vec<u8>>,
}

impl Columns {
    pub(super) fn of(tiles: &[Tile]) -> Self {
        Self {
            levels: tiles.iter().map(|tile| i16::from(tile.id.level)).collect(),
            indexes: tiles.iter().map(|tile| i64::try_from(tile.id.index).unwrap_or(i64::MAX)).collect(),
            hashes: tiles.iter().map(|tile| tile.hashes.iter().flat_map(|hash| hash.0).collect()).collect(),
        }
    }
}

/// Writes tiles: those that were filled, and those at the edge as they are now.
pub(super) async fn keep(connection: &mut PgConnection, tiles: &Columns) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO event_log.tiles (level, index, hashes) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
         ON CONFLICT (level, index) DO UPDATE SET hashes = excluded.hashes",
        &tiles.levels,
        &tiles.indexes,
        &tiles.hashes,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Reads tiles as they are now: those at the edge may hold more than when somebody last looked. What is not there is
/// left out.
pub(crate) async fn read(
    executor: impl PgExecutor<'_>,
    wanted: impl Iterator<Item = TileId>,
) -> Result<Vec<Tile>, sqlx::Error> {
    let (levels, indexes): (Vec<i16>, Vec<i64>) =
        wanted.map(|id| (i16::from(id.level), i64::try_from(id.index).unwrap_or(i64::MAX))).unzip();
    let rows = sqlx::query!(
        "SELECT tile.level, tile.index, tile.hashes
         FROM unnest($1::smallint[], $2::bigint[]) AS wanted (level, index)
         JOIN event_log.tiles AS tile ON tile.level = wanted.level AND tile.index = wanted.index",
        &levels,
        &indexes,
    )
    .fetch_all(executor)
    .await?;
    let tile = |level: i16, index: i64, hashes: &[u8]| {
        let id = TileId { level: u8::try_from(level).ok()?, index: u64::try_from(index).ok()? };
        let hashes: Option<Vec<Hash>> = hashes.chunks(32).map(|bytes| bytes.try_into().ok().map(Hash)).collect();
        Some(Tile { id, hashes: hashes? })
    };
    Ok(rows.iter().filter_map(|row| tile(row.level, row.index, &row.hashes)).collect())
}

/// The tiles at the edge of the tree as it was at this size.
pub(crate) async fn read_edge(executor: impl PgExecutor<'_>, size: u64) -> Result<Vec<Tile>, sqlx::Error> {
    let mut tiles = read(executor, edge(size).map(|(id, _)| id)).await?;
    for tile in &mut tiles {
        let was = edge(size).find(|(id, _)| *id == tile.id).map_or(0, |(_, count)| count);
        tile.hashes.truncate(was);
    }
    Ok(tiles)
}

impl Store {
    /// The tiles of a proof.
    pub(crate) async fn tiles(&self, wanted: BTreeSet<TileId>) -> Result<Tiles, sqlx::Error> {
        Ok(read(self.pool(), wanted.into_iter()).await?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::Growing;

    #[test]
    fn the_edge_is_that_of_a_growing_tree() {
        let mut tree = Growing::default();
        for number in 0..70_000_u32 {
            tree.push(Hash::leaf(&number.to_le_bytes()));
            if number % 97 == 0 || number > 65_500 {
                let told: Vec<_> = edge(tree.size()).collect();
                let is: Vec<_> = tree.edge().map(|tile| (tile.id, tile.hashes.len())).collect();
                assert_eq!(told, is, "{}", tree.size());
            }
        }
    }
}
