//! Our page for a payment, in French: the address that the SMS carries. It leads to the provider's page while that is
//! open, and says how things stand otherwise. Nothing personal is on it.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use domain::{
    aggregate::Loaded,
    money::{Currency, Money},
    payment::{Payment, Status},
    reservation::{self, Purpose, Reservation},
    site::Site,
};
use eventstore::link::read_pay_token;

use super::{
    other_way::{self, Choice},
    share,
};
use crate::{
    App,
    http::html::{Forms, page},
};

/// Seconds after which a page that waits looks again.
const LOOK_AGAIN: u32 = 3;

/// The pages for people; not part of `/v1`.
pub fn pages() -> Router<App> {
    Router::new()
        .route("/pay/share/{token}", get(share::show).post(share::ask))
        .route("/pay/{token}", get(pay).post(other_way::ask))
        .route("/pay/{token}/success", get(succeeded))
        .route("/pay/{token}/error", get(failed))
}

async fn pay(State(app): State<App>, Path(token): Path<String>) -> Response {
    let Some(found) = find(&app, &token).await else { return unknown() };
    let choice = found.choice(&app, false).await;
    if let (Status::Pending, Some(checkout), false) =
        (found.payment.state.status, &found.payment.state.checkout, choice.own_is_unwell)
    {
        return Redirect::to(checkout.checkout_url.as_str()).into_response();
    }
    found.page(Came::ByLink, &choice, "")
}

/// Back from the provider. Which button was pressed proves nothing: the state of the payment is shown.
async fn succeeded(State(app): State<App>, Path(token): Path<String>) -> Response {
    returned(&app, &token, false).await
}

async fn failed(State(app): State<App>, Path(token): Path<String>) -> Response {
    returned(&app, &token, true).await
}

async fn returned(app: &App, token: &str, failed: bool) -> Response {
    let Some(found) = find(app, token).await else { return unknown() };
    let choice = found.choice(app, failed).await;
    found.page(Came::Back, &choice, "")
}

/// The page, with a sentence about what could not be done.
pub(super) async fn shown(app: &App, token: &str, problem: &str) -> Response {
    let Some(found) = find(app, token).await else { return unknown() };
    let choice = found.choice(app, false).await;
    found.page(Came::ByLink, &choice, problem)
}

/// Whence the payer comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    ByLink,
    /// From the provider's page.
    Back,
}

struct Found {
    payment: Loaded<Payment>,
    reservation: Loaded<Reservation>,
    site: String,
    token: String,
}

async fn find(app: &App, token: &str) -> Option<Found> {
    let id = read_pay_token(&app.keyring, token)?;
    let payment: Loaded<Payment> = app.store.load(id).await.ok()?;
    let asked = payment.state.request.as_ref()?;
    let reservation: Loaded<Reservation> = app.store.load(asked.reservation_id).await.ok()?;
    let site = app.store.recall::<Site>(asked.site_id).await.ok()?;
    let site = site.state.identity.as_ref().map(|identity| identity.profile.name.to_string()).unwrap_or_default();
    Some(Found { payment, reservation, site, token: token.to_owned() })
}

impl Found {
    async fn choice(&self, app: &App, failed: bool) -> Choice {
        Choice::of(app, &self.payment, &self.reservation, &self.token, failed).await
    }

    /// The page; `problem` says what could not be done.
    fn page(&self, came: Came, choice: &Choice, problem: &str) -> Response {
        let back = came == Came::Back;
        let others = !choice.form.is_empty();
        let (title, text, waits) = self.words(back, others);
        let when = self.when();
        let refresh =
            if waits { format!("<meta http-equiv=\"refresh\" content=\"{LOOK_AGAIN}\">") } else { String::new() };
        let pending = self.payment.state.status == Status::Pending;
        let again = match &self.payment.state.checkout {
            // The page of the payment itself would not lead there.
            Some(checkout) if pending && choice.own_is_unwell => link(checkout.checkout_url.as_str()),
            Some(_) if pending && back => link(&format!("/pay/{}", self.token)),
            _ => String::new(),
        };
        let problem = if problem.is_empty() { String::new() } else { format!("<p><b>{}</b></p>", escape(problem)) };
        let body = format!(
            "{refresh}<title>{title}</title><h1>{title}</h1><p>{}</p><p>{when}</p>{problem}{}<p>{text}</p>{again}{}",
            escape(&self.site),
            choice.warning(self.payment.state.request.as_ref()),
            choice.form
        );
        if others { form(StatusCode::OK, &body) } else { html(StatusCode::OK, &body) }
    }

