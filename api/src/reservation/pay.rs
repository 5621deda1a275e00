//! Pay for a reservation: a checkout at a provider, or money that a person took.

use axum::http::{StatusCode, header};
use domain::{
    actor::Role,
    aggregate::Loaded,
    client::Client,
    decision::Decision,
    ids::{ClientId, PaymentId, ShareId},
    key::Scope,
    payment::{Method, PayDebt, Payment, Record, Request, Spend},
    reservation::{Purpose, Reservation, Status},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{place, placing};
use crate::{
    client::{Known, PersonInput, known},
    http::{
        admission::Class,
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Over, Shape, Success},
        reply::Reply,
    },
    payment::{PaymentBody, Refused, account_of, ask_for},
    problem::Problem,
    shape::Money,
};

pub const PAY: Operation = Operation {
    id: "reservation.pay",
    path: "/v1/reservations/{id}/payments",
    class: Class::Confirm,
    summary: "Pay for a reservation",
    about: "At a provider: the amount is what is due for the purpose, and the answer carries the provider's page. Cash, \
            transfer and on account are recorded by the manager (cash also by a cashier), who may count an `amount`. `credit` \
            pays at once with what is held of the reservation's client, on their word or that of the service that books for \
            them. `debt` is the fine of a reservation at which nobody came, whole, by any of these but on account.",
    authz: Authz::Keys {
        scope: Scope::PaymentsWrite,
        roles: &[
            (Role::Client, Over::Own),
            (Role::Cashier, Over::Sites),
            (Role::Manager, Over::Sites),
            (Role::Service, Over::MadeOrSites),
        ],
    },
    // Whoever stands at the till all day does so with what the till counts.
    step_up_of: &[Role::Manager],
    body: Some(Shape::of::<Pay>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<PaymentBody>()),
        about: "The payment.",
        ..Operation::READ.success
    },
    refusals: &[
        "reservation.hold_expired",
        "payment.nothing_due",
        "payment.not_payable",
        "payment.more_than_due",
        "payment.below_deposit",
        "payment.method_not_accepted",
        "payment.role_not_allowed",
        "payment.split",
        "payment.no_such_share",
        "payment.share_paid",
        "payment.share_open",
        "payment.no_client",
        "credit.insufficient",
    ],
    run: |call| Box::pin(pay(call)),
    ..Operation::WRITE
};

/// How and for what it is paid.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pay {
    #[schema(value_type = String, example = "wave")]
    method: Method,
    /// `deposit`, `balance`, `full`, `difference` or `debt`; what comes next when left out.
    #[schema(value_type = Option<String>, example = "balance")]
    purpose: Option<Purpose>,
    /// One share of what is split; then by a provider or from credit, and for what is due of the share.
    #[schema(value_type = Option<String>)]
    share_id: Option<ShareId>,
    /// Who pays the share, as far as that is known: what goes back is theirs.
    client: Option<PersonInput>,
    /// What was counted; only for money that a person took. All that is due when left out.
    amount: Option<Money>,
}

impl Exemplary for Pay {
    fn example() -> Value {
        json!({ "method": "wave", "purpose": "deposit" })
    }
}

