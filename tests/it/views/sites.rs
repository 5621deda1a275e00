//! Search near a point and by words, with a free pitch at a time; and what is never shown.

use std::collections::BTreeSet;

use domain::{
    ids::*,
    place::{Outline, Point},
    site as event,
};
use projections::{
    page::Page,
    site::{self, Candidate, Filter, Wish},
};
use sqlx::{
    Connection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::make::{Booking, Ground, Log, at, hours, id, text};

const DAKAR: (f64, f64) = (14.6868, -17.4547);

fn near(place: (f64, f64)) -> Filter {
    Filter { near: Some(Point::new(place.0, place.1).unwrap()), ..Filter::default() }
}

fn ids(page: &Page<Candidate>) -> Vec<SiteId> {
    page.items.iter().map(|found| found.row.site.id).collect()
}

async fn search(log: &Log, filter: &Filter) -> Vec<SiteId> {
    ids(&site::search(&log.world.pool, filter, None, 100).await.unwrap())
}

/// Three sites at growing distance, and one whose place nobody knows.
async fn four(log: &mut Log) -> [Ground; 4] {
    let grounds = [(); 4].map(|()| Ground::new());
    let places = [Some((14.6868, -17.4600)), Some((14.7167, -17.4677)), Some((14.4167, -16.9667)), None];
    let names = ["Temple du Foot", "Médina Sacré-Cœur", "Mbour 100%", "Nulle part"];
    for ((ground, place), name) in grounds.iter().zip(places).zip(names) {
        log.write(ground.site, ground.events(name, place)).await;
    }
    log.project().await;
    grounds
}

#[tokio::test]
async fn the_nearest_come_first_and_who_has_no_place_is_near_to_nothing() {
    let mut log = Log::new().await;
    let [temple, medina, mbour, nowhere] = four(&mut log).await;
    let page = site::search(&log.world.pool, &near(DAKAR), None, 100).await.unwrap();
    assert_eq!(ids(&page), [temple.site, medina.site, mbour.site]);
    assert_eq!(page.as_of, log.store.head().await.unwrap());
    let metres: Vec<f64> = page.items.iter().map(|found| found.distance_m.unwrap()).collect();
    // By the haversine formula with the mean radius of the Earth: 570 m, 3 610 m, 60.5 km.
    for (metres, expected) in metres.iter().zip([570.0, 3_610.0, 60_500.0]) {
        assert!((metres - expected).abs() < expected * 0.01, "{metres} is not about {expected}");
    }
    let within = |radius| Filter { radius_m: Some(radius), ..near(DAKAR) };
    assert_eq!(search(&log, &within(3_000.0)).await, [temple.site]);
    assert_eq!(search(&log, &within(4_000.0)).await, [temple.site, medina.site]);
    let catalogue = search(&log, &Filter::default()).await;
    assert_eq!(catalogue, [temple.site, medina.site, mbour.site, nowhere.site]);
    let nobody = site::search(&log.world.pool, &within(0.5), None, 5).await.unwrap();
    assert_eq!((ids(&nobody), nobody.as_of), (vec![], log.store.head().await.unwrap()));
}

/// Grounds of one complex stand on the same point: a page may end between equals.
#[tokio::test]
async fn equally_near_sites_are_each_on_one_page() {
    let mut log = Log::new().await;
    let mut all = BTreeSet::new();
    for _ in 0..7 {
        let ground = Ground::new();
        log.write(ground.site, vec![ground.registered("Complexe", Some(DAKAR))]).await;
        all.insert(ground.site);
    }
    log.project().await;
    for limit in 1..=8 {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = site::search(&log.world.pool, &near(DAKAR), cursor.as_deref(), limit).await.unwrap();
            assert!(!page.items.is_empty() && page.items.len() <= limit as usize);
            seen.extend(ids(&page));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, Vec::from_iter(all.clone()), "by {limit}");
    }
}

#[tokio::test]
async fn words_formats_prices_and_owners_narrow_the_search() {
    let mut log = Log::new().await;
    let [temple, medina, mbour, _] = four(&mut log).await;
    let words = |q: &str| Filter { q: Some(q.to_owned()), ..Filter::default() };
    assert_eq!(search(&log, &words("medina COEUR")).await, [medina.site]);
    assert_eq!(search(&log, &words("foot dakar")).await, [temple.site]);
    assert_eq!(search(&log, &words("100%")).await, [mbour.site]);
    assert_eq!(search(&log, &words("%")).await, [mbour.site], "a sign is a sign, no pattern");
    assert_eq!(search(&log, &words("foot tennis")).await, []);
    let format = |format: &str| Filter { format: Some(text(format)), ..near(DAKAR) };
    assert_eq!(search(&log, &format("8x8")).await.len(), 3);
    assert_eq!(search(&log, &format("11x11")).await, []);
    let price = |gte, lte| Filter { hour_gte: gte, hour_lte: lte, ..near(DAKAR) };
    assert_eq!(search(&log, &price(None, Some(29_999))).await, []);
    assert_eq!(search(&log, &price(Some(60_000), None)).await.len(), 3);
    assert_eq!(search(&log, &price(Some(60_001), None)).await, []);
    assert_eq!(search(&log, &Filter { manager_id: Some(medina.manager), ..Filter::default() }).await, [medina.site]);
    assert_eq!(search(&log, &Filter { within: Some(vec![mbour.site]), ..near(DAKAR) }).await, [mbour.site]);
    let (_, theirs) = site::of_manager(&log.world.pool, medina.manager).await.unwrap();
    assert_eq!(theirs.iter().map(|row| row.site.id).collect::<Vec<_>>(), [medina.site]);
}

