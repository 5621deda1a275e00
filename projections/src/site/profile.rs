//! `read.sites`: the folded site, and the columns it is searched by. The manager's contact and the contract are left out on
//! the way in, so no query can show them.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    aggregate::{Aggregate, Loaded},
    event::Event,
    ids::{PrincipalId, SiteId},
    place::Point,
    site::{self, Site, Tariff},
    text::Slug,
};
use serde::Serialize;
use serde_json::json;
use sqlx::{PgConnection, PgExecutor, types::Json};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Entry},
    page::Found,
};

/// A site as its events tell it: good for the public page, for prices and for availability; for decisions the site is
/// loaded from the log.
#[derive(Clone, Debug)]
pub struct SiteRow {
    /// Without the contact, the contract, and how it is paid.
    pub site: Loaded<Site>,
    pub created_at: Timestamp,
    /// The last event that is in here.
    pub position: Position,
    pub created_position: Position,
}

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let mut rows = load(connection, &Entry::with_a_past(entries.iter())).await?;
    for entry in entries {
        let Event::Site(event) = &entry.event else { continue };
        if matches!(event, site::Event::Registered(_)) {
            rows.insert(
                entry.stream_id,
                SiteRow {
                    site: Loaded::new(entry.stream_id.into()),
                    created_at: entry.recorded_at,
                    position: entry.position,
                    created_position: entry.position,
                },
            );
        }
        let row = rows.get_mut(&entry.stream_id).ok_or_else(|| entry.without_a_row())?;
        row.site.state.evolve(event.clone());
        (row.site.state.contact, row.site.state.contract) = (None, None);
        row.site.state.contract_since = None;
        (row.site.state.payout_account, row.site.state.payout_hold) = (None, None);
        row.site.version = entry.version;
        row.position = entry.position;
    }
    save(connection, rows.values()).await
}

async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, SiteRow>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT site_id, doc AS "doc: Json<Site>", created_at, version, position, created_position
           FROM sites WHERE site_id = ANY ($1)"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.site_id, row.into())).collect())
}

/// A row as it is stored.
pub(super) struct Row {
    pub site_id: Uuid,
    pub doc: Json<Site>,
    pub created_at: Timestamp,
    pub version: i32,
    pub position: Position,
    pub created_position: Position,
}

impl From<Row> for SiteRow {
    fn from(row: Row) -> Self {
        Self {
            site: Loaded { id: row.site_id.into(), version: row.version, state: row.doc.0 },
            created_at: row.created_at,
            position: row.position,
            created_position: row.created_position,
        }
    }
}

#[derive(Serialize)]
struct Written<'a> {
    site_id: SiteId,
    slug: &'a Slug,
    manager_id: PrincipalId,
    lon: Option<f64>,
    lat: Option<f64>,
    /// GeoJSON (RFC 7946) as text.
    footprint: Option<String>,
    words: String,
    formats: Vec<&'a str>,
    hour_from: Option<i64>,
    hour_to: Option<i64>,
    doc: &'a Site,
    created_at: Timestamp,
    version: i32,
    position: Position,
    created_position: Position,
}

impl<'a> Written<'a> {
    fn of(row: &'a SiteRow) -> Option<Self> {
        let state = &row.site.state;
        let identity = state.identity.as_ref()?;
        let profile = &identity.profile;
        let mut formats: Vec<&str> = state.pitches.iter().map(|pitch| pitch.format.as_str()).collect();
        formats.sort_unstable();
        formats.dedup();
        let parts = [
            Some(profile.name.as_str()),
            profile.city.as_ref().map(|city| city.as_str()),
            profile.address.as_ref().map(|address| address.as_str()),
            Some(identity.slug.as_str()),
        ];
        let hours = || state.tariffs.rules.iter().map(an_hour);
        Some(Self {
            site_id: row.site.id,
            slug: &identity.slug,
            manager_id: identity.manager_id,
            lon: profile.location.map(Point::lon),
            lat: profile.location.map(Point::lat),
            footprint: profile.footprint.as_ref().map(|outline| polygon(outline.corners())),
            words: plain(&parts.into_iter().flatten().collect::<Vec<_>>().join(" ")),
            formats,
            hour_from: hours().min(),
            hour_to: hours().max(),
            doc: state,
            created_at: row.created_at,
            version: row.site.version,
            position: row.position,
            created_position: row.created_position,
        })
    }
}

/// What an hour costs by a tariff, in minor units, rounded up. For a filter without a time; the real price needs one.
fn an_hour(tariff: &Tariff) -> i64 {
    let minutes = i64::from(tariff.minutes.max(1));
    tariff.price.amount.saturating_mul(60).saturating_add(minutes - 1) / minutes
}

/// A ring in GeoJSON repeats its first corner at the end and says longitude first.
fn polygon(corners: &[Point]) -> String {
    let ring: Vec<[f64; 2]> =
        corners.iter().chain(corners.first()).map(|corner| [corner.lon(), corner.lat()]).collect();
    json!({ "type": "Polygon", "coordinates": [ring] }).to_string()
}

/// Lower case without accents, so that `medina` finds `Médina`.
pub(super) fn plain(text: &str) -> String {
    let folded: String = text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
    folded.replace('œ', "oe").replace('æ', "ae").replace(['’', '\''], " ")
}

