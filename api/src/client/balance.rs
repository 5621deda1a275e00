//! What is held of a client, and what they owe.

use axum::http::StatusCode;
use domain::{
    actor::Role,
    aggregate::Loaded,
    client::Client,
    ids::ClientId,
    key::Scope,
    money::{self, Currency},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::fine::FineBody;
use crate::{
    http::{
        call::Call,
        etag,
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    reservation::not_found_if_other,
    shape::Money,
};

pub const BALANCE: Operation = Operation {
    id: "client.balance",
    path: "/v1/clients/{id}/balance",
    summary: "Credit and debts of a client",
    about: "What is held of them, which they can pay with (method `credit`); and what they owe: the fines that are \
            neither settled nor waived. While `debt` is more than nothing they book nothing online.",
    authz: Authz::Keys {
        scope: Scope::PaymentsRead,
        roles: &[
            (Role::Client, Over::Own),
            (Role::Support, Over::All),
            (Role::Finance, Over::All),
            (Role::Admin, Over::All),
            (Role::Auditor, Over::All),
        ],
    },
    success: Success { shape: Some(Shape::of::<BalanceBody>()), about: "Both.", ..Operation::READ.success },
    run: |call| Box::pin(balance(call)),
    ..Operation::READ
};

/// Credit and debts of a client.
#[derive(Serialize, ToSchema)]
#[schema(as = Balance)]
pub struct BalanceBody {
    object: &'static str,
    client_id: Uuid,
    /// One amount per currency.
    credit: Vec<Money>,
    /// To be settled before the next booking: of `fines`, those that are `owed` or `upheld`. One amount per currency.
    debt: Vec<Money>,
    /// Those that can still be paid.
    fines: Vec<FineBody>,
}

impl Exemplary for BalanceBody {
    fn example() -> Value {
        let money = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
        let mut fine = FineBody::example();
        for (name, value) in [("status", json!("owed")), ("decide_by", Value::Null)] {
            if let Some(member) = fine.get_mut(name) {
                *member = value;
            }
        }
        fine.as_object_mut().map(|members| members.remove("statement"));
        json!({
            "object": "balance", "client_id": "019ab2c4-5f00-7000-8000-0000000000c9", "credit": [money(2_500)],
            "debt": [money(5_000)], "fines": [fine],
        })
    }
}

async fn balance(call: Call) -> Result<Reply, Halt> {
    let id = ClientId::new(call.uuid("id")?);
    let own = call.caller.role() == Some(Role::Client);
    if own && call.caller.principal() != Some(id.uuid()) {
        return Err(Problem::new("object.not_found").into());
    }
    if !own {
        call.may_touch_what_is_of_no_site()?;
    }
    let position = call.app.store.head().await?;
    let client: Loaded<Client> = call.app.store.load(id).await.map_err(not_found_if_other)?;
    // Whoever has never booked has neither.
    if client.version == 0 && !own {
        return Err(Problem::new("object.not_found").into());
    }
    let reply = Reply::json(StatusCode::OK, &of(&client)?)?;
    let tag = etag::of(client.version, &[&reply.body]);
    Ok(reply.etag(tag).position(position))
}

/// What is held of a client, and what they owe.
///
/// # Errors
/// `server.error` when it cannot be added up, which is a bug.
pub(super) fn of(client: &Loaded<Client>) -> Result<BalanceBody, Problem> {
    let id = client.id;
    let mut debt: Vec<money::Money> = Vec::new();
    for (_, fine) in client.state.debts() {
        match debt.iter_mut().find(|sum| sum.currency == fine.amount.currency) {
            Some(sum) => *sum = sum.plus(fine.amount).map_err(out_of_range)?,
            None => debt.push(fine.amount),
        }
    }
    let credit = client.state.credit_of_each().map_err(out_of_range)?;
    let fines = client.state.fines.iter().filter(|(_, fine)| fine.standing.is_open());
    let shown = |amounts: Vec<money::Money>| {
        // In francs even when there is nothing.
        let some = if amounts.is_empty() { vec![money::Money::zero(Currency::Xof)] } else { amounts };
        some.into_iter().map(Money::from).collect()
    };
    Ok(BalanceBody {
        object: "balance",
        client_id: id.uuid(),
        credit: shown(credit),
        debt: shown(debt),
        fines: fines.map(|(reservation, fine)| FineBody::of(id, *reservation, fine)).collect(),
    })
}

fn out_of_range(error: money::MoneyError) -> Problem {
    tracing::error!(%error, "what a client has or owes cannot be added up");
    Problem::new("server.error")
}
