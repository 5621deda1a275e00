//! Paying by another method what does not work by the first: the choice on the page of a payment, and what a press on it
//! does.

use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    actor::Actor,
    aggregate::Loaded,
    ids::{PaymentId, ReservationId},
    payment::{AnotherWay, Method, Payment, Refusal, Requested, Status},
    reservation::Reservation,
};
use eventstore::{Append, AppendError, Meta, link::read_pay_token};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::{Builder, Variant, Version};

use super::{
    offer::{Offered, account_of, buttons, label, offered},
    page, pay_url,
};
use crate::{App, http::language::Language, problem::Problem, reservation::accepted};

/// How often it is decided again because somebody else was faster.
const TRIES: u8 = 3;
/// Payments that pages ask for, of one reservation: whoever has a link must not fill the log.
const MOST: usize = 12;
/// Seconds after which a checkout that is still not open is one that does not open.
const SLOW_S: i64 = 10;

/// What a payer pressed.
#[derive(Deserialize)]
pub(super) struct Wish {
    method: String,
}

/// The payment by the other method is asked for, once however often it is pressed, and has a page of its own.
pub(super) async fn ask(State(app): State<App>, Path(token): Path<String>, Form(wish): Form<Wish>) -> Response {
    let Some(id) = read_pay_token(&app.keyring, &token) else { return page::unknown() };
    let method = Method::WITH_PROVIDER.into_iter().find(|method| method.as_str() == wish.method);
    // As for every request: more than can be worked on are told so.
    let asked = match (method, app.take_in_hand()) {
        (None, _) => Err(Problem::new("payment.method_not_accepted").with("value", "?")),
        (_, Err(problem)) => Err(problem),
        (Some(method), Ok(_place)) => request(&app, id, method).await,
    };
    match asked {
        Ok(payment) => Redirect::to(&pay_url(&app, payment)).into_response(),
        Err(problem) if problem.code() == "object.not_found" => page::unknown(),
        Err(problem) => page::shown(&app, &token, &problem.sentence(Language::Fr)).await,
    }
}

async fn request(app: &App, given_up: PaymentId, method: Method) -> Result<PaymentId, Problem> {
    let id = successor(given_up, method);
    for _ in 0..TRIES {
        let payment: Loaded<Payment> = app.store.load(id).await?;
        if payment.version > 0 {
            return Ok(id);
        }
        let given_up: Loaded<Payment> = app.store.load(given_up).await?;
        let asked = given_up.state.request.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
        let site = app.store.load(asked.site_id).await?;
        let reservation: Loaded<Reservation> = app.store.load(asked.reservation_id).await?;
        accepted(app.settings.methods_of(account_of(&reservation)), method, &site)?;
        if count(app, asked.reservation_id).await? >= MOST {
            return Err(Problem::new("server.overloaded"));
        }
        let way =
            AnotherWay { reservation: &reservation, given_up: &given_up, payment: &payment, method, by: Actor::SYSTEM };
        let decision = match way.decide(app.store.clock().now()) {
            Ok(decision) => decision,
            // Open by this very method, or over: its page is the one to go to.
            Err(Refusal::AlreadyRequested | Refusal::Ended { .. }) => return Ok(given_up.id),
            Err(refusal) => return Err(refusal.into()),
        };
        let meta = Meta { site_id: Some(asked.site_id), ..Meta::system() };
        match app.store.append(Append::new(decision, meta)).await {
            Ok(_) => return Ok(id),
            Err(AppendError::Conflict { .. } | AppendError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::new("version.conflict"))
}

async fn count(app: &App, id: ReservationId) -> Result<usize, Problem> {
    Ok(projections::payment::of_reservation(app.store.pool(), id).await?.1.len())
}

/// The payment that follows one by another method. It is the same for everybody who presses the same button, so that two
/// who do it at once ask for one. In order of time it stands where the first one does.
fn successor(given_up: PaymentId, method: Method) -> PaymentId {
    let digest = Sha256::new()
        .chain_update("another way to pay\n")
        .chain_update(given_up.uuid().as_bytes())
        .chain_update(method.as_str())
        .finalize();
    let mut bytes = *given_up.uuid().as_bytes();
    for (byte, random) in bytes.iter_mut().zip(digest).skip(6) {
        *byte = random;
    }
    let id = Builder::from_bytes(bytes).with_version(Version::SortRand).with_variant(Variant::RFC4122);
    PaymentId::new(id.into_uuid())
}

/// The other ways there are for a payment, as a form, and whether its own is out of order. Nothing where there is no
/// reason to look for another: it works, or nobody can tell whether it is paid.
pub(super) struct Choice {
    pub own_is_unwell: bool,
    pub form: String,
}

impl Choice {
    /// For whoever looks at the page of a payment; `failed` when they come back from the provider without having paid.
    pub(super) async fn of(
        app: &App,
        payment: &Loaded<Payment>,
        reservation: &Loaded<Reservation>,
        token: &str,
        failed: bool,
    ) -> Self {
        let none = Self { own_is_unwell: false, form: String::new() };
        let Some(asked) = &payment.state.request else { return none };
        let Ok(site) = app.store.recall(asked.site_id).await else { return none };
        let all = offered(app, Some(&site), account_of(reservation)).await;
        let own_is_unwell = all.iter().any(|offered| offered.method == asked.method && offered.unwell.is_some());
        let now = app.store.clock().now();
        let slow = (now - asked.at).num_seconds() >= SLOW_S;
        let wanted = match payment.state.status {
            Status::Requested => own_is_unwell || slow,
            Status::Pending => own_is_unwell || failed,
            Status::Unknown | Status::Failed | Status::Expired => true,
            Status::Absent | Status::Succeeded | Status::OnAccount => false,
        };
        let new = Loaded::<Payment>::new(successor(payment.id, asked.method));
        let allowed = |offered: &Offered| {
            let method = offered.method;
            let way = AnotherWay { reservation, given_up: payment, payment: &new, method, by: Actor::SYSTEM };
            way.decide(now).is_ok()
        };
        let all: Vec<Offered> = all.into_iter().filter(|offered| wanted && allowed(offered)).collect();
        let form = match all.is_empty() {
            true => String::new(),
            false => format!(
                "<form method=\"post\" action=\"/pay/{token}\"><h2>Payer autrement</h2>{}</form>",
                buttons(&all)
            ),
        };
        Self { own_is_unwell, form }
    }

    /// A sentence for the payer about the method that they chose.
    pub(super) fn warning(&self, asked: Option<&Requested>) -> String {
        match asked {
            Some(asked) if self.own_is_unwell => format!("<p>{} ne répond pas en ce moment.</p>", label(asked.method)),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn who_presses_the_same_button_asks_for_the_same_payment() {
        let first = PaymentId::new(Uuid::from_u128(0x019a_b2c4_5f00_7000_8000_0000_0000_00d1));
        let next = successor(first, Method::OrangeMoney);
        assert_eq!(next, successor(first, Method::OrangeMoney));
        assert_ne!(next, successor(first, Method::Wave));
        assert_ne!(next, successor(next, Method::OrangeMoney));
        assert_eq!((next.uuid().get_version_num(), next.uuid().get_variant()), (7, Variant::RFC4122));
        assert_eq!(next.uuid().as_bytes()[..6], first.uuid().as_bytes()[..6]);
    }
}
