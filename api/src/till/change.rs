//! Open, count, take out, close.

use axum::http::StatusCode;
use domain::{
    actor::Role,
    aggregate::Loaded,
    decision::Decision,
    site::Site,
    text::{Name, Note},
    till::{self, Close, Open, Takings, Till},
};
use eventstore::Refusal;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{WRITES, currency, show::TillBody};
use crate::{
    http::{
        admission::Class,
        call::Call,
        command::{Attempt, Tries, after},
        halt::Halt,
        operation::{Exemplary, IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::Money,
};

const CHANGE: Operation = Operation {
    authz: WRITES,
    if_match: IfMatch::Optional,
    success: Success { shape: Some(Shape::of::<TillBody>()), about: "The till.", ..Operation::READ.success },
    ..Operation::WRITE
};

pub const OPEN: Operation = Operation {
    id: "till.open",
    path: "/v1/sites/{id}/till/opening",
    class: Class::CheckIn,
    summary: "Open the till",
    about: "With the float that was counted in it. Cash that moves at the site from now on counts in this session.",
    body: Some(Shape::of::<OpenTill>()),
    refusals: &["till.already_open", "projection_behind"],
    run: |call| Box::pin(open(call)),
    ..CHANGE
};

pub const COUNT: Operation = Operation {
    id: "till.count",
    path: "/v1/sites/{id}/till/count",
    class: Class::CheckIn,
    summary: "Count the till",
    about: "On the way: what is in it is written down beside what should be, and it stays open.",
    body: Some(Shape::of::<CountTill>()),
    refusals: &["till.not_open", "projection_behind"],
    run: |call| Box::pin(count(call)),
    ..CHANGE
};

pub const MOVE: Operation = Operation {
    id: "till.move_cash",
    path: "/v1/sites/{id}/till/cash-movements",
    class: Class::CheckIn,
    summary: "Take cash out of the till, to the bank",
    about: "With the reason and the reference of the bank's slip; never more than should be in it.",
    step_up_of: &[Role::Manager],
    body: Some(Shape::of::<MoveCash>()),
    refusals: &["till.not_open", "till.more_than_there", "till.nothing_moved", "projection_behind"],
    run: |call| Box::pin(move_cash(call)),
    ..CHANGE
};

pub const CLOSE: Operation = Operation {
    id: "till.close",
    path: "/v1/sites/{id}/till/closure",
    class: Class::CheckIn,
    summary: "Close the till",
    about: "Counted for the last time: float, cash payments, cash refunds and what was taken out since it was opened say what \
            should be in it; the difference is stated, entered in the ledger, and told to the manager when it is above 5 000. A difference needs a `reason`.",
    body: Some(Shape::of::<CloseTill>()),
    refusals: &["till.not_open", "till.reason_required", "projection_behind"],
    run: |call| Box::pin(close(call)),
    ..CHANGE
};

/// What is in it.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenTill {
    /// As counted.
    float: Money,
}

impl Exemplary for OpenTill {
    fn example() -> Value {
        json!({ "float": { "amount": 20000, "currency": "XOF" } })
    }
}

/// What was counted.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountTill {
    counted: Money,
}

impl Exemplary for CountTill {
    fn example() -> Value {
        json!({ "counted": { "amount": 65000, "currency": "XOF" } })
    }
}

/// What was counted, and why it differs.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseTill {
    counted: Money,
    /// Compulsory when it differs from what should be there.
    #[schema(value_type = Option<String>, max_length = 500)]
    reason: Option<Note>,
}

impl Exemplary for CloseTill {
    fn example() -> Value {
        json!({ "counted": { "amount": 64000, "currency": "XOF" }, "reason": "Rendu 1 000 de trop" })
    }
}

/// What is taken out.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveCash {
    amount: Money,
    #[schema(value_type = String, max_length = 500)]
    reason: Note,
    /// Of the bank's slip.
    #[schema(value_type = Option<String>, max_length = 120)]
    reference: Option<Name>,
}

impl Exemplary for MoveCash {
    fn example() -> Value {
        json!({
            "amount": { "amount": 50000, "currency": "XOF" }, "reason": "Versement", "reference": "CBAO 4471",
        })
    }
}

/// An amount that somebody counted.
fn counted(money: Money, at: &str) -> Result<domain::money::Money, Problem> {
    money.bounded().map_err(|error| Problem::new("request.invalid_field").at(at.to_owned(), error.to_string()))
}

async fn open(call: Call) -> Result<Reply, Halt> {
    change(call, |call, body: OpenTill, site, till, takings| {
        let float = counted(body.float, "/float")?;
        float.compare(domain::money::Money::zero(currency(site))).map_err(till::Refusal::from)?;
        let wish = Open { site_id: site.id, float, as_of_position: takings.as_of_position };
        Ok(till::open(till, wish, call.actor(), call.now())?)
    })
    .await
}

async fn count(call: Call) -> Result<Reply, Halt> {
    change(call, |call, body: CountTill, _, till, takings| {
        let amount = counted(body.counted, "/counted")?;
        Ok(till::count(till, takings, amount, call.actor(), call.now())?)
    })
    .await
}

async fn move_cash(call: Call) -> Result<Reply, Halt> {
    change(call, |call, body: MoveCash, site, till, takings| {
        let amount = counted(body.amount, "/amount")?;
        let flow = site.state.contract().flow;
        let wish = till::Move { amount, reason: body.reason, reference: body.reference, flow };
        Ok(till::move_cash(till, takings, wish, call.actor(), call.now())?)
    })
    .await
}

async fn close(call: Call) -> Result<Reply, Halt> {
    change(call, |call, body: CloseTill, site, till, takings| {
        let (counted, flow) = (counted(body.counted, "/counted")?, site.state.contract().flow);
        let wish = Close { counted, reason: body.reason, flow };
        Ok(till::close(till, takings, wish, call.actor(), call.now())?)
    })
    .await
}

/// Decides on the drawer of the path, on the cash that moved since it was opened, until it is written.
async fn change<B: DeserializeOwned + Clone + Send + Sync>(
    call: Call,
    decide: impl Fn(&Call, B, &Loaded<Site>, &Loaded<Till>, &Takings) -> Result<Decision, Halt> + Send + Sync,
) -> Result<Reply, Halt> {
    // Before a view is waited for: what is no wish is nobody's turn.
    let body: B = call.body()?;
    let mut tries = Tries::default();
    loop {
        let (site, till) = call.own_till().await?;
        if let Some(record) = &call.resumed {
            let till = call.load_at(till.id, record.last).await?;
            return Ok(answer(&site, &till)?.position(record.last));
        }
        call.precondition.check(till.version)?;
        let takings = call.takings(&site, till.state.open.map_or(i64::MAX, |session| session.from_position)).await?;
        let decision = decide(&call, body.clone(), &site, &till, &takings)?;
        match call.append(decision.clone(), Some(site.id)).await? {
            Attempt::Written(written) => {
                return Ok(answer(&site, &after(till, &decision))?.position(written.position));
            }
            // Somebody opened it for the first time at the same moment.
            Attempt::Moved | Attempt::Guarded(Refusal::NotUnique { .. }) => tries.again()?,
            Attempt::Guarded(refusal) => return Err(Halt::refused(refusal)),
        }
    }
}

fn answer(site: &Loaded<Site>, till: &Loaded<Till>) -> Result<Reply, Problem> {
    Reply::json(StatusCode::OK, &TillBody::folded(site, till))
}
