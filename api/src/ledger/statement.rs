//! The statement of an account: what was there, what happened, what is there then.

use axum::http::StatusCode;
use domain::ledger::Account;
use projections::ledger::{self, Asked, Stated};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::entries::PostingBody;
use crate::{
    http::{
        admission::Class,
        call::Call,
        halt::Halt,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::SignedMoney,
};

pub const STATEMENT: Operation = Operation {
    id: "ledger.statement",
    path: "/v1/ledger/statement",
    class: Class::Analytics,
    summary: "Statement of an account",
    about: "Postings from an instant on and before another one, each with what was on the account after it. Opening and \
            every posting add up to closing. A manager asks for an account of their sites.",
    authz: super::ENTRIES,
    query: &[
        Param::new("account", Kind::Text, "Name of an account.", "site:019ab2c4-5f00-7000-8000-000000000001:payable")
            .checked("the accounts there can be, and the caller")
            .required(),
        Param::new("from", Kind::Time, "From then on; from the beginning when left out.", "2026-11-01T00:00:00Z")
            .checked("`to`"),
        Param::new("to", Kind::Time, "Before then; up to now when left out.", "2026-12-01T00:00:00Z"),
        Param::limit("Postings on a page; 20 when left out."),
        Param::CURSOR,
    ],
    refusals: &["object.not_found"],
    success: Success { shape: Some(Shape::of::<StatementBody>()), about: "A page of it.", ..Operation::READ.success },
    run: |call| Box::pin(statement(call)),
    ..Operation::READ
};

/// A page of a statement.
#[derive(Serialize, ToSchema)]
#[schema(as = LedgerStatement)]
pub struct StatementBody {
    object: &'static str,
    account: String,
    /// What was on it before, in each currency.
    opening: Vec<SignedMoney>,
    /// What is on it then.
    closing: Vec<SignedMoney>,
    data: Vec<StatedBody>,
    has_more: bool,
    next_cursor: Option<String>,
    as_of_position: i64,
}

/// A posting, and what was on the account after it.
#[derive(Serialize, ToSchema)]
#[schema(as = StatedPosting)]
pub struct StatedBody {
    #[serde(flatten)]
    posting: PostingBody,
    balance: SignedMoney,
}

impl From<&Stated> for StatedBody {
    fn from(stated: &Stated) -> Self {
        Self { posting: PostingBody::from(&stated.line), balance: stated.balance.into() }
    }
}

impl Exemplary for StatementBody {
    fn example() -> Value {
        let money = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
        json!({
            "object": "ledger_statement", "account": "deposits:unearned", "as_of_position": 42,
            "opening": [money(0)], "closing": [money(-10_500)], "has_more": false, "next_cursor": null,
            "data": [{
                "object": "posting", "position": 7, "number": 1, "event": "payment.succeeded",
                "reservation_id": "019ab2c4-5f00-7000-8000-000000000003", "account": "deposits:unearned",
                "amount": money(-10_500), "balance": money(-10_500), "at": "2026-11-28T18:00:00Z",
            }],
        })
    }
}

async fn statement(call: Call) -> Result<Reply, Halt> {
    let query = &call.query;
    let account = query.parsed("account", |name| name.parse::<Account>().map_err(|error| error.to_string()))?;
    let Some(account) = account else {
        return Err(Problem::new("request.invalid_parameter").parameter("account", "is needed").into());
    };
    super::may_see(&call, account, "account").await?;
    let (from, to) = (query.time("from"), query.time("to"));
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Problem::new("request.invalid_parameter").parameter("from", "is after `to`").into());
    }
    let asked = Asked { account, from, to };
    let read = ledger::statement(call.app.store.pool(), &asked, call.cursor(), call.limit()).await?;
    let ledger::Statement { page, opening, closing } = read;
    let body = StatementBody {
        object: "ledger_statement",
        account: account.to_string(),
        opening: opening.into_iter().map(SignedMoney::from).collect(),
        closing: closing.into_iter().map(SignedMoney::from).collect(),
        data: page.items.iter().map(StatedBody::from).collect(),
        has_more: page.has_more(),
        next_cursor: page.next.clone(),
        as_of_position: page.as_of,
    };
    Ok(Reply::json(StatusCode::OK, &body)?.paged(&call, &page))
}