async fn pay(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        call.own_reservation().await?;
        for id in &record.ids {
            let payment: Loaded<Payment> = call.load_at(PaymentId::new(*id), record.last).await?;
            if payment.version > 0 {
                return answer(&call, payment, record.last).await;
            }
        }
        return Err(Problem::new("server.error").into());
    }
    let body: Pay = call.body()?;
    let new = Loaded::<Payment>::new(PaymentId::new(call.new_id()));
    let mut tries = Tries::default();
    loop {
        let reservation = call.own_reservation().await?;
        call.precondition.check(reservation.version)?;
        let terms = reservation.state.terms.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
        let purpose = body.purpose.unwrap_or(match reservation.state.status {
            Status::Held => Purpose::Deposit,
            _ => Purpose::Balance,
        });
        let decision = if purpose == Purpose::Debt {
            fine(&call, &reservation, &new, &body).await?
        } else if body.method == Method::Credit {
            by_credit(&call, &reservation, &new, purpose, &body).await?
        } else if let Some(share) = body.share_id {
            let site = call.remembered_site(terms.slot.site_id).await?;
            placing::accepted(call.app.settings.methods_of(account_of(&reservation)), body.method, &site)?;
            let payer = payer(&call, &body).await?;
            let asked = ask_for(&call.app, &reservation, share, body.method, new.id, payer, call.actor()).await;
            asked.map_err(|refused| match refused {
                Refused::Share(refusal) => Problem::from(refusal),
                Refused::Problem(problem) => problem,
            })?
        } else if body.method.has_provider() {
            if body.amount.is_some() {
                let problem = Problem::new("request.invalid_field");
                return Err(problem.at("/amount", "at a provider the amount is what is due").into());
            }
            let site = call.remembered_site(terms.slot.site_id).await?;
            placing::accepted(call.app.settings.methods_of(account_of(&reservation)), body.method, &site)?;
            let request =
                Request { reservation: &reservation, payment: &new, method: body.method, purpose, by: call.actor() };
            request.decide(call.now())?
        } else {
            let amount = match body.amount {
                Some(amount) => amount
                    .bounded()
                    .map_err(|error| Problem::new("request.invalid_field").at("/amount", error.to_string()))?,
                None => reservation.state.due(purpose),
            };
            let record = Record {
                reservation: &reservation,
                payment: &new,
                method: body.method,
                amount,
                by: call.actor(),
                now: call.now(),
            };
            record.decide()?
        };
        if let Some(written) = call.write(decision.clone(), Some(terms.slot.site_id)).await? {
            return answer(&call, after(new, &decision), written.position).await;
        }
        tries.again()?;
    }
}

/// From what is held of the reservation's client, whoever plays with them.
async fn by_credit(
    call: &Call,
    reservation: &Loaded<Reservation>,
    payment: &Loaded<Payment>,
    purpose: Purpose,
    body: &Pay,
) -> Result<Decision, Halt> {
    if body.amount.is_some() {
        return Err(Problem::new("request.invalid_field").at("/amount", "by credit the amount is what is due").into());
    }
    if body.client.is_some() {
        return Err(Problem::new("request.invalid_field").at("/client", "nobody spends the credit of others").into());
    }
    let owner = reservation.state.terms.as_ref().and_then(|terms| terms.client_id);
    let client: Loaded<Client> = call.app.store.load(owner.ok_or_else(|| Problem::new("payment.no_client"))?).await?;
    let (share_id, by, now) = (body.share_id, call.actor(), call.now());
    Ok(Spend { reservation, payment, client: &client, purpose, share_id, by, now }.decide()?)
}

/// What is owed for not having come.
async fn fine(
    call: &Call,
    reservation: &Loaded<Reservation>,
    payment: &Loaded<Payment>,
    body: &Pay,
) -> Result<Decision, Halt> {
    let foreign = [
        ("/amount", body.amount.is_some()),
        ("/share_id", body.share_id.is_some()),
        ("/client", body.client.is_some()),
    ];
    if let Some((at, _)) = foreign.into_iter().find(|(_, given)| *given) {
        return Err(Problem::new("request.invalid_field").at(at, "a fine is paid whole, by whoever owes it").into());
    }
    let terms = reservation.state.terms.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
    let site = call.remembered_site(terms.slot.site_id).await?;
    if body.method.has_provider() {
        placing::accepted(&call.app.settings.methods, body.method, &site)?;
    }
    let owner = terms.client_id.ok_or_else(|| Problem::new("payment.nothing_due"))?;
    let client: Loaded<Client> = call.app.store.load(owner).await?;
    let (method, by, now) = (body.method, call.actor(), call.now());
    Ok(PayDebt { reservation, payment, client: &client, method, by, now }.decide()?)
}

/// Who pays a share: whoever is named, or the client who asks.
async fn payer(call: &Call, body: &Pay) -> Result<Option<Known>, Halt> {
    let own = (call.caller.role() == Some(Role::Client)).then(|| call.caller.principal()).flatten();
    Ok(match (&body.client, own) {
        (Some(person), _) => Some(known(call, person, None).await?),
        (None, Some(own)) => Some(Known { id: ClientId::new(own), decision: Decision::nothing() }),
        (None, None) => None,
    })
}

async fn answer(call: &Call, payment: Loaded<Payment>, position: i64) -> Result<Reply, Halt> {
    let mut payments = [payment];
    place::wait_for_checkout(call, &mut payments).await;
    let [payment] = payments;
    let body = PaymentBody::folded(&call.app, &payment).ok_or_else(|| Problem::new("server.error"))?;
    let reply = Reply::json(StatusCode::CREATED, &body)?;
    Ok(reply.position(position).header(header::LOCATION, format!("/v1/payments/{}", payment.id)))
}
