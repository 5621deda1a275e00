//! A person says what a difference is; above the limit a second one says the same.

use axum::http::StatusCode;
use domain::{
    aggregate::Loaded,
    reconciliation::{Explanation, How, Reconciliation, explain as say},
    text::Note,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Day, account::ACCOUNT, body::DifferenceBody};
use crate::{
    http::{
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const EXPLAIN: Operation = Operation {
    id: "reconciliation.explain",
    path: "/v1/reconciliations/{provider}/{day}/differences/{number}/explanation",
    summary: "Explain a difference",
    about: "Under your name. Above 50 000 XOF it counts when a second person says the same. `written_off` is the only word that \
            takes money out of the books; `wait` explains nothing, and says that somebody looks after it.",
    authz: super::WRITES,
    step_up: true,
    query: &[ACCOUNT],
    body: Some(Shape::of::<ExplanationInput>()),
    success: Success {
        shape: Some(Shape::of::<DifferenceBody>()),
        about: "The difference.",
        ..Operation::READ.success
    },
    refusals: &[
        "reconciliation.unknown_account",
        "reconciliation.no_such_difference",
        "reconciliation.explanation_unfit",
        "reconciliation.already_explained",
        "reconciliation.closed",
    ],
    run: |call| Box::pin(explain(call)),
    ..Operation::WRITE
};

/// What it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Explanation)]
pub struct ExplanationInput {
    /// `wait`, `booked_next_day`, `claimed_from_provider`, `refunded_by_hand` or `written_off`.
    #[schema(value_type = String, example = "claimed_from_provider")]
    how: How,
    /// What was looked at, and where. Nobody's name or number.
    #[schema(value_type = Option<String>, max_length = 500)]
    note: Option<Note>,
}

impl Exemplary for ExplanationInput {
    fn example() -> Value {
        json!({ "how": "claimed_from_provider", "note": "Ticket 4711" })
    }
}

async fn explain(call: Call) -> Result<Reply, Halt> {
    let day = Day::of(&call).await?;
    let number =
        call.segment("number").parse::<u32>().map_err(|_| Problem::new("reconciliation.no_such_difference"))?;
    if let Some((then, position)) = day.resumed(&call).await? {
        return answer(&then, number, position);
    }
    let body: ExplanationInput = call.body()?;
    let mut tries = Tries::default();
    loop {
        let known = day.load(&call).await?;
        call.precondition.check(known.version)?;
        let explanation = Explanation { how: body.how, note: body.note.clone() };
        let decision = say(&known, number, explanation, call.actor(), call.now())?;
        if let Some(written) = call.write(decision.clone(), None).await? {
            return answer(&after(known, &decision), number, written.position);
        }
        tries.again()?;
    }
}

fn answer(of: &Loaded<Reconciliation>, number: u32, position: i64) -> Result<Reply, Halt> {
    let difference = of.state.differences.iter().find(|difference| difference.number == number);
    let difference = difference.ok_or_else(|| Problem::new("reconciliation.no_such_difference"))?;
    Ok(Reply::json(StatusCode::OK, &DifferenceBody::folded(difference))?.position(position).derived())
}
