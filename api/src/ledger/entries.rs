//! Postings: the way of each franc, event by event.

use domain::{aggregate::Loaded, ids::ReservationId, ledger::Account, reservation::Reservation, site::Site};
use projections::ledger::{self, Filter, Line};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::{
        admission::Class,
        as_of::AS_OF,
        call::Call,
        halt::Halt,
        list::List,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::{SignedMoney, utc_text},
    site,
};

pub const ENTRIES: Operation = Operation {
    id: "ledger.entries",
    path: "/v1/ledger/entries",
    class: Class::Analytics,
    summary: "Postings of the ledger",
    about: "In the order in which they were made, each with the event that made it (`position`, `event`). Those of one \
            position add up to zero. A manager asks for a `reservation` or an `account` of their sites.",
    authz: super::ENTRIES,
    query: &[
        Param::new("reservation", Kind::Id, "Id: the way of its money.", "019ab2c4-5f00-7000-8000-000000000003")
            .checked("the caller: a manager names it, or an account of a site"),
        Param::new("account", Kind::Text, "Name of an account.", "deposits:unearned")
            .checked("the accounts there can be, and the caller"),
        AS_OF,
        Param::limit("Postings on a page; 20 when left out."),
        Param::CURSOR,
    ],
    refusals: &["position.before_start", "position.beyond_head"],
    success: Success {
        shape: Some(Shape::of::<List<PostingBody>>()),
        about: "A page of postings.",
        ..Operation::READ.success
    },
    run: |call| Box::pin(entries(call)),
    ..Operation::READ
};

/// One side of an entry.
#[derive(Serialize, ToSchema)]
#[schema(as = Posting)]
pub struct PostingBody {
    object: &'static str,
    /// Of the event that made it: `GET /v1/events?after=<position - 1>` shows it with its cause.
    position: i64,
    /// Among the postings of the event, from 0.
    number: i16,
    event: String,
    /// Whose money it is; null when it is no reservation's.
    reservation_id: Option<Uuid>,
    account: String,
    /// Positive is a debit: money came there, or a debt became smaller.
    amount: SignedMoney,
    at: String,
}

impl From<&Line> for PostingBody {
    fn from(line: &Line) -> Self {
        Self {
            object: "posting",
            position: line.position,
            number: line.number,
            event: line.event.clone(),
            reservation_id: line.reservation_id.map(ReservationId::uuid),
            account: line.account.clone(),
            amount: line.amount.into(),
            at: utc_text(line.at),
        }
    }
}

impl Exemplary for PostingBody {
    fn example() -> Value {
        json!({
            "object": "posting", "position": 7, "number": 0, "event": "payment.succeeded",
            "reservation_id": "019ab2c4-5f00-7000-8000-000000000003", "account": "provider:wave:clearing",
            "amount": { "amount": 10500, "currency": "XOF" }, "at": "2026-11-28T18:00:00Z",
        })
    }
}

async fn entries(call: Call) -> Result<Reply, Halt> {
    let query = &call.query;
    let account = query.parsed("account", |name| name.parse::<Account>().map_err(|error| error.to_string()))?;
    let reservation = query.parsed("reservation", |text| {
        Uuid::try_parse(text).map(ReservationId::new).map_err(|_| "must be an id".to_owned())
    })?;
    match (reservation, account.and_then(Account::site)) {
        (Some(id), _) => {
            let reservation: Loaded<Reservation> = call.app.store.load(id).await?;
            call.may_touch(&call.object_of(&reservation).await?)?;
        }
        (None, Some(site)) => call.may_touch(&site::object(&*call.app.store.recall::<Site>(site).await?))?,
        (None, None) if !super::sees_everything(&call) => {
            let problem = Problem::new("request.invalid_parameter");
            return Err(problem.parameter("reservation", "is needed, or an `account` of a site of yours").into());
        }
        (None, None) => {}
    }
    let until = call.as_of().await?.map(|moment| moment.position);
    let filter = Filter { reservation_id: reservation, account, until };
    let page = ledger::list(call.app.store.pool(), &filter, call.cursor(), call.limit()).await?;
    Reply::list(&call, &page, page.items.iter().map(PostingBody::from))
}
