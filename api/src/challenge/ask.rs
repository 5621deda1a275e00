//! A code is asked for.

use adapters::{device, phone};
use axum::http::{StatusCode, header};
use domain::{
    client::Language,
    phone::Phone,
    sign_in::{Mood, Purpose},
};
use eventstore::auth::challenge::{self, Wish};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{ChallengeBody, too_many, work};
use crate::{
    http::{
        address,
        call::Call,
        form,
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const ASK: Operation = Operation {
    id: "challenge.ask",
    path: "/v1/challenges",
    summary: "Have a code sent to a telephone",
    about: "By SMS, six digits, good for five minutes and for this device only. The answer is the same whether anybody is known \
            by the number. A code that is asked for again takes the place of the one before. While somebody tries numbers at \
            random, `challenge.work_required` asks for a little work first: find `work` such that SHA-256 of `salt:work` begins \
            with `bits` zero bits.",
    authz: Authz::Anyone,
    idempotent: false,
    body: Some(Shape::of::<AskChallenge>()),
    success: Success {
        status: 202,
        shape: Some(Shape::of::<ChallengeBody>()),
        about: "It is on its way.",
        ..Operation::READ.success
    },
    refusals: &["challenge.too_many", "challenge.work_required", "challenge.country", "challenge.unavailable"],
    run: |call| Box::pin(ask(call)),
    ..Operation::WRITE
};

/// What a code is asked for. It does nothing else.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WantedFor {
    #[default]
    SignIn,
    /// The PIN is lost: `POST /v1/recoveries`.
    Recover,
    /// To be known by this number instead: `POST /v1/clients/{id}/number-change`.
    ChangeNumber,
}

impl From<WantedFor> for Purpose {
    fn from(wanted: WantedFor) -> Self {
        match wanted {
            WantedFor::SignIn => Self::SignIn,
            WantedFor::Recover => Self::Recover,
            WantedFor::ChangeNumber => Self::ChangeNumber,
        }
    }
}

/// Who wants to sign in, and with which device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskChallenge {
    /// A mobile number; Senegalese unless it says its country.
    #[schema(max_length = 32, example = "77 123 45 67")]
    #[serde(deserialize_with = "form::at_most::<32, _>")]
    phone: String,
    /// The public half of an Ed25519 key pair made on the device, 32 bytes in base64url. Another pair for each person.
    #[schema(min_length = 43, max_length = 43, pattern = "^[A-Za-z0-9_-]{43}$")]
    device_key: String,
    /// `sign_in` unless it says otherwise.
    #[serde(default)]
    #[schema(inline)]
    purpose: WantedFor,
    /// `fr`, `en` or `wo`: what the message is written in. Otherwise as `Accept-Language` says.
    #[schema(value_type = Option<String>)]
    language: Option<Language>,
    /// The answer to `challenge.work_required`.
    #[schema(max_length = 32)]
    work: Option<String>,
}

impl Exemplary for AskChallenge {
    fn example() -> Value {
        json!({ "phone": "77 123 45 67", "device_key": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    }
}

async fn ask(call: Call) -> Result<Reply, Halt> {
    let body: AskChallenge = call.body()?;
    let app = &call.app;
    let phone = number(&body.phone, app.settings.sign_in.foreign_numbers)?;
    let key = device::key(&body.device_key)
        .map_err(|refused| Problem::new("request.invalid_field").at("/device_key", refused.to_string()))?;
    if challenge::mood(&app.store).await.map_err(eventstore::ReadError::from)? == Mood::Alarmed {
        metrics::counter!("kalel_sign_in_alarmed_total").increment(1);
        tracing::warn!("somebody tries codes at random: work is asked for before one is sent");
        work::check(&app.keyring, &phone, &key, call.now(), body.work.as_deref())?;
    }
    let language = body.language.unwrap_or_else(|| Language::named(call.language.tag()));
    let wish = Wish {
        purpose: body.purpose.into(),
        phone: &phone,
        device_key: &key,
        language,
        address: &call.address.to_string(),
        neighbours: &address::neighbours(call.address).to_string(),
    };
    let asked = challenge::ask(&app.store, &wish, app.settings.sign_in.codes_a_day).await;
    let asked = asked.map_err(eventstore::ReadError::from)?.map_err(|refused| too_many(&call, refused))?;
    let reply = Reply::json(StatusCode::ACCEPTED, &ChallengeBody::of(&asked, body.purpose.into()))?;
    Ok(reply.header(header::CACHE_CONTROL, "no-store"))
}

/// A mobile number that codes are sent to.
fn number(typed: &str, foreign: bool) -> Result<Phone, Problem> {
    let phone = phone::mobile(typed)
        .map_err(|refused| Problem::new("request.invalid_field").at("/phone", refused.to_string()))?;
    if foreign || phone.e164().starts_with("+221") { Ok(phone) } else { Err(Problem::new("challenge.country")) }
}
