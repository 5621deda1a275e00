//! Somebody of finance was at the bank.

use domain::{payout::pay_by_hand, text::Text};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    MOVES, PayoutBody,
    approve::{answer, resumed},
};
use crate::http::{
    call::Call,
    command::{Tries, after},
    halt::Halt,
    operation::{Exemplary, Operation, Shape, Success},
    reply::Reply,
};

pub const PAY_BY_HAND: Operation = Operation {
    id: "payout.pay_by_hand",
    path: "/v1/payouts/{id}/transfer",
    summary: "Record that a payout was transferred at the bank",
    about: "For a site that is paid to an account at a bank, once two persons have said yes.",
    authz: MOVES,
    step_up: true,
    body: Some(Shape::of::<Transfer>()),
    success: Success { shape: Some(Shape::of::<PayoutBody>()), about: "The payout.", ..Operation::READ.success },
    refusals: &["payout.wrong_status", "payout.at_provider", "payout.outcome_unknown"],
    run: |call| Box::pin(transfer(call)),
    ..Operation::WRITE
};

/// The transfer that was made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// The bank's.
    #[schema(value_type = String, max_length = 60)]
    reference: Text<60>,
}

impl Exemplary for Transfer {
    fn example() -> Value {
        json!({ "reference": "VIR-2026-1201-17" })
    }
}

async fn transfer(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        return resumed(&call, record.last).await;
    }
    let body: Transfer = call.body()?;
    let mut tries = Tries::default();
    loop {
        let (payout, site) = call.own_payout().await?;
        call.precondition.check(payout.version)?;
        let decision = pay_by_hand(&payout, body.reference.clone(), call.actor(), call.now())?;
        if let Some(written) = call.write(decision.clone(), Some(site.id)).await? {
            return answer(&after(payout, &decision), written.position);
        }
        tries.again()?;
    }
}
