//! Finding a pitch, reserving it, being let in.

use chrono::Duration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    Booked,
    guide::{Guide, Off, wrong},
    stage::Stage,
};

/// A player looks around Temple du Foot; a manager opens a site of their own.
pub(super) async fn find_and_prepare(guide: &mut Guide) -> Result<Stage, Off> {
    guide.chapter("A player looks for a five-a-side pitch near Temple du Foot");
    let path = "/v1/sites?near=14.6868,-17.4547&radius_m=3000&format=5x5&limit=3";
    let found = guide.call("anybody", Method::GET, path, None, StatusCode::OK).await?;
    for site in found.body["data"].as_array().into_iter().flatten() {
        guide.show(site["slug"].as_str().unwrap_or("?"), &format!("{} m", site["distance_m"]));
    }
    match found.text("/data/0/slug")?.as_str() {
        "temple-du-foot" => guide.holds("the nearest is the one we stand at"),
        other => return Err(wrong(format!("the nearest site is {other}"))),
    }
    let page = guide.call("anybody", Method::GET, "/v1/sites/temple-du-foot", None, StatusCode::OK).await?;
    let text = page.body.to_string();
    if text.contains("manager") || text.contains("+221") {
        return Err(wrong("the public page of a site tells who runs it"));
    }
    guide.holds("the public page has no telephone number and no manager on it");

    guide.chapter("A manager registers a site that is open around the clock");
    let stage = Stage::build(guide).await?;
    guide.align().await?;
    guide.events().await?;

    guide.chapter("What is free there, and what does it cost?");
    let date = stage.hour(0).format("%Y-%m-%d");
    let path = format!("/v1/sites/{}/availability?date={date}&minutes=60&format=8x8", stage.slug);
    let free = guide.call("anybody", Method::GET, &path, None, StatusCode::OK).await?;
    let starts = free.body["pitches"][0]["starts"].as_array().map(Vec::len).unwrap_or_default();
    guide.show("free starts", &starts.to_string());
    guide.show("price of the first", &free.text("/pitches/0/starts/0/total/amount")?);
    if starts < 40 {
        return Err(wrong(format!("a day open around the clock has {starts} starts")));
    }
    Ok(stage)
}

/// The same slot, the same key, the same answer; another key, the slot is taken.
pub(super) async fn reserve_twice(guide: &mut Guide, stage: &Stage) -> Result<(), Off> {
    guide.chapter("A quote, and a hold under an idempotency key");
    let slot = stage.slot("grand", stage.hour(0));
    let quote = guide.call("service", Method::POST, "/v1/quotes", Some(slot.clone()), StatusCode::OK).await?;
    guide.show("total", &quote.text("/price/total/amount").or_else(|_| quote.text("/total/amount"))?);
    let phone = Stage::phone(guide, 1)?;
    let body = json!({
        "quote": quote.text("/quote")?, "client": { "phone": phone, "name": "Awa" }, "payment": { "pays": "none" },
    });
    let key = format!("tour-{}-the-same-key", guide.run);
    let path = "/v1/reservations";
    let first =
        guide.call_with_key("service", Method::POST, path, Some(body.clone()), StatusCode::CREATED, &key).await?;
    guide.show("reservation", &first.text("/id")?);
    guide.show("status", &first.text("/status")?);
    guide.show("hold_expires_at", &first.text("/hold_expires_at")?);
    let again = guide.call_with_key("service", Method::POST, path, Some(body), StatusCode::CREATED, &key).await?;
    if !again.replayed || again.text("/id")? != first.text("/id")? {
        return Err(wrong("the same key with the same body got another answer"));
    }
    guide.holds("the same key and body answer the same, marked Idempotent-Replayed");
    let mut other = slot;
    other["client"] = json!({ "phone": Stage::phone(guide, 2)?, "name": "Modou" });
    guide
        .call_with_key("service", Method::POST, path, Some(other.clone()), StatusCode::UNPROCESSABLE_ENTITY, &key)
        .await?;
    guide.holds("the same key with another body is refused");

    guide.chapter("Somebody else wants the same slot");
    other["payment"] = json!({ "pays": "none" });
    let taken = guide.call("service", Method::POST, path, Some(other), StatusCode::CONFLICT).await?;
    guide.show("code", &taken.text("/code")?);
    let alternatives = taken.body["alternatives"].as_array().map(Vec::len).unwrap_or_default();
    guide.show("alternatives", &alternatives.to_string());
    if alternatives == 0 {
        return Err(wrong("a taken slot is answered without alternatives"));
    }
    let path = format!("/v1/reservations/{}/cancellation", first.text("/id")?);
    guide.call("service", Method::POST, &path, Some(json!({})), StatusCode::OK).await?;
    guide.events().await
}

