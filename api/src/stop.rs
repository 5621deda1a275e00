//! The page of a link that was sent to a number: what is about to change, and the button that stops it. In the language that
//! the client reads; nothing personal is on it. Looking at it stops nothing: messengers look at links, too.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use domain::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    client::{self, Client, Language, Stopped},
    decision::Decision,
    ids::ClientId,
};
use eventstore::{Append, AppendError, Meta, link};

use crate::{
    App,
    http::html::{Forms, page},
};

/// How often it is decided again because somebody else was faster.
const TRIES: u8 = 5;

/// The pages for people; not part of `/v1`.
pub fn pages() -> Router<App> {
    Router::new().route("/stop/{token}", get(show).post(stop))
}

async fn show(State(app): State<App>, Path(token): Path<String>) -> Response {
    let Some(stops) = link::read_stop_token(&app.keyring, &token) else { return unknown() };
    let Some(client) = load(&app, stops).await else { return unavailable() };
    let (language, now) = (client.state.language, app.store.clock().now());
    match waits(&client, stops, now) {
        Some(ready_at) => asks(stops, language, ready_at, &token),
        None => said(language, OVER),
    }
}

/// Stops it. Again says that it is over: which of the two it was is nobody's business who only has the link.
async fn stop(State(app): State<App>, Path(token): Path<String>) -> Response {
    let Some(stops) = link::read_stop_token(&app.keyring, &token) else { return unknown() };
    // As for every request: more than can be worked on are told so.
    let Ok(_place) = app.take_in_hand() else { return unavailable() };
    for _ in 0..TRIES {
        let Some(client) = load(&app, stops).await else { return unavailable() };
        let language = client.state.language;
        let Some(decision) = decide(&client, stops, app.store.clock().now()) else { return said(language, OVER) };
        match app.store.append(Append::new(decision, Meta::system())).await {
            Ok(_) => {
                return said(language, if matches!(stops, link::Stops::Recovery(..)) { KEPT_PIN } else { KEPT_NUMBER });
            }
            Err(AppendError::Conflict { .. }) => {}
            Err(error) => {
                tracing::error!(%error, "what a link stops was not stopped");
                return unavailable();
            }
        }
    }
    unavailable()
}

fn client_of(stops: link::Stops) -> ClientId {
    match stops {
        link::Stops::Recovery(client, _) | link::Stops::NumberChange(client, _) => client,
    }
}

async fn load(app: &App, stops: link::Stops) -> Option<Loaded<Client>> {
    app.store.load(client_of(stops)).await.ok()
}

/// Until when it waits; `None` when it is over.
fn waits(client: &Loaded<Client>, stops: link::Stops, now: Timestamp) -> Option<Timestamp> {
    match stops {
        link::Stops::Recovery(_, id) => {
            client.state.recovery_now(now).filter(|known| known.id == id).map(|known| known.ready_at)
        }
        link::Stops::NumberChange(_, id) => {
            client.state.number_change.as_ref().filter(|known| known.id == id).map(|known| known.ready_at)
        }
    }
}

fn decide(client: &Loaded<Client>, stops: link::Stops, now: Timestamp) -> Option<Decision> {
    let (why, by) = (Stopped::Link, Actor::SYSTEM);
    let decision = match stops {
        link::Stops::Recovery(_, id) => client::cancel_recovery(client, id, why, by, now).ok()?,
        link::Stops::NumberChange(_, id) => client::cancel_number_change(client, Some(id), why, by, now),
    };
    (!decision.is_nothing()).then_some(decision)
}

/// A title and a sentence, in French, English and Wolof.
type Words = [(&'static str, &'static str); 3];

const PIN: Words = [
    (
        "Un nouveau PIN est demandé",
        "Quelqu'un dit que le PIN de votre compte est perdu. Si ce n'est pas vous, annulez : rien ne change.",
    ),
    (
        "A new PIN was asked for",
        "Somebody says that the PIN of your account is lost. If it was not you, stop it: nothing changes.",
    ),
    ("PIN bu bees laaj nañu ko", "Am na ku wax ne sa PIN réer na. Su dul yaw, taxawal ko: dara du soppiku."),
];
const NUMBER: Words = [
    (
        "Votre numéro va changer",
        "Quelqu'un a demandé un autre numéro pour votre compte. Si ce n'est pas vous, annulez : rien ne change.",
    ),
    (
        "Your number is about to change",
        "Somebody asked for another number for your account. If it was not you, stop it: nothing changes.",
    ),
    ("Sa nimero dina soppiku", "Am na ku laaj beneen nimero ngir sa konte. Su dul yaw, taxawal ko: dara du soppiku."),
];
const KEPT_PIN: Words = [
    ("C'est annulé", "Votre PIN reste le même."),
    ("It was stopped", "Your PIN stays what it was."),
    ("Taxaw na", "Sa PIN du soppiku."),
];
const KEPT_NUMBER: Words = [
    ("C'est annulé", "Votre numéro reste le même."),
    ("It was stopped", "Your number stays what it was."),
    ("Taxaw na", "Sa nimero du soppiku."),
];
const OVER: Words = [
    ("C'est terminé", "Cette demande n'attend plus : elle a abouti, ou elle a été annulée."),
    ("It is over", "Nothing waits any more: it came about, or it was stopped."),
    ("Jeex na", "Laaj gi jeex na: def nañu ko, walla taxaw na."),
];
const BUTTON: [&str; 3] = ["Annuler la demande", "Stop it", "Taxawal ko"];
const FROM: [&str; 3] = ["Possible à partir du", "Possible from", "Mën na am"];

const fn of<T: Copy>([fr, en, wo]: &[T; 3], language: Language) -> T {
    match language {
        Language::Fr => *fr,
        Language::En => *en,
        Language::Wo => *wo,
    }
}

fn asks(stops: link::Stops, language: Language, ready_at: Timestamp, token: &str) -> Response {
    let words = if matches!(stops, link::Stops::Recovery(..)) { &PIN } else { &NUMBER };
    let (title, text) = of(words, language);
    let (from, button) = (of(&FROM, language), of(&BUTTON, language));
    // Senegal keeps UTC all year.
    let when = ready_at.format("%d/%m/%Y %H:%M");
    let body = format!(
        "<title>{title}</title><h1>{title}</h1><p>{text}</p><p>{from} {when}.</p>\
         <form method=\"post\" action=\"/stop/{token}\"><button>{button}</button></form>"
    );
    page(StatusCode::OK, language.as_str(), &body, Forms::Ours)
}

fn said(language: Language, words: Words) -> Response {
    let (title, text) = of(&words, language);
    let body = format!("<title>{title}</title><h1>{title}</h1><p>{text}</p>");
    page(StatusCode::OK, language.as_str(), &body, Forms::None)
}

fn unknown() -> Response {
    let body = "<title>Lien inconnu</title><h1>Lien inconnu</h1><p>Ce lien n'est pas le nôtre.</p>";
    page(StatusCode::NOT_FOUND, "fr", body, Forms::None)
}

fn unavailable() -> Response {
    let body =
        "<title>Réessayez</title><h1>Réessayez</h1><p>Trop de demandes en ce moment : réessayez dans un instant.</p>";
    page(StatusCode::SERVICE_UNAVAILABLE, "fr", body, Forms::None)
}
