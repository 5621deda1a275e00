//! Times that are none, that are over, that never are; and games that no site could host.

use ::api::http::operation::Kind;
use chrono::{DateTime, Datelike, Days, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use domain::policy::Policy;
use kalel::seeded::Seeded;
use reqwest::Method;
use serde_json::json;

use super::{
    document::with,
    house::{Door, House},
    run::{Case, Must, Tally, drawn},
};
use crate::api::{fresh_key, ground};

/// No instants, or none of the years 2000 to 2200.
const NO_INSTANTS: [&str; 26] = [
    "",
    "now",
    "1764324000",
    "2026-11-28",
    "10:00",
    "2026-11-28T10:00:00",
    "2026-11-28T10:00Z",
    "2026-02-30T10:00:00Z",
    "2026-13-01T10:00:00Z",
    "2026-00-10T10:00:00Z",
    "2026-11-31T10:00:00Z",
    "2027-02-29T10:00:00Z",
    "2026-11-28T24:00:00Z",
    "2026-11-28T25:00:00Z",
    "2026-11-28T10:60:00Z",
    "2026-11-28T10:00:61Z",
    "2026-11-28T10:00:00+25:00",
    "2026-11-28T10:00:00+00",
    "1970-01-01T00:00:00Z",
    "1999-12-31T23:59:59Z",
    "2200-01-01T00:00:01+00:00Z",
    "2201-06-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "+10000-01-01T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "2026-11-28T10:00:00[Africa/Dakar]",
];
/// Instants, and odd.
const INSTANTS: [&str; 12] = [
    "2000-01-01T00:00:00Z",
    "2001-09-09T01:46:40Z",
    "2026-12-31T23:59:60Z",
    "2199-12-31T23:59:59Z",
    "2026-12-01T10:00:00+14:00",
    "2026-12-01T10:00:00-12:00",
    "2026-12-01T10:00:00-00:00",
    "2026-12-01t10:00:00z",
    "2026-12-01T10:00:00.123456789Z",
    "2026-12-01T10:00:00.000000000000000001Z",
    "2027-03-28T02:30:00+01:00",
    "2028-02-29T12:00:00Z",
];
const NO_DATES: [&str; 10] = [
    "",
    "tomorrow",
    "2026-11-28T10:00:00Z",
    "2026-13-01",
    "2026-02-30",
    "2027-02-29",
    "28/11/2026",
    "20261128",
    "2026-W48-6",
    "0000-00-00",
];
const DATES: [&str; 7] =
    ["0001-01-01", "1970-01-01", "2026-11-28", "2027-03-28", "2028-02-29", "9999-12-31", "2199-12-31"];
const NO_CLOCKS: [&str; 9] = ["", "24:00", "25:00", "10:60", "1:00", "10", "10:00:00", "-1:00", "١٠:٠٠"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_that_are_none_are_refused_and_no_game_lies_where_none_can_be() {
    let count = super::count(500, 10_000);
    let house = House::new().await;
    let mut seeded = Seeded(super::seed());
    let mut groups: Vec<Vec<Case>> = Vec::new();
    let (mut members, mut queries) = (Vec::new(), Vec::new());
    for door in house.doors().await {
        members.extend(in_a_body(&house, &door));
        queries.extend(in_a_query(&door));
    }
    groups.extend([members, queries]);
    let grounds = grounds(&house).await;
    groups.push((0..count).map(|_| game(&house, &grounds, &mut seeded)).collect());
    let mut tally = Tally::new("time");
    tally.try_all(&house, drawn(groups, count, &mut seeded)).await;
    house.api.settle().await;
    half_open(&house, &grounds[0], &mut tally).await;
    tally.report(Some(&house.process), count);
}

fn in_a_body(house: &House, door: &Door) -> Vec<Case> {
    let Some(body) = &door.body else { return Vec::new() };
    let mut cases = Vec::new();
    let all = house.document.members(door.operation, body);
    for member in &all {
        let say = |text: &str| with(body, member, Some(json!(text))).to_string();
        if house.document.has_format(member.schema, "date-time") {
            cases.extend(
                NO_INSTANTS.map(|text| door.case(format!("{} is {text:?}", member.pointer()), say(text), Must::Form)),
            );
            // The clock is moved by nobody here.
            if door.operation.id != "test_clock.advance" {
                cases.extend(
                    INSTANTS.map(|text| door.case(format!("{} is {text:?}", member.pointer()), say(text), Must::May)),
                );
            }
        }
        if member.name == "opens" || member.name == "closes" {
            cases.extend(
                NO_CLOCKS.map(|text| door.case(format!("{} is {text:?}", member.pointer()), say(text), Must::Form)),
            );
        }
        if member.name == "time_zone" {
            for text in ["", "Dakar", "Africa/Nowhere", "UTC+25", "GMT+0:00", "../etc/localtime", "africa/dakar"] {
                cases.push(door.case(format!("{} is {text:?}", member.pointer()), say(text), Must::Form));
            }
        }
    }
    // Spans that end before they begin, or hold nothing.
    for from in all.iter().filter(|member| member.name == "from" && body.pointer(&member.pointer()).is_some()) {
        for to in all.iter().filter(|to| to.name == "to" && to.within == from.within) {
            for (begins, ends) in [
                ("2026-12-02T10:00:00Z", "2026-12-01T10:00:00Z"),
                ("2026-12-02T10:00:00Z", "2026-12-02T10:00:00Z"),
                ("2026-12-02T10:00:00Z", "2026-12-02T11:00:00+01:00"),
            ] {
                let body = with(&with(body, from, Some(json!(begins))), to, Some(json!(ends)));
                cases.push(door.case(format!("{} {begins} to {ends}", from.within), body.to_string(), Must::Refuse));
            }
        }
    }
    cases
}

fn in_a_query(door: &Door) -> Vec<Case> {
    let mut cases = Vec::new();
    if door.operation.path.ends_with("/stream") {
        return cases;
    }
    for param in door.operation.query {
        let (none, odd): (&[&str], &[&str]) = match param.kind {
            Kind::Time => (&NO_INSTANTS, &INSTANTS),
            Kind::Date => (&NO_DATES, &DATES),
            // A number is a position.
            Kind::Moment => {
                (&["", "now", "2026-11-28", "2026-02-30T10:00:00Z", "-1", "1.5", "9999-12-31T23:59:59Z"], &INSTANTS)
            }
            _ => continue,
        };
        let mut say = |text: &str, must: Must| {
            cases.push(door.asking(format!("?{}={text}", param.name), &door.query_with(param.name, text), must));
        };
        none.iter().for_each(|text| say(text, Must::Be(vec![400])));
        odd.iter().for_each(|text| say(text, Must::May));
    }
    cases
}

/// A site, when it is open, and by whose clock.
struct Hosts {
    id: String,
    zone: Tz,
    opens: u32,
    closes: u32,
}

async fn grounds(house: &House) -> Vec<Hosts> {
    let mut grounds = Vec::new();
    let policy = Policy { horizon_days: 180, ..Policy::default() };
    for (number, (zone, opens, closes)) in
        [(Tz::Africa__Dakar, 8, 22), (Tz::Europe__Paris, 1, 23), (Tz::America__New_York, 0, 12)].into_iter().enumerate()
    {
        let hours = json!([{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                             "opens": format!("{opens:02}:00"), "closes": format!("{closes:02}:00") }]);
        let site =
            ground(&format!("hosts-{number}"), json!({ "time_zone": zone.name(), "hours": hours, "policy": policy }));
        let id = house.api.post("manager", "/v1/sites", site).await.is(201).text("/id").to_owned();
        grounds.push(Hosts { id, zone, opens, closes });
    }
    grounds
}

/// A game somewhere, some time: refused for sure where no game can be.
fn game(house: &House, grounds: &[Hosts], seeded: &mut Seeded) -> Case {
    const LENGTHS: [i64; 16] = [-60, -1, 0, 1, 15, 30, 45, 59, 60, 61, 90, 120, 600, 1_440, 1_500, 4_294_967_296];
    let hosts = seeded.pick(grounds).unwrap();
    let now = house.api.store.clock().now();
    let mut below = |bound: i64| i64::try_from(seeded.below(bound.unsigned_abs())).unwrap();
    let mut starts = now - TimeDelta::days(3) + TimeDelta::minutes(below(200 * 24 * 2) * 30);
    starts = starts
        .with_minute(if starts.minute() < 30 { 0 } else { 30 })
        .unwrap()
        .with_second(0)
        .unwrap()
        .with_nanosecond(0)
        .unwrap();
    match below(6) {
        0 => starts += TimeDelta::minutes(below(60)),
        1 => starts += TimeDelta::milliseconds(below(60_000)),
        // The nights on which clocks are changed, in Europe and in America.
        2 => starts = Utc.with_ymd_and_hms(2027, 3, 28, 0, 0, 0).unwrap() + TimeDelta::minutes(30 * below(8)),
        3 => starts = Utc.with_ymd_and_hms(2027, 3, 14, 5, 0, 0).unwrap() + TimeDelta::minutes(30 * below(8)),
        _ => {}
    }
    let minutes = LENGTHS[usize::try_from(below(LENGTHS.len() as i64)).unwrap()];
    let must = if impossible(hosts, now, starts, minutes) { Must::Refuse } else { Must::May };
    let body = json!({ "site_id": hosts.id, "pitch_id": "nord", "starts_at": starts.to_rfc3339(), "minutes": minutes,
                       "payment": { "pays": "none" } });
    Case {
        about: format!("{minutes} minutes from {} in {}", starts.with_timezone(&hosts.zone), hosts.zone),
        method: Method::POST,
        path: "/v1/reservations".into(),
        who: Some("manager".into()),
        headers: vec![("content-type".into(), "application/json".into()), ("idempotency-key".into(), fresh_key())],
        body: body.to_string().into_bytes(),
        must,
    }
}

/// Not all that is impossible: what nobody can argue with.
fn impossible(hosts: &Hosts, now: DateTime<Utc>, starts: DateTime<Utc>, minutes: i64) -> bool {
    let Some(length) =
        TimeDelta::try_minutes(minutes).filter(|length| *length > TimeDelta::zero() && *length <= TimeDelta::days(2))
    else {
        return true;
    };
    let (from, to) = (starts.with_timezone(&hosts.zone), (starts + length).with_timezone(&hosts.zone));
    let clock = |hour: u32| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    let same_day = from.num_days_from_ce() == to.num_days_from_ce();
    starts < now - TimeDelta::minutes(31)
        || starts > now + Days::new(182)
        || starts.second() != 0
        || starts.timestamp_subsec_millis() != 0
        || from.time() < clock(hosts.opens)
        || !same_day
        || to.time() > clock(hosts.closes)
}

/// Two games that touch are two games; by a grid step more they are one too many.
async fn half_open(house: &House, hosts: &Hosts, tally: &mut Tally) {
    let noon =
        (house.api.store.clock().now() + TimeDelta::days(170)).date_naive().and_hms_opt(12, 0, 0).unwrap().and_utc();
    for (after, minutes, allowed) in
        [(0, 60, true), (60, 60, true), (30, 60, false), (-60, 60, true), (-30, 60, false), (120, 90, true)]
    {
        let body = json!({ "site_id": hosts.id, "pitch_id": "sud", "minutes": minutes, "payment": { "pays": "none" },
                           "starts_at": (noon + TimeDelta::minutes(after)).to_rfc3339() });
        let answer = house.api.post("manager", "/v1/reservations", body).await;
        if allowed != (answer.status == 201) {
            tally.wrong(format!("{minutes} minutes {after} after noon: {}", answer.body));
        }
    }
}