/// Half-open edges, and ground that is sold whole or in halves.
pub(super) async fn neighbours_and_halves(guide: &mut Guide, stage: &Stage) -> Result<(), Off> {
    guide.chapter("18–19 and 19–20 do not conflict; a half and the whole do");
    let path = "/v1/reservations";
    let manual = |pitch: &str, hour: i64, name: &str| -> Value {
        let mut body = stage.slot(pitch, stage.hour(hour));
        body["payment"] = json!({ "pays": "none" });
        body["client"] = json!({ "phone": "77 111 22 33", "name": name });
        body
    };
    let first =
        guide.call("manager", Method::POST, path, Some(manual("grand", 1, "Equipe A")), StatusCode::CREATED).await?;
    guide.show("status", &first.text("/status")?);
    guide.call("manager", Method::POST, path, Some(manual("moitie-nord", 2, "Equipe B")), StatusCode::CREATED).await?;
    guide.holds("the next hour begins when this one ends");
    guide.call("manager", Method::POST, path, Some(manual("moitie-sud", 1, "Equipe C")), StatusCode::CONFLICT).await?;
    guide.holds("a half of a taken whole is taken");
    guide.call("manager", Method::POST, path, Some(manual("grand", 2, "Equipe D")), StatusCode::CONFLICT).await?;
    guide.holds("the whole with a taken half is taken");
    guide.call("manager", Method::POST, path, Some(manual("moitie-sud", 2, "Equipe E")), StatusCode::CREATED).await?;
    guide.holds("the other half is free");
    guide.events().await
}

/// The ticket: checked without asking anybody, used once, and only in time.
pub(super) async fn let_them_in(guide: &mut Guide, stage: &Stage, booked: &Booked) -> Result<(), Off> {
    guide.chapter("The ticket, checked offline");
    let path = format!("/v1/reservations/{}/ticket", booked.id);
    let ticket = guide.call("service", Method::GET, &path, None, StatusCode::OK).await?;
    let payload = ticket.text("/payload")?;
    guide.show("payload", &format!("{} characters of a QR", payload.len()));
    let picture = guide.call("service", Method::GET, &format!("{path}.png"), None, StatusCode::OK).await?;
    if !picture.bytes.starts_with(b"\x89PNG") {
        return Err(wrong("the picture of the ticket is not a PNG"));
    }
    let keys = guide.call("anybody", Method::GET, "/v1/ticket-keys", None, StatusCode::OK).await?;
    let key = public_key(&keys.text("/keys/0/x")?)?;
    let checked = adapters::ticket::Ticket::verify(&payload, &[key]).map_err(|error| wrong(error.to_string()))?;
    if checked.reservation.to_string() != booked.id {
        return Err(wrong("the ticket is of another reservation"));
    }
    guide.holds("its signature fits the published key, and it names this reservation");

    guide.chapter("At the gate");
    let path = format!("/v1/reservations/{}/check-in", booked.id);
    let code = json!({ "code": booked.code });
    let early =
        guide.call("manager", Method::POST, &path, Some(code.clone()), StatusCode::UNPROCESSABLE_ENTITY).await?;
    guide.show("code", &early.text("/code")?);
    guide.pass_until(booked.starts_at - Duration::minutes(20)).await?;
    let entered =
        guide.call("manager", Method::POST, &path, Some(json!({ "ticket": payload })), StatusCode::OK).await?;
    guide.show("status", &entered.text("/status")?);
    guide.show("still to pay", &entered.text("/balance_due/amount")?);
    guide.holds("twenty minutes early is in time, and a deposit is enough to be let in");
    guide.call("manager", Method::POST, &path, Some(code), StatusCode::UNPROCESSABLE_ENTITY).await?;
    guide.holds("a ticket works once");
    guide.pass_until(booked.starts_at + Duration::minutes(76)).await?;
    guide.until("service", &format!("/v1/reservations/{}", booked.id), "/status", "completed").await?;
    guide.holds(&format!("played and completed at {}", stage.slug));
    guide.events().await
}

fn public_key(x: &str) -> Result<adapters::signing::PublicKey, Off> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(x).map_err(|error| wrong(error.to_string()))?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| wrong("the published key is not of 32 bytes"))?;
    adapters::signing::PublicKey::from_bytes(&bytes).ok_or_else(|| wrong("the published key is no Ed25519 key"))
}
