//! Showing that one has a telephone number, or a telephone: what comes before every session.

mod ask;
mod prove;
mod work;

use adapters::device;
use domain::{
    client::DeviceKey,
    phone::{Phone, PhoneHash},
    sign_in::{Purpose, TooMany},
};
use eventstore::auth::challenge::{self, About, Known, Stage};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    App,
    http::{
        call::Call,
        halt::Halt,
        operation::{Exemplary, Operation},
    },
    problem::Problem,
    shape::utc_text,
};

pub const OPERATIONS: &[&Operation] = &[&ask::ASK, &prove::PROVE];

/// What the operator decides about codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Codes sent on one day, to all together: what an attack on the purse can cost. Default 5 000.
    pub codes_a_day: u32,
    /// Whether mobile numbers of other countries get codes, which cost more. Default no.
    pub foreign_numbers: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { codes_a_day: 5_000, foreign_numbers: false }
    }
}

/// A question that only one telephone can answer.
#[derive(Serialize, ToSchema)]
#[schema(as = Challenge)]
pub struct ChallengeBody {
    object: &'static str,
    id: Uuid,
    /// What the device signs, so that nobody else answers: `signature` is Ed25519 over these bytes.
    sign: String,
    #[schema(format = "date-time")]
    expires_at: String,
    /// From when on another code can be sent.
    #[schema(format = "date-time")]
    resend_at: String,
}

impl ChallengeBody {
    pub fn of(asked: &challenge::Asked, purpose: Purpose) -> Self {
        Self {
            object: "challenge",
            id: asked.id,
            sign: device::signed_text(asked.id, purpose),
            expires_at: utc_text(asked.expires_at),
            resend_at: utc_text(asked.resend_at),
        }
    }
}

impl Exemplary for ChallengeBody {
    fn example() -> Value {
        json!({
            "object": "challenge",
            "id": "019ab2c4-5f00-7000-8000-0000000000c4",
            "sign": "kalel-sign-in-v1\n019ab2c4-5f00-7000-8000-0000000000c4\nsign_in",
            "expires_at": "2026-11-28T12:05:00Z",
            "resend_at": "2026-11-28T12:00:30Z",
        })
    }
}

/// The challenge, when the device that it is for has signed.
///
/// # Errors
/// `challenge.over`: there is none, or somebody else answers; which of the two is nobody's business.
pub async fn signed(app: &App, id: Uuid, signature: &str) -> Result<Known, Problem> {
    let known = challenge::find(&app.store, id).await.map_err(eventstore::ReadError::from)?;
    let signed = |known: &Known| device::signed(&known.device_key, known.id, known.purpose, signature);
    known.filter(signed).ok_or_else(|| Problem::new("challenge.over"))
}

/// A number that was proven, by the device that says so.
pub struct Proven {
    pub id: Uuid,
    pub phone_hash: PhoneHash,
    pub phone: Phone,
    pub device_key: DeviceKey,
}

/// What was proven for this, and for nothing else.
///
/// # Errors
/// `challenge.over`, `challenge.not_proven`.
pub async fn proven(app: &App, id: Uuid, signature: &str, purpose: Purpose) -> Result<Proven, Problem> {
    let known = signed(app, id, signature).await?;
    match (known.stage, known.about) {
        (Stage::Waiting, _) if known.purpose == purpose => Err(Problem::new("challenge.not_proven")),
        (Stage::Open, About::Number(phone_hash, Some(phone))) if known.purpose == purpose => {
            Ok(Proven { id: known.id, phone_hash, phone, device_key: known.device_key })
        }
        _ => Err(Problem::new("challenge.over")),
    }
}

/// Uses a challenge up.
///
/// # Errors
/// `challenge.over` when it was used meanwhile.
pub async fn use_up(call: &Call, id: Uuid) -> Result<(), Halt> {
    let used = challenge::use_up(&call.app.store, id).await.map_err(eventstore::ReadError::from)?;
    if used { Ok(()) } else { Err(Problem::new("challenge.over").into()) }
}

fn too_many(call: &Call, too_many: TooMany) -> Problem {
    match too_many {
        TooMany::Later { retry_at } => {
            let wait = call.seconds_until(retry_at);
            Problem::new("challenge.too_many").with("seconds", wait).retry_after(wait)
        }
        TooMany::Spent => {
            tracing::error!("all codes of today are sent: nobody new can sign in");
            metrics::counter!("kalel_codes_spent_total").increment(1);
            Problem::new("challenge.unavailable").retry_after(3_600)
        }
    }
}