#[tokio::test]
async fn never_again_public_pages_leak_a_manager_s_phone_and_tax_number() {
    let mut log = Log::new().await;
    let ground = Ground::new();
    log.write(ground.site, ground.events("Before", Some(DAKAR))).await;
    let phone = log.store.subjects().seal(ground.manager.uuid(), "phone", "+221770000000").await.unwrap();
    let contact =
        event::ContactSet { site_id: ground.site, subject: ground.manager, phone: Some(phone.clone()), email: None };
    let corner = |lat, lon| Point::new(lat, lon).unwrap();
    let outline = vec![corner(14.0, -17.0), corner(14.0, -17.001), corner(14.001, -17.001)];
    let profile = event::Profile {
        footprint: Some(Outline::new(outline).unwrap()),
        ..Ground::profile("After", Some((14.0005, -17.0005)))
    };
    log.write(ground.site, vec![contact.into(), event::Described { site_id: ground.site, profile }.into()]).await;
    log.project().await;
    let row = site::find(&log.world.pool, ground.site).await.unwrap().row.unwrap();
    let mut loaded = log.store.load::<event::Site>(ground.site).await.unwrap();
    assert!(loaded.state.contact.is_some() && row.site.state.contact.is_none());
    assert_eq!(row.site.version, loaded.version);
    loaded.state.contact = None;
    assert_eq!(row.site.state, loaded.state, "the view is the folded site");
    let identity = row.site.state.identity.clone().unwrap();
    let by_slug = site::find_by_slug(&log.world.pool, &identity.slug).await.unwrap().row.unwrap();
    assert_eq!((by_slug.site.id, by_slug.position), (ground.site, row.position));
    let (raw, footprint, metres): (String, String, f64) =
        sqlx::query_as("SELECT s::text, ST_AsGeoJSON(footprint), ST_Area(footprint) FROM read.sites AS s")
            .fetch_one(&log.world.pool)
            .await
            .unwrap();
    assert!(!raw.contains(&phone.0), "{raw}");
    assert_eq!(footprint, r#"{"type":"Polygon","coordinates":[[[-17,14],[-17.001,14],[-17.001,14.001],[-17,14]]]}"#);
    assert!((5_000.0..7_000.0).contains(&metres), "half of 111 m by 108 m, not {metres}");
    assert!(site::find(&log.world.pool, id()).await.unwrap().row.is_none());
}

#[tokio::test]
async fn only_sites_with_a_free_pitch_at_that_time_are_found() {
    let mut log = Log::new().await;
    let [temple, medina, mbour, _] = four(&mut log).await;
    let held = Booking::new(temple.slot(temple.north, hours(20, 21)));
    let firm = Booking::new(medina.slot(medina.whole, hours(20, 21)));
    log.write(held.id, vec![held.held(at(2))]).await;
    log.write(firm.id, vec![firm.held(at(2)), firm.confirmed(false)]).await;
    log.project().await;
    let wish =
        |format: Option<&str>, during| Wish { during, format: format.map(text), price_gte: None, price_lte: None };
    let found = async |wish: Wish, now| -> Vec<(SiteId, Vec<PitchId>)> {
        let page = site::with_a_free_pitch(&log.world.pool, &near(DAKAR), &wish, now, None, 10).await.unwrap();
        assert_eq!((page.as_of, page.next), (log.store.head().await.unwrap(), None));
        let offered = |hit: site::Hit| hit.offers.iter().map(|offer| offer.pitch_id).collect();
        page.items.into_iter().map(|hit| (hit.candidate.row.site.id, offered(hit))).collect()
    };
    let pitches = |ground: &Ground| vec![ground.north, ground.south, ground.whole];
    let evening = hours(20, 21);
    assert_eq!(
        found(wish(None, evening), at(1)).await,
        [(temple.site, vec![temple.south]), (mbour.site, pitches(&mbour))],
        "half a ground is held, a whole one is taken"
    );
    assert_eq!(
        found(wish(Some("8x8"), evening), at(2)).await,
        [(temple.site, vec![temple.whole]), (mbour.site, vec![mbour.whole])],
        "the hold has lapsed"
    );
    assert_eq!(found(wish(None, hours(21, 22)), at(1)).await.len(), 3, "18–19 and 19–20 touch");
    assert_eq!(found(wish(None, evening), at(21)).await, [], "that was yesterday");
    let rich = Wish { price_gte: Some(60_000), ..wish(None, evening) };
    assert_eq!(found(rich, at(1)).await, [(mbour.site, vec![mbour.whole])]);
    let cheap = Wish { price_lte: Some(29_999), ..wish(None, evening) };
    assert_eq!(found(cheap, at(1)).await, []);
    let here = site::find(&log.world.pool, medina.site).await.unwrap().row.unwrap();
    let five = wish(Some("5x5"), evening);
    let others = site::elsewhere(&log.world.pool, &here.site, &five, at(1), 2).await.unwrap();
    let others: Vec<_> = others.iter().map(|other| (other.row.site.id, other.offer.pitch_id)).collect();
    assert_eq!(others, [(temple.site, temple.south), (mbour.site, mbour.north)]);
    let one = site::with_a_free_pitch(&log.world.pool, &near(DAKAR), &five, at(1), None, 1).await.unwrap();
    let (nearby, cursor) = (near(DAKAR), one.next.as_deref());
    let next = site::with_a_free_pitch(&log.world.pool, &nearby, &five, at(1), cursor, 1).await.unwrap();
    assert_eq!(next.items[0].candidate.row.site.id, mbour.site);
    assert_eq!(next.next, None);
}

/// Ten thousand sites on a grid around Dakar, written to the log in one go.
async fn ten_thousand(log: &Log) {
    let template = Ground::new().registered("SITE", Some((1.0, 2.0)));
    let data = template.to_json().unwrap();
    sqlx::query(
        r#"INSERT INTO event_log.events
           SELECT n, ('01935000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, site, 1, 'site.registered', 1,
                  jsonb_set(jsonb_set(jsonb_set(jsonb_set($1::jsonb,
                      '{site_id}', to_jsonb(site)), '{slug}', to_jsonb('s-' || n)),
                      '{profile,name}', to_jsonb('Terrain ' || n)),
                      '{profile,location}', jsonb_build_object('lat', 14 + (n / 100) * 0.01, 'lon', -17 - (n % 100) * 0.01))::json,
                  '{"actor":{"role":"system"}}', now()
           FROM generate_series(1, 10000) AS n,
                LATERAL (SELECT ('01935000-0000-7000-a000-' || lpad(to_hex(n), 12, '0'))::uuid AS site) AS id"#,
    )
    .bind(data)
    .execute(&log.world.pool)
    .await
    .unwrap();
    log.project().await;
    let mut owner = sqlx::PgConnection::connect(&log.world.superuser_url()).await.unwrap();
    sqlx::raw_sql("ANALYZE read.sites").execute(&mut owner).await.unwrap();
}

#[tokio::test]
async fn among_ten_thousand_sites_the_index_finds_the_nearest() {
    let log = Log::new().await;
    ten_thousand(&log).await;
    // One connection, so that its statistics can be asked for.
    let options: PgConnectOptions = log.world.superuser_url().parse().unwrap();
    let options = options.options([("search_path", "read,public")]);
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    let read = async || -> (i64, i64) {
        sqlx::query("SELECT pg_stat_force_next_flush()").execute(&pool).await.unwrap();
        sqlx::query_as(
            "SELECT idx_scan, (SELECT seq_scan FROM pg_stat_user_tables WHERE schemaname = 'read' AND relname = 'sites')
             FROM pg_stat_user_indexes WHERE schemaname = 'read' AND indexrelname = 'sites_location'",
        )
        .fetch_one(&pool)
        .await
        .unwrap()
    };
    let (scans, whole) = read().await;
    let middle = near((14.503, -17.497));
    for filter in [middle.clone(), Filter { radius_m: Some(5_000.0), ..middle.clone() }] {
        let page = site::search(&pool, &filter, None, 20).await.unwrap();
        assert_eq!(page.items.len(), 20);
        let distances: Vec<f64> = page.items.iter().map(|found| found.distance_m.unwrap()).collect();
        assert!(distances.is_sorted() && distances[19] < 5_000.0, "{distances:?}");
    }
    let after = read().await;
    assert_eq!((after.0 - scans, after.1 - whole), (2, 0), "the spatial index, and never the whole table");
    // Every site once, in the order of distance, over all pages.
    let circle = Filter { radius_m: Some(12_000.0), ..middle };
    let (mut seen, mut last, mut cursor) = (BTreeSet::new(), (0.0, id()), None);
    loop {
        let page = site::search(&pool, &circle, cursor.as_deref(), 37).await.unwrap();
        for found in &page.items {
            let place = (found.distance_m.unwrap(), found.row.site.id.uuid());
            assert!(place.0 > last.0 || (place.0 == last.0 && place.1 > last.1), "{place:?} after {last:?}");
            assert!(seen.insert(place.1));
            last = place;
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let all: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM read.sites WHERE ST_Distance(location, ST_Point(-17.497, 14.503, 4326)::geography, false) <= 12000",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(i64::try_from(seen.len()).unwrap(), all);
    assert!(all > 300, "{all}");
}