    /// Title, sentence, and whether it may change by itself soon.
    fn words(&self, back: bool, others: bool) -> (&'static str, String, bool) {
        let amount = self.payment.state.request.as_ref().map(|asked| francs(asked.amount)).unwrap_or_default();
        let fine = self.payment.state.request.as_ref().is_some_and(|asked| asked.purpose == Purpose::Debt);
        let held = self.reservation.state.status == reservation::Status::Held;
        match self.payment.state.status {
            Status::Succeeded | Status::OnAccount if held => (
                "Paiement reçu",
                "Le paiement est reçu ; la réservation attend le reste de l'acompte.".to_owned(),
                false,
            ),
            Status::Succeeded if fine => ("Paiement reçu", "C'est payé, merci.".to_owned(), false),
            Status::Expired if fine => ("Paiement expiré", "Le délai de paiement est passé.".to_owned(), false),
            Status::Succeeded => match self.reservation.state.status {
                reservation::Status::Cancelled | reservation::Status::Expired => (
                    "Paiement reçu trop tard",
                    "Le créneau n'était plus disponible : votre argent vous est rendu.".to_owned(),
                    false,
                ),
                _ => ("Paiement reçu", "C'est payé, votre réservation est confirmée.".to_owned(), false),
            },
            Status::OnAccount => ("Réservation confirmée", "À payer sur place.".to_owned(), false),
            Status::Requested => {
                ("Paiement en préparation", format!("{amount} à payer. La page de paiement s'ouvre…"), true)
            }
            Status::Pending if back => {
                ("Vérification du paiement", format!("{amount} : nous vérifions auprès du fournisseur."), true)
            }
            Status::Pending => ("Paiement", format!("{amount} à payer."), true),
            Status::Unknown if others => (
                "Paiement en préparation",
                format!("{amount} à payer. La page de paiement ne s'ouvre pas encore."),
                true,
            ),
            Status::Unknown => (
                "Vérification du paiement",
                "Nous vérifions auprès du fournisseur. Ne payez pas deux fois.".to_owned(),
                true,
            ),
            Status::Expired if others => (
                "Paiement non abouti",
                format!("{amount} à payer. Rien n'a été débité et votre créneau est encore retenu."),
                false,
            ),
            Status::Failed if others => (
                "Paiement refusé",
                format!("Rien n'a été débité et votre créneau est encore retenu : {amount} à payer."),
                false,
            ),
            Status::Failed => ("Paiement refusé", "Le paiement n'a pas abouti. Rien n'a été débité.".to_owned(), false),
            Status::Expired | Status::Absent => {
                ("Paiement expiré", "Le délai est passé et le créneau n'est plus retenu.".to_owned(), false)
            }
        }
    }

    fn when(&self) -> String {
        let Some(terms) = &self.reservation.state.terms else { return String::new() };
        let zone = terms.slot.time_zone;
        let (from, to) = (terms.slot.during.from().with_timezone(&zone), terms.slot.during.to().with_timezone(&zone));
        format!("le {} de {} à {}", from.format("%d/%m/%Y"), from.format("%H:%M"), to.format("%H:%M"))
    }
}

fn link(to: &str) -> String {
    format!("<p><a href=\"{}\">Payer maintenant</a></p>", escape(to))
}

pub(super) fn unknown() -> Response {
    html(StatusCode::NOT_FOUND, "<title>Lien inconnu</title><h1>Lien inconnu</h1><p>Ce lien n'est pas le nôtre.</p>")
}

pub(super) fn html(status: StatusCode, body: &str) -> Response {
    page(status, "fr", body, Forms::None)
}

/// A page that sends something back to us, which then leads on to a provider.
pub(super) fn form(status: StatusCode, body: &str) -> Response {
    page(status, "fr", body, Forms::Onward)
}

/// `9 000 F CFA`.
pub(super) fn francs(money: Money) -> String {
    if money.currency != Currency::Xof {
        return money.to_string();
    }
    let digits = money.amount.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    format!("{grouped} F CFA")
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn francs_are_grouped_and_names_cannot_be_markup() {
        assert_eq!(francs(Money::xof(9_000)), "9\u{202f}000 F CFA");
        assert_eq!(francs(Money::xof(1_250_000)), "1\u{202f}250\u{202f}000 F CFA");
        assert_eq!(escape("<b>'&\""), "&lt;b&gt;&#39;&amp;&quot;");
    }
}
