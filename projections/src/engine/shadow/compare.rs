//! Live rows and shadow side by side, at one position: digests per table, and where they differ.

use eventstore::Store;
use sqlx::{Connection, PgConnection};

use super::{Shadow, patient, unhurried};
use crate::{
    Position,
    engine::{Projector, RunError, rows::Rows},
};

/// How often the two are brought to one position before it is given up.
const TRIES: usize = 20;
/// Keys shown of each kind of difference.
const FEW: i32 = 5;

/// What a table holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub rows: i64,
    /// SHA-256 over all rows.
    pub digest: Vec<u8>,
}

/// How a row differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only among the live rows.
    OnlyLive,
    /// Only in the shadow.
    OnlyShadow,
    /// In both, and not the same.
    Changed,
}

/// Rows that differ in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub kind: Kind,
    pub rows: i64,
    /// Primary keys of the first few; the columns of a longer key are parted by `/`.
    pub keys: Vec<String>,
}

/// One table in both forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub live: Content,
    pub shadow: Content,
    /// Empty when they are equal.
    pub differences: Vec<Difference>,
}

impl Table {
    pub fn is_equal(&self) -> bool {
        self.live == self.shadow
    }
}

/// A projector's live rows and its shadow at one position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub projector: &'static str,
    /// Of both.
    pub position: Position,
    /// Of the live rows.
    pub live_version: i32,
    pub shadow_version: i32,
    pub tables: Vec<Table>,
}

impl Comparison {
    pub fn is_equal(&self) -> bool {
        self.tables.iter().all(Table::is_equal)
    }

    /// Whether the two should be equal: rows of another version are built because they differ.
    pub fn is_of_one_version(&self) -> bool {
        self.live_version == self.shadow_version
    }
}

impl Shadow {
    /// Brings the shadow to where the live rows stand and compares the two in one snapshot of the database. The live
    /// projector is held up only until that snapshot is taken.
    ///
    /// # Errors
    /// As [`Shadow::step`]; [`RunError::Busy`] when the two could not be brought to one position.
    pub async fn compare(&mut self) -> Result<Comparison, RunError> {
        let pool = self.runner.store.pool().clone();
        for _ in 0..TRIES {
            self.follow().await?;
            let mut standing = pool.begin().await?;
            patient(&mut standing).await?;
            let live = sqlx::query!(
                "SELECT position, version FROM read.checkpoints WHERE name = $1 FOR UPDATE",
                self.projector().name
            )
            .fetch_one(&mut *standing)
            .await?;
            // As long as that lock is held, the live rows stand here.
            self.follow().await?;
            let mut connection = pool.acquire().await?;
            let mut snapshot = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
            let shadow = sqlx::query!(
                "SELECT position, version,
                        (SELECT position FROM read.checkpoints WHERE name = $2) AS live
                 FROM read.checkpoints WHERE name = $1",
                self.runner.hold.key,
                self.projector().name,
            )
            .fetch_one(&mut *snapshot)
            .await?;
            standing.rollback().await?;
            if shadow.position != live.position || shadow.live != Some(live.position) {
                continue;
            }
            return Ok(Comparison {
                projector: self.projector().name,
                position: live.position,
                live_version: live.version,
                shadow_version: shadow.version,
                tables: tables(&mut snapshot, self.projector()).await?,
            });
        }
        Err(RunError::Busy { projector: self.projector().name })
    }
}

async fn tables(snapshot: &mut PgConnection, projector: &Projector) -> Result<Vec<Table>, sqlx::Error> {
    unhurried(snapshot).await?;
    let live = digests(snapshot, projector, Rows::Live).await?;
    let shadow = digests(snapshot, projector, Rows::Shadow).await?;
    let mut tables = Vec::with_capacity(live.len());
    for ((name, live), (_, shadow)) in live.into_iter().zip(shadow) {
        let differences = if live == shadow { Vec::new() } else { differences(snapshot, &name).await? };
        tables.push(Table { name, live, shadow, differences });
    }
    Ok(tables)
}

async fn digests(
    connection: &mut PgConnection,
    projector: &Projector,
    rows: Rows,
) -> Result<Vec<(String, Content)>, sqlx::Error> {
    let found = sqlx::query!(
        r#"SELECT view AS "view!", rows AS "rows!", digest AS "digest!" FROM read.table_digests($1, $2)"#,
        projector.name,
        rows.schema(),
    )
    .fetch_all(connection)
    .await?;
    Ok(found.into_iter().map(|row| (row.view, Content { rows: row.rows, digest: row.digest })).collect())
}

async fn differences(connection: &mut PgConnection, view: &str) -> Result<Vec<Difference>, sqlx::Error> {
    let found = sqlx::query!(
        r#"SELECT kind AS "kind!", rows AS "rows!", keys AS "keys!" FROM read.table_difference($1, $2) ORDER BY kind"#,
        view,
        FEW,
    )
    .fetch_all(connection)
    .await?;
    let kind = |word: &str| match word {
        "live" => Kind::OnlyLive,
        "shadow" => Kind::OnlyShadow,
        _ => Kind::Changed,
    };
    Ok(found.into_iter().map(|row| Difference { kind: kind(&row.kind), rows: row.rows, keys: row.keys }).collect())
}

/// What the live tables of a projector hold, each with its name.
///
/// # Errors
/// Whatever the database says.
pub async fn contents(projector: &Projector, store: &Store) -> Result<Vec<(String, Content)>, sqlx::Error> {
    let mut transaction = store.pool().begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
    unhurried(&mut transaction).await?;
    digests(&mut transaction, projector, Rows::Live).await
}
