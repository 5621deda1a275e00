//! Lists of reservations: by client, by site, by day.

use domain::{
    Timestamp,
    ids::{ClientId, PitchId, PrincipalId, ReservationId, SiteId},
};
use serde::Serialize;
use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Reservation, Status, rows};
use crate::{
    Position,
    page::{Cursor, ListError, Page, cut, hash_of, with_one_more},
};

/// Whose reservations may be seen. Rights are part of the query: what is not in the list cannot leak.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Whose {
    Everybody,
    Client(ClientId),
    /// Of the sites that this manager runs.
    Manager(PrincipalId),
    /// Of these sites (staff).
    Sites(Vec<SiteId>),
    /// Made with this principal's keys, or at these sites (a service).
    Service {
        principal: PrincipalId,
        sites: Vec<SiteId>,
    },
}

/// The order of a list; ties are broken by id, so that it is stable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Sort {
    #[default]
    NewestFirst,
    OldestFirst,
    /// By start, the next ones first.
    StartsAt,
    StartsAtDescending,
}

impl Sort {
    const fn column(self) -> &'static str {
        match self {
            Self::NewestFirst | Self::OldestFirst => "r.created_position",
            Self::StartsAt | Self::StartsAtDescending => "r.starts_at",
        }
    }

    const fn descends(self) -> bool {
        matches!(self, Self::NewestFirst | Self::StartsAtDescending)
    }
}

/// What to list. Everything that is set must hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Filter {
    pub whose: Whose,
    /// Narrows it further: the sites that a key is restricted to.
    pub within: Option<Vec<SiteId>>,
    pub site_id: Option<SiteId>,
    pub pitch_id: Option<PitchId>,
    pub client_id: Option<ClientId>,
    /// Any of these; empty means any at all.
    pub status: Vec<Status>,
    /// This start is included.
    pub starts_at_gte: Option<Timestamp>,
    /// This one is not.
    pub starts_at_lt: Option<Timestamp>,
    pub sort: Sort,
}

/// Where a reservation stands that is not over.
pub const AHEAD: [Status; 3] = [Status::Held, Status::Confirmed, Status::CheckedIn];

impl Filter {
    pub fn of(whose: Whose) -> Self {
        Self {
            whose,
            within: None,
            site_id: None,
            pitch_id: None,
            client_id: None,
            status: Vec::new(),
            starts_at_gte: None,
            starts_at_lt: None,
            sort: Sort::default(),
        }
    }
}

/// One page of reservations with their money.
///
/// # Errors
/// [`ListError`] for a cursor of other filters, a limit outside 1–100, or whatever the database says.
pub async fn list(
    pool: &PgPool,
    filter: &Filter,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Reservation>, ListError> {
    let hash = hash_of("reservations", filter)?;
    let after = cursor.map(|text| Cursor::decode(text, hash)).transpose()?;
    let mut query = QueryBuilder::new("SELECT r.reservation_id FROM reservations AS r WHERE true");
    narrow(&mut query, filter);
    if let Some(after) = after {
        let compare = if filter.sort.descends() { " < (" } else { " > (" };
        query.push(" AND (").push(filter.sort.column()).push(", r.reservation_id)").push(compare);
        match filter.sort {
            Sort::NewestFirst | Sort::OldestFirst => query.push_bind(after.key),
            Sort::StartsAt | Sort::StartsAtDescending => {
                query.push_bind(Timestamp::from_timestamp_micros(after.key).ok_or(ListError::Cursor)?)
            }
        };
        query.push(", ").push_bind(after.id).push(")");
    }
    let order = if filter.sort.descends() { " DESC" } else { "" };
    query.push(" ORDER BY ").push(filter.sort.column()).push(order);
    query.push(", r.reservation_id").push(order);
    query.push(" LIMIT ").push_bind(with_one_more(limit)?);
    let ids: Vec<Uuid> = query.build_query_scalar().fetch_all(pool).await?;
    let ids: Vec<ReservationId> = ids.into_iter().map(ReservationId::from).collect();
    // The rows come from one statement with their position; one that left the filter since keeps its place.
    let (as_of, found) = rows::find_many(pool, &ids).await?;
    let (items, next) = cut(found, limit, |row| Cursor {
        key: key(filter.sort, row.details.created_position, row.details.during.from()),
        id: row.details.reservation_id.uuid(),
        filters: hash,
    });
    Ok(Page { as_of, items, next })
}

fn key(sort: Sort, created: Position, starts_at: Timestamp) -> i64 {
    match sort {
        Sort::NewestFirst | Sort::OldestFirst => created,
        Sort::StartsAt | Sort::StartsAtDescending => starts_at.timestamp_micros(),
    }
}

fn narrow(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    let uuids = |sites: &[SiteId]| -> Vec<Uuid> { sites.iter().map(|site| site.uuid()).collect() };
    match &filter.whose {
        Whose::Everybody => {}
        Whose::Client(client) => {
            query.push(" AND r.client_id = ").push_bind(client.uuid());
        }
        Whose::Manager(manager) => {
            query.push(" AND r.site_id IN (SELECT site_id FROM sites WHERE manager_id = ");
            query.push_bind(manager.uuid()).push(")");
        }
        Whose::Sites(sites) => {
            query.push(" AND r.site_id = ANY (").push_bind(uuids(sites)).push(")");
        }
        Whose::Service { principal, sites } => {
            query.push(" AND (r.placed_by = ").push_bind(principal.uuid());
            query.push(" OR r.site_id = ANY (").push_bind(uuids(sites)).push("))");
        }
    }
    if let Some(sites) = &filter.within {
        query.push(" AND r.site_id = ANY (").push_bind(uuids(sites)).push(")");
    }
    if let Some(site) = filter.site_id {
        query.push(" AND r.site_id = ").push_bind(site.uuid());
    }
    if let Some(pitch) = filter.pitch_id {
        query.push(" AND r.pitch_id = ").push_bind(pitch.uuid());
    }
    if let Some(client) = filter.client_id {
        query.push(" AND r.client_id = ").push_bind(client.uuid());
    }
    if !filter.status.is_empty() {
        let status: Vec<&str> = filter.status.iter().map(|status| status.as_str()).collect();
        query.push(" AND r.status = ANY (").push_bind(status).push(")");
    }
    if let Some(from) = filter.starts_at_gte {
        query.push(" AND r.starts_at >= ").push_bind(from);
    }
    if let Some(to) = filter.starts_at_lt {
        query.push(" AND r.starts_at < ").push_bind(to);
    }
}
