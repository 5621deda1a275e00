//! Challenges: what only the holder of a number, or of a device that is bound, can answer.
//!
//! A code is made at the moment of sending and nobody has it but the message: here is a keyed hash, bound to the challenge,
//! the number and the device. Every answer is counted in the transaction that compares it.

use domain::{
    Timestamp,
    client::{DeviceKey, Language},
    ids::DeviceId,
    phone::{Phone, PhoneHash},
    sign_in::{self, Caps, Denied, LIFE, Mood, Purpose, Sent, TooMany, may_answer, may_send, proven_for, resend_at},
};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::counters;
use crate::{Store, cipher};

const FIELD: &str = "challenge";
const MAC: &str = "sign-in code v1";
const NET: &str = "sign-in address v1";

/// Who asks for a code.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    pub purpose: Purpose,
    pub phone: &'a Phone,
    pub device_key: &'a DeviceKey,
    pub language: Language,
    /// Where they ask from, and the network around it; only their keyed hashes are kept.
    pub address: &'a str,
    pub neighbours: &'a str,
}

/// A challenge that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub id: Uuid,
    /// At the latest.
    pub expires_at: Timestamp,
    /// From when on another code can be asked for.
    pub resend_at: Timestamp,
}

/// What a challenge is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub id: Uuid,
    pub purpose: Purpose,
    pub device_key: DeviceKey,
    pub about: About,
    pub stage: Stage,
}

/// How far a challenge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// For its code.
    Waiting,
    /// It opens something: its code was given, or a device is only asked to sign.
    Open,
    Over,
}

/// Whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The number itself as long as it is of use: until the challenge is used up.
    Number(PhoneHash, Option<Phone>),
    Device(DeviceId),
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    Right,
    /// So many are left.
    Wrong {
        left: u16,
    },
    Denied(Denied),
}

/// How things are: whether somebody tries numbers at random, and how many codes were sent today.
///
/// # Errors
/// The database's.
pub async fn mood(store: &Store) -> Result<Mood, sqlx::Error> {
    counters::everybody(store.pool(), store.clock().now()).await.map(|(mood, _)| mood)
}

