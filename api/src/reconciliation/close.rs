//! A day is closed.

use domain::reconciliation::close as end;

use super::{Day, account::ACCOUNT, body::ReconciliationBody, import::answer};
use crate::http::{
    call::Call,
    command::{Tries, after},
    halt::Halt,
    operation::{Operation, Shape, Success},
    reply::Reply,
};

pub const CLOSE: Operation = Operation {
    id: "reconciliation.close",
    path: "/v1/reconciliations/{provider}/{day}/closing",
    summary: "Close a day",
    about: "When it has ended, its statement was compared, and no difference is left unexplained. A closed day takes no other \
            statement.",
    authz: super::WRITES,
    step_up: true,
    query: &[ACCOUNT],
    success: Success {
        shape: Some(Shape::of::<ReconciliationBody>()),
        about: "How the day stands now.",
        ..Operation::READ.success
    },
    refusals: &[
        "reconciliation.unknown_account",
        "reconciliation.no_statement",
        "reconciliation.day_not_ended",
        "reconciliation.unexplained",
    ],
    run: |call| Box::pin(close(call)),
    ..Operation::WRITE
};

async fn close(call: Call) -> Result<Reply, Halt> {
    let day = Day::of(&call).await?;
    if let Some((then, position)) = day.resumed(&call).await? {
        return answer(&then, position);
    }
    let mut tries = Tries::default();
    loop {
        let known = day.load(&call).await?;
        call.precondition.check(known.version)?;
        let decision = end(&known, call.actor(), call.now())?;
        if let Some(written) = call.write(decision.clone(), None).await? {
            return answer(&after(known, &decision), written.position);
        }
        tries.again()?;
    }
}
