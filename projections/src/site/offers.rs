//! Which of the sites found have a free pitch at a time, and for how much. The rules are the domain's own: the same
//! functions say yes here and in the decision, only the claims may be a few milliseconds old.

use std::collections::HashMap;

use domain::{
    Timestamp,
    aggregate::Loaded,
    guard::{OpenClaim, stands_in_the_way},
    ids::{CellId, PitchId, SiteId},
    interval::Interval,
    quote::Price,
    reservation::{Channel, Slot},
    site::{self, Format, Site},
};
use sqlx::PgPool;

use super::{
    SiteRow,
    search::{Candidate, Filter, candidates, place_of},
};
use crate::{
    Position,
    page::{Cursor, ListError, MOST, Page, hash_of, with_one_more},
    schedule,
};

/// When somebody wants to play, and what it may cost in all (minor units).
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    pub during: Interval,
    pub format: Option<Format>,
    /// Bounds, both included.
    pub price_gte: Option<i64>,
    pub price_lte: Option<i64>,
}

/// A pitch that is free then, and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub pitch_id: PitchId,
    pub slot: Slot,
    pub price: Price,
}

/// A site with at least one offer.
#[derive(Clone, Debug)]
pub struct Hit {
    pub candidate: Candidate,
    /// Cheapest first.
    pub offers: Vec<Offer>,
}

/// Sites looked at for one page: a Saturday evening must not become a scan of the country. The cursor goes on from there.
const LOOKED_AT: usize = 1_000;

/// One page of sites with a free pitch, in the order of [`super::search()`]. A page may be short and still have a next one.
///
/// # Errors
/// As [`super::search()`].
pub async fn with_a_free_pitch(
    pool: &PgPool,
    filter: &Filter,
    wish: &Wish,
    now: Timestamp,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Hit>, ListError> {
    let times = (wish.during, &wish.format, wish.price_gte, wish.price_lte);
    let hash = hash_of("sites with a free pitch", &(filter, times))?;
    let mut after = cursor.map(|text| Cursor::decode(text, hash)).transpose()?;
    let enough = usize::try_from(with_one_more(limit)?).unwrap_or(usize::MAX) - 1;
    let mut as_of = Position::MAX;
    let mut items: Vec<Hit> = Vec::new();
    let mut looked_at = 0;
    // Most evenings every other site has something free.
    let asked = i64::from(limit.saturating_mul(2).clamp(FEWEST, MOST));
    loop {
        let (sites_as_of, found) = candidates(pool, filter, after, asked).await?;
        let exhausted = i64::try_from(found.len()).is_ok_and(|found| found < asked);
        looked_at += found.len();
        let standing = Standings::of(pool, found.iter().map(|candidate| &candidate.row), wish.during).await?;
        as_of = as_of.min(sites_as_of).min(standing.as_of);
        for candidate in found {
            if items.len() == enough {
                // There is another site to look at: the last hit is where the next page begins.
                let next = items.last().map(|hit| place_of(&hit.candidate, hash).encode());
                return Ok(Page { as_of, items, next });
            }
            after = Some(place_of(&candidate, hash));
            let offers = offers(&candidate.row.site, wish, &standing.at(&candidate.row), now);
            if !offers.is_empty() {
                items.push(Hit { candidate, offers });
            }
        }
        if exhausted || looked_at >= LOOKED_AT {
            let next = if exhausted { None } else { after.map(Cursor::encode) };
            return Ok(Page { as_of, items, next });
        }
    }
}

/// Sites asked for at once, at least.
const FEWEST: u32 = 20;

/// What stands on the cells of several sites, cell by cell.
struct Standings {
    as_of: Position,
    by_cell: HashMap<CellId, Vec<OpenClaim>>,
}

impl Standings {
    /// Of these sites at that time, buffers included.
    async fn of<'a>(
        pool: &PgPool,
        rows: impl Iterator<Item = &'a SiteRow> + Clone,
        during: Interval,
    ) -> Result<Self, sqlx::Error> {
        let sites: Vec<SiteId> = rows.clone().map(|row| row.site.id).collect();
        let buffer = rows.flat_map(|row| &row.site.state.pitches).map(|pitch| pitch.buffer_minutes).max().unwrap_or(0);
        let standing = schedule::of_sites(pool, &sites, during.extended(buffer).unwrap_or(during)).await?;
        let mut by_cell: HashMap<CellId, Vec<OpenClaim>> = HashMap::new();
        for claim in standing.claims {
            by_cell.entry(claim.cell).or_default().push(claim);
        }
        Ok(Self { as_of: standing.as_of, by_cell })
    }

    fn at(&self, row: &SiteRow) -> Vec<OpenClaim> {
        row.site.state.cells.iter().filter_map(|cell| self.by_cell.get(&cell.id)).flatten().cloned().collect()
    }
}

/// What a site has free at that time, cheapest first. `claims` are the open claims on its cells around it.
pub fn offers(site: &Loaded<Site>, wish: &Wish, claims: &[OpenClaim], now: Timestamp) -> Vec<Offer> {
    let fits = |format: &Format| wish.format.as_ref().is_none_or(|wanted| wanted == format);
    let mut offers: Vec<Offer> = site
        .state
        .pitches
        .iter()
        .filter(|pitch| fits(&pitch.format))
        .filter_map(|pitch| {
            let (slot, price) = site::offer(site, pitch.id, wish.during, Channel::Online, now).ok()?;
            let affordable = wish.price_gte.is_none_or(|least| price.total.amount >= least)
                && wish.price_lte.is_none_or(|most| price.total.amount <= most);
            (affordable && !stands_in_the_way(claims, &slot.cells, slot.claims, now)).then_some(Offer {
                pitch_id: pitch.id,
                slot,
                price,
            })
        })
        .collect();
    // Fewest cells among equals: the small ground is offered before half of the large one.
    offers.sort_by_key(|offer| (offer.price.total.amount, offer.slot.cells.len(), offer.pitch_id));
    offers
}

/// An offer of another site.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    pub row: SiteRow,
    /// Metres on the sphere.
    pub distance_m: f64,
    pub offer: Offer,
}

/// The nearest other sites with a free pitch at that time, one offer each: what a client is told when the slot is taken.
///
/// # Errors
/// Whatever the database says.
pub async fn elsewhere(
    pool: &PgPool,
    from: &Loaded<Site>,
    wish: &Wish,
    now: Timestamp,
    most: usize,
) -> Result<Vec<Elsewhere>, ListError> {
    let place = from.state.identity.as_ref().and_then(|identity| identity.profile.location);
    let Some(near) = place else { return Ok(Vec::new()) };
    let filter = Filter { near: Some(near), format: wish.format.clone(), ..Filter::default() };
    // One page of the nearest is enough: farther away is no alternative.
    let (_, found) = candidates(pool, &filter, None, NEAREST).await?;
    let standing = Standings::of(pool, found.iter().map(|candidate| &candidate.row), wish.during).await?;
    let others = found.into_iter().filter(|candidate| candidate.row.site.id != from.id);
    let offered = others.filter_map(|candidate| {
        let offer = offers(&candidate.row.site, wish, &standing.at(&candidate.row), now).into_iter().next()?;
        Some(Elsewhere { distance_m: candidate.distance_m?, row: candidate.row, offer })
    });
    Ok(offered.take(most).collect())
}

const NEAREST: i64 = 20;