/// Asks for a code. It takes the place of an earlier one of the same number and purpose. Committed when this returns, and
/// sent by a worker.
///
/// # Errors
/// The database's; inside, why none is sent now.
pub async fn ask(store: &Store, wish: &Wish<'_>, a_day: u32) -> Result<Result<Asked, TooMany>, sqlx::Error> {
    let (now, id) = (store.clock().now(), store.clock().new_id());
    let hash = store.subjects().hash_phone(wish.phone);
    let net = |address: &str| store.keyring().hash(NET, address.as_bytes());
    let (address, neighbours) = (net(wish.address), net(wish.neighbours));
    let nets = [address.as_slice(), neighbours.as_slice()];
    let (mood, today) = counters::everybody(store.pool(), now).await?;
    let mut tx = store.pool().begin().await?;
    let mut number = counters::number(&mut tx, &hash.0, now).await?;
    let [by_address, by_neighbours] = counters::nets(&mut tx, nets, now).await?;
    let sent = Sent { to_phone: &number.sent, by_address: &by_address, by_neighbours: &by_neighbours, today };
    let caps = Caps::of(mood, a_day);
    if let Err(too_many) = may_send(sent, caps, now) {
        return Ok(Err(too_many));
    }
    number.sent.push(now);
    counters::keep_number(&mut tx, &hash.0, &number, now).await?;
    counters::sent_from(&mut tx, nets, now).await?;
    counters::count(&mut tx, now, 1, 0, 0).await?;
    sqlx::query!(
        "UPDATE auth.challenges SET over_at = $3 WHERE phone_hash = $1 AND purpose = $2 AND over_at IS NULL
             AND proven_at IS NULL",
        hash.0,
        wish.purpose.as_str(),
        now
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "INSERT INTO auth.challenges (id, kind, purpose, phone_hash, phone, language, device_key, asked_at)
         VALUES ($1, 'code', $2, $3, $4, $5, $6, $7)",
        id,
        wish.purpose.as_str(),
        hash.0,
        store.subjects().seal_for_store(id, FIELD, wish.phone.e164()),
        wish.language.as_str(),
        wish.device_key.0,
        now
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    store.tell();
    Ok(Ok(Asked { id, expires_at: now + LIFE, resend_at: resend_at(&number.sent, caps, now) }))
}

/// Asks a device to sign. Nothing is sent.
///
/// # Errors
/// The database's.
pub async fn ask_device(store: &Store, device: DeviceId, key: &DeviceKey) -> Result<Asked, sqlx::Error> {
    let (now, id) = (store.clock().now(), store.clock().new_id());
    sqlx::query!(
        "INSERT INTO auth.challenges (id, kind, purpose, language, device_id, device_key, asked_at)
         VALUES ($1, 'device', $2, '', $3, $4, $5)",
        id,
        Purpose::SignIn.as_str(),
        device.uuid(),
        key.0,
        now
    )
    .execute(store.pool())
    .await?;
    Ok(Asked { id, expires_at: now + LIFE, resend_at: now })
}

/// A challenge, whatever its state; `None` when there is none.
///
/// # Errors
/// The database's.
pub async fn find(store: &Store, id: Uuid) -> Result<Option<Known>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT purpose, phone_hash, phone, device_id, device_key, asked_at, proven_at, used_at, over_at
         FROM auth.challenges WHERE id = $1",
        id
    )
    .fetch_optional(store.pool())
    .await?;
    let now = store.clock().now();
    Ok(row.and_then(|row| {
        let about = match (row.phone_hash, row.device_id) {
            (Some(hash), _) => {
                let phone = row.phone.as_deref().and_then(|sealed| store.subjects().open_for_store(id, FIELD, sealed));
                About::Number(PhoneHash(hash), phone.and_then(|phone| Phone::new(&phone).ok()))
            }
            (None, Some(device)) => About::Device(DeviceId::new(device)),
            (None, None) => return None,
        };
        let stage = match &about {
            _ if row.used_at.is_some() || row.over_at.is_some() => Stage::Over,
            About::Number(..) if row.proven_at.is_none() => Stage::Waiting,
            About::Number(..) if proven_for(row.proven_at, now) => Stage::Open,
            About::Device(_) if row.asked_at <= now && now < row.asked_at + LIFE => Stage::Open,
            About::Number(..) | About::Device(_) => Stage::Over,
        };
        let purpose = Purpose::named(&row.purpose)?;
        Some(Known { id, purpose, device_key: DeviceKey(row.device_key), about, stage })
    }))
}

/// Answers with a code. The device's signature is checked by whoever asks.
///
/// # Errors
/// The database's; nothing is counted then.
pub async fn answer(store: &Store, challenge: &Known, code: &str) -> Result<Answered, sqlx::Error> {
    let About::Number(hash, _) = &challenge.about else { return Ok(Answered::Denied(Denied::Over)) };
    let now = store.clock().now();
    let mut tx = store.pool().begin().await?;
    let mut number = counters::number(&mut tx, &hash.0, now).await?;
    let row = sqlx::query!(
        "SELECT code_mac, armed_at, tries, proven_at, used_at, over_at FROM auth.challenges WHERE id = $1 FOR UPDATE",
        challenge.id
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(Answered::Denied(Denied::Over)) };
    let tries = u16::try_from(row.tries).unwrap_or(u16::MAX);
    let over = row.proven_at.is_some() || row.used_at.is_some() || row.over_at.is_some();
    let state = sign_in::Challenge { armed_at: row.armed_at, tries, over };
    if let Err(denied) = may_answer(state, &number.wrong, now) {
        return Ok(Answered::Denied(denied));
    }
    let expected = row.code_mac.unwrap_or_default();
    let right = bool::from(mac(store, challenge.id, hash, &challenge.device_key, code).as_slice().ct_eq(&expected));
    sqlx::query!(
        "UPDATE auth.challenges SET tries = tries + 1, proven_at = CASE WHEN $2 THEN $3::timestamptz END WHERE id = $1",
        challenge.id,
        right,
        now
    )
    .execute(&mut *tx)
    .await?;
    if !right {
        number.wrong.push(now);
        counters::keep_number(&mut tx, &hash.0, &number, now).await?;
    }
    counters::count(&mut tx, now, 0, i32::from(right), i32::from(!right)).await?;
    tx.commit().await?;
    Ok(if right { Answered::Right } else { Answered::Wrong { left: state.left_after_this(&number.wrong, now) } })
}