async fn save(connection: &mut PgConnection, rows: impl Iterator<Item = &SiteRow>) -> Result<(), ApplyError> {
    let rows: Vec<Written<'_>> = rows.filter_map(Written::of).collect();
    sqlx::query!(
        "INSERT INTO sites
         SELECT site_id, slug, manager_id, ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography,
                ST_GeomFromGeoJSON(footprint)::geography, words, formats, hour_from, hour_to, doc, created_at,
                version, position, created_position
         FROM json_to_recordset($1::text::json) AS r (
             site_id uuid, slug text, manager_id uuid, lon float8, lat float8, footprint text, words text,
             formats text[], hour_from bigint, hour_to bigint, doc json, created_at timestamptz,
             version int, position bigint, created_position bigint)
         ON CONFLICT (site_id) DO UPDATE SET
             location = excluded.location, footprint = excluded.footprint, words = excluded.words,
             formats = excluded.formats, hour_from = excluded.hour_from, hour_to = excluded.hour_to,
             doc = excluded.doc, version = excluded.version, position = excluded.position",
        serde_json::to_string(&rows)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct Asked {
    as_of: Position,
    site_id: Option<Uuid>,
    doc: Option<Json<Site>>,
    created_at: Option<Timestamp>,
    version: Option<i32>,
    position: Option<Position>,
    created_position: Option<Position>,
}

impl Asked {
    fn row(self) -> Option<SiteRow> {
        let row = Row {
            site_id: self.site_id?,
            doc: self.doc?,
            created_at: self.created_at?,
            version: self.version?,
            position: self.position?,
            created_position: self.created_position?,
        };
        Some(row.into())
    }
}

fn several(rows: Vec<Asked>) -> (Position, Vec<SiteRow>) {
    (rows.first().map_or(0, |row| row.as_of), rows.into_iter().filter_map(Asked::row).collect())
}

/// One site by id.
///
/// # Errors
/// Whatever the database says.
pub async fn find(db: impl PgExecutor<'_>, id: SiteId) -> Result<Found<SiteRow>, sqlx::Error> {
    let (as_of, mut rows) = find_many(db, &[id]).await?;
    Ok(Found { as_of, row: rows.pop() })
}

/// One site by slug.
///
/// # Errors
/// Whatever the database says.
pub async fn find_by_slug(db: impl PgExecutor<'_>, slug: &Slug) -> Result<Found<SiteRow>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Asked,
        r#"SELECT c.position AS as_of, s.site_id AS "site_id?", s.doc AS "doc?: Json<Site>",
                  s.created_at AS "created_at?", s.version AS "version?", s.position AS "position?",
                  s.created_position AS "created_position?"
           FROM checkpoints AS c LEFT JOIN sites AS s ON s.slug = $1
           WHERE c.name = 'site'"#,
        slug.as_str()
    )
    .fetch_all(db)
    .await?;
    let (as_of, mut rows) = several(rows);
    Ok(Found { as_of, row: rows.pop() })
}

/// Sites by id, in the order of the catalogue; unknown ids are left out.
///
/// # Errors
/// Whatever the database says.
pub async fn find_many(db: impl PgExecutor<'_>, ids: &[SiteId]) -> Result<(Position, Vec<SiteRow>), sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        Asked,
        r#"SELECT c.position AS as_of, s.site_id AS "site_id?", s.doc AS "doc?: Json<Site>",
                  s.created_at AS "created_at?", s.version AS "version?", s.position AS "position?",
                  s.created_position AS "created_position?"
           FROM checkpoints AS c LEFT JOIN sites AS s ON s.site_id = ANY ($1)
           WHERE c.name = 'site' ORDER BY s.created_position"#,
        &ids
    )
    .fetch_all(db)
    .await?;
    Ok(several(rows))
}

/// The sites a manager runs, in the order of the catalogue.
///
/// # Errors
/// Whatever the database says.
pub async fn of_manager(
    db: impl PgExecutor<'_>,
    manager: PrincipalId,
) -> Result<(Position, Vec<SiteRow>), sqlx::Error> {
    let rows = sqlx::query_as!(
        Asked,
        r#"SELECT c.position AS as_of, s.site_id AS "site_id?", s.doc AS "doc?: Json<Site>",
                  s.created_at AS "created_at?", s.version AS "version?", s.position AS "position?",
                  s.created_position AS "created_position?"
           FROM checkpoints AS c LEFT JOIN sites AS s ON s.manager_id = $1
           WHERE c.name = 'site' ORDER BY s.created_position"#,
        manager.uuid()
    )
    .fetch_all(db)
    .await?;
    Ok(several(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_no_case_and_no_accents() {
        assert_eq!(plain("Médina Sacré-Cœur, Route de l’Aéroport"), "medina sacre-coeur, route de l aeroport");
    }

    #[test]
    fn a_ring_is_closed_and_says_longitude_first() {
        let corner = |lat, lon| Point::new(lat, lon).unwrap();
        let text = polygon(&[corner(1.0, 2.0), corner(3.0, 4.0), corner(5.0, 6.0)]);
        assert_eq!(text, r#"{"coordinates":[[[2.0,1.0],[4.0,3.0],[6.0,5.0],[2.0,1.0]]],"type":"Polygon"}"#);
    }
}
