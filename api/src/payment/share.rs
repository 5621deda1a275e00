//! Paying a share by its link: a page that asks by which method, and for a number that money could go back to.

use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    actor::Actor,
    aggregate::Loaded,
    ids::{PaymentId, ReservationId, ShareId},
    payment::{Method, Payment, Refusal, RequestShare},
    reservation::Reservation,
    site::Site,
};
use eventstore::{Append, AppendError, Meta, link};
use serde::Deserialize;

use super::{
    offer::{account_of, buttons, offered},
    page, pay_url,
};
use crate::{
    App,
    client::{Known, PersonInput, known_by},
    http::language::Language,
    problem::Problem,
    reservation::accepted,
};

/// How often it is decided again because somebody else was faster.
const TRIES: u8 = 3;

/// Our page for a share: stable, signed.
pub fn share_url(app: &App, reservation: ReservationId, share: ShareId) -> String {
    link::share_url(&app.keyring, &app.settings.public_url, reservation, share)
}

/// The payments of a reservation that may be open, as the views know them: each is read from the log.
///
/// # Errors
/// When they cannot be read.
pub async fn open_payments(app: &App, id: ReservationId) -> Result<Vec<Loaded<Payment>>, Problem> {
    let (_, rows) = projections::payment::of_reservation(app.store.pool(), id).await?;
    let mut open = Vec::new();
    for row in rows {
        let payment: Loaded<Payment> = app.store.load(row.payment_id).await?;
        if payment.state.status.is_open() {
            open.push(payment);
        }
    }
    Ok(open)
}

/// What a payer types.
#[derive(Deserialize)]
pub(super) struct Wish {
    method: String,
    phone: String,
}

pub(super) async fn show(State(app): State<App>, Path(token): Path<String>) -> Response {
    match find(&app, &token).await {
        Some(found) => found.page(&app, &token, "").await,
        None => page::unknown(),
    }
}

/// Asks for the money, and goes on to the provider. Whoever comes back goes on to where it is asked for already.
pub(super) async fn ask(State(app): State<App>, Path(token): Path<String>, Form(wish): Form<Wish>) -> Response {
    let Some(found) = find(&app, &token).await else { return page::unknown() };
    // As for every request: more than can be worked on are told so.
    let Ok(_place) = app.take_in_hand() else {
        return found.page(&app, &token, "Trop de demandes en ce moment : réessayez dans un instant.").await;
    };
    let method = Method::WITH_PROVIDER.into_iter().find(|method| method.as_str() == wish.method);
    let Some(method) = method else { return found.page(&app, &token, "Choisissez un moyen de paiement.").await };
    match found.request(&app, method, &wish.phone).await {
        Ok(payment) => Redirect::to(&pay_url(&app, payment)).into_response(),
        Err(problem) => found.page(&app, &token, &said(&problem)).await,
    }
}

struct Found {
    reservation: Loaded<Reservation>,
    share: ShareId,
    site: Loaded<Site>,
}

async fn find(app: &App, token: &str) -> Option<Found> {
    let (id, share) = link::read_share_token(&app.keyring, token)?;
    let reservation: Loaded<Reservation> = app.store.load(id).await.ok()?;
    reservation.state.share(share)?;
    let site = app.store.load::<Site>(reservation.state.terms.as_ref()?.slot.site_id).await.ok()?;
    Some(Found { reservation, share, site })
}

impl Found {
    /// The payment: a new one, or the one that is open by this method.
    async fn request(&self, app: &App, method: Method, phone: &str) -> Result<PaymentId, Problem> {
        accepted(app.settings.methods_of(account_of(&self.reservation)), method, &self.site)?;
        let id = PaymentId::new(app.store.clock().new_id());
        for _ in 0..TRIES {
            let person = PersonInput { phone: phone.to_owned(), name: None, language: None };
            let reservation: Loaded<Reservation> = app.store.load(self.reservation.id).await?;
            // Nobody is made known for what cannot be paid.
            match ask_for(app, &reservation, self.share, method, id, None, Actor::SYSTEM).await {
                Ok(_) | Err(Refused::Share(Refusal::ShareOpen { .. })) => {}
                Err(Refused::Share(refusal)) => return Err(refusal.into()),
                Err(Refused::Problem(problem)) => return Err(problem),
            }
            let payer = known_by(app, &person, None, Actor::SYSTEM).await?;
            let asked = ask_for(app, &reservation, self.share, method, id, Some(payer), Actor::SYSTEM).await;
            let decision = match asked {
                Ok(decision) => decision,
                Err(Refused::Share(Refusal::ShareOpen { payment_id, .. })) => return Ok(payment_id),
                Err(Refused::Share(refusal)) => return Err(refusal.into()),
                Err(Refused::Problem(problem)) => return Err(problem),
            };
            let meta = Meta { site_id: Some(self.site.id), ..Meta::system() };
            match app.store.append(Append::new(decision, meta)).await {
                Ok(_) => return Ok(id),
                Err(AppendError::Conflict { .. } | AppendError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::new("version.conflict"))
    }

    async fn page(&self, app: &App, token: &str, problem: &str) -> Response {
        let state = &self.reservation.state;
        let due = state.share_due(self.share);
        let (paid, of) = (state.shares().filter(|share| share.due.is_zero()).count(), state.shares().count());
        let name = self.site.state.identity.as_ref().map(|identity| identity.profile.name.to_string());
        let name = page::escape(&name.unwrap_or_default());
        let head =
            format!("<title>Votre part</title><h1>Votre part</h1><p>{name}</p><p>{paid} parts payées sur {of}.</p>");
        if !due.is_positive() {
            return page::html(StatusCode::OK, &format!("{head}<p>Cette part est payée. Merci !</p>"));
        }
        let said = if problem.is_empty() { String::new() } else { format!("<p><b>{}</b></p>", page::escape(problem)) };
        let buttons = buttons(&offered(app, Some(&self.site), account_of(&self.reservation)).await);
        page::form(
            if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY },
            &format!(
                "{head}{said}<p>{} à payer.</p><form method=\"post\" action=\"/pay/share/{token}\">\
                 <p><label>Votre numéro, pour vous rembourser si la réservation n'aboutit pas : \
                 <input name=\"phone\" type=\"tel\" required maxlength=\"32\"></label></p>{buttons}</form>",
                page::francs(due)
            ),
        )
    }
}

/// A refusal in words for the payer.
fn said(problem: &Problem) -> String {
    if problem.code() == "request.invalid_field" {
        return "Ce n'est pas un numéro de mobile : 9 chiffres, par exemple 77 123 45 67.".to_owned();
    }
    problem.sentence(Language::Fr)
}

/// Why a share was not asked for.
pub enum Refused {
    Share(Refusal),
    Problem(Problem),
}

/// Decides to ask for a share.
///
/// # Errors
/// [`Refused`].
pub async fn ask_for(
    app: &App,
    reservation: &Loaded<Reservation>,
    share_id: ShareId,
    method: Method,
    id: PaymentId,
    payer: Option<Known>,
    by: Actor,
) -> Result<domain::decision::Decision, Refused> {
    let open = open_payments(app, reservation.id).await.map_err(Refused::Problem)?;
    let open: Vec<&Loaded<Payment>> = open.iter().collect();
    let request = RequestShare {
        reservation,
        payment: &Loaded::new(id),
        others: &open,
        share_id,
        method,
        payer: payer.as_ref().map(|payer| payer.id),
        by,
    };
    let decision = request.decide(app.store.clock().now()).map_err(Refused::Share)?;
    Ok(match payer {
        Some(payer) => decision.and(payer.decision),
        None => decision,
    })
}