/// Uses a challenge up: it opens one thing, once. False when it was used, replaced or too old meanwhile.
///
/// # Errors
/// The database's.
pub async fn use_up(store: &Store, id: Uuid) -> Result<bool, sqlx::Error> {
    let used = sqlx::query!(
        "UPDATE auth.challenges SET used_at = $2, phone = NULL WHERE id = $1 AND used_at IS NULL AND over_at IS NULL",
        id,
        store.clock().now()
    )
    .execute(store.pool())
    .await?;
    Ok(used.rows_affected() == 1)
}

/// A code that is about to be sent.
pub struct Armed {
    pub phone: Phone,
    pub code: Zeroizing<String>,
    pub language: Language,
}

/// Makes the code of a challenge, at the moment of sending. Again is another code: whoever asks again knows that the one
/// before never left. `None` when it was answered, is over, or waited too long.
///
/// # Errors
/// The database's.
pub async fn arm(store: &Store, id: Uuid) -> Result<Option<Armed>, sqlx::Error> {
    let now = store.clock().now();
    let mut tx = store.pool().begin().await?;
    let row = sqlx::query!(
        "SELECT phone_hash, phone, language, device_key FROM auth.challenges
         WHERE id = $1 AND kind = 'code' AND tries = 0 AND over_at IS NULL AND asked_at > $2 FOR UPDATE",
        id,
        now - LIFE
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let phone = row.phone.as_deref().and_then(|sealed| store.subjects().open_for_store(id, FIELD, sealed));
    let Some((phone, hash)) = phone.and_then(|phone| Phone::new(&phone).ok()).zip(row.phone_hash) else {
        return Ok(None);
    };
    let code = new_code();
    sqlx::query!(
        "UPDATE auth.challenges SET code_mac = $2, armed_at = $3 WHERE id = $1",
        id,
        &mac(store, id, &PhoneHash(hash), &DeviceKey(row.device_key), &code)[..],
        now
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Some(Armed { phone, code, language: Language::named(&row.language) }))
}

/// Challenges whose code nobody has been told to send, the oldest first. The caller marks them in the same transaction, which
/// holds them.
///
/// # Errors
/// The database's.
pub async fn take_unqueued(tx: &mut sqlx::PgConnection, now: Timestamp, most: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "UPDATE auth.challenges SET queued_at = $1 WHERE id IN (
             SELECT id FROM auth.challenges WHERE kind = 'code' AND queued_at IS NULL
             ORDER BY asked_at LIMIT $2 FOR UPDATE SKIP LOCKED)
         RETURNING id",
        now,
        most
    )
    .fetch_all(tx)
    .await
}

fn mac(store: &Store, id: Uuid, hash: &PhoneHash, key: &DeviceKey, code: &str) -> [u8; 32] {
    let bound =
        Zeroizing::new([id.as_bytes(), hash.0.as_bytes(), b"\0", key.0.as_bytes(), b"\0", code.as_bytes()].concat());
    store.keyring().hash(MAC, &bound)
}

/// Six digits, each code as likely as any other: numbers that would favour some are drawn again.
fn new_code() -> Zeroizing<String> {
    const CODES: u32 = 1_000_000;
    loop {
        let mut bytes = [0; 4];
        cipher::random(&mut bytes);
        let drawn = u32::from_be_bytes(bytes);
        if drawn < u32::MAX - u32::MAX % CODES {
            return Zeroizing::new(format!("{:06}", drawn % CODES));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_six_digits_and_differ() {
        let codes: std::collections::BTreeSet<String> = (0..1_000).map(|_| new_code().to_string()).collect();
        assert!(codes.iter().all(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())));
        assert!(codes.len() > 980, "{} of a thousand", codes.len());
        assert!(codes.iter().any(|code| code.starts_with('0')));
    }
}
