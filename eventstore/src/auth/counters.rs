//! What was counted, with the rows locked: whoever counts is alone with them.

use chrono::{DurationRound, TimeDelta};
use domain::{
    Timestamp,
    sign_in::{Hour, Mood, mood},
};
use sqlx::{PgConnection, PgPool};

/// Nothing is asked about longer ago.
const DAY: TimeDelta = TimeDelta::days(1);
/// A week before the hour that runs, which is what `mood` looks at, and one more.
const HOURS: i64 = 7 * 24 + 1;

/// Of one telephone number, within the last day, the oldest first.
#[derive(Debug)]
pub(super) struct Number {
    pub(super) sent: Vec<Timestamp>,
    pub(super) wrong: Vec<Timestamp>,
}

/// Locks what is counted of a number. Always before the challenges of it, so that nobody waits for each other.
pub(super) async fn number(tx: &mut PgConnection, phone_hash: &str, now: Timestamp) -> Result<Number, sqlx::Error> {
    sqlx::query!(
        "INSERT INTO auth.numbers (phone_hash, touched_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        phone_hash,
        now
    )
    .execute(&mut *tx)
    .await?;
    let row = sqlx::query!("SELECT sent, wrong FROM auth.numbers WHERE phone_hash = $1 FOR UPDATE", phone_hash)
        .fetch_one(tx)
        .await?;
    Ok(Number { sent: lately(row.sent, now), wrong: lately(row.wrong, now) })
}

/// Writes what is counted of a number.
pub(super) async fn keep_number(
    tx: &mut PgConnection,
    phone_hash: &str,
    number: &Number,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE auth.numbers SET sent = $2, wrong = $3, touched_at = $4 WHERE phone_hash = $1",
        phone_hash,
        &number.sent,
        &number.wrong,
        now
    );
    done.execute(tx).await.map(drop)
}

/// Locks what is counted of addresses: in an order of their own, whoever comes first.
pub(super) async fn nets(
    tx: &mut PgConnection,
    nets: [&[u8]; 2],
    now: Timestamp,
) -> Result<[Vec<Timestamp>; 2], sqlx::Error> {
    let names: Vec<Vec<u8>> = nets.iter().map(|net| net.to_vec()).collect();
    sqlx::query!(
        "INSERT INTO auth.nets (net, touched_at) SELECT net, $2 FROM unnest($1::bytea[]) AS net ORDER BY net
         ON CONFLICT DO NOTHING",
        &names,
        now
    )
    .execute(&mut *tx)
    .await?;
    let rows = sqlx::query!("SELECT net, sent FROM auth.nets WHERE net = ANY ($1) ORDER BY net FOR UPDATE", &names)
        .fetch_all(tx)
        .await?;
    let of = |net: &[u8]| rows.iter().find(|row| row.net == net).map(|row| lately(row.sent.clone(), now));
    Ok(nets.map(|net| of(net).unwrap_or_default()))
}

/// One more code was asked for from there.
pub(super) async fn sent_from(tx: &mut PgConnection, nets: [&[u8]; 2], now: Timestamp) -> Result<(), sqlx::Error> {
    let names: Vec<Vec<u8>> = nets.iter().map(|net| net.to_vec()).collect();
    sqlx::query!(
        "UPDATE auth.nets SET touched_at = $2::timestamptz,
             sent = array(SELECT at FROM unnest(sent) AS at WHERE at > $3 ORDER BY at) || $2::timestamptz
         WHERE net = ANY ($1)",
        &names,
        now,
        now - DAY
    )
    .execute(tx)
    .await
    .map(drop)
}

/// How things are, and how many codes were sent since midnight.
pub(super) async fn everybody(pool: &PgPool, now: Timestamp) -> Result<(Mood, u32), sqlx::Error> {
    let (hour, midnight) = (begin(now, TimeDelta::hours(1)), begin(now, DAY));
    let rows = sqlx::query!(
        "SELECT hour, sent, answers_right, answers_wrong FROM auth.hours WHERE hour > $1 AND hour <= $2 ORDER BY hour DESC",
        hour - TimeDelta::hours(HOURS),
        hour
    )
    .fetch_all(pool)
    .await?;
    let count = |count: i32| u32::try_from(count).unwrap_or(0);
    let (mut running, mut before) = (Hour::default(), Vec::new());
    // Hours in which nobody answered have no row, and say as little.
    for row in &rows {
        let counted = Hour { right: count(row.answers_right), wrong: count(row.answers_wrong) };
        if row.hour == hour { running = counted } else { before.push(counted) }
    }
    if rows.iter().all(|row| row.hour != hour - TimeDelta::hours(1)) {
        before.insert(0, Hour::default());
    }
    let today = rows.iter().filter(|row| row.hour >= midnight).map(|row| count(row.sent)).sum();
    Ok((mood(running, &before), today))
}

/// One more for everybody, in the hour that runs.
pub(super) async fn count(
    tx: &mut PgConnection,
    now: Timestamp,
    sent: i32,
    right: i32,
    wrong: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO auth.hours AS known (hour, sent, answers_right, answers_wrong) VALUES ($1, $2, $3, $4)
         ON CONFLICT (hour) DO UPDATE SET sent = known.sent + $2, answers_right = known.answers_right + $3,
             answers_wrong = known.answers_wrong + $4",
        begin(now, TimeDelta::hours(1)),
        sent,
        right,
        wrong
    )
    .execute(tx)
    .await
    .map(drop)
}

/// When the hour or the day began (Senegal keeps UTC all year).
fn begin(now: Timestamp, span: TimeDelta) -> Timestamp {
    now.duration_trunc(span).unwrap_or(now)
}

fn lately(mut all: Vec<Timestamp>, now: Timestamp) -> Vec<Timestamp> {
    all.retain(|at| now - *at < DAY);
    all.sort_unstable();
    all
}
