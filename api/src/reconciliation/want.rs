//! The statement is fetched from the provider.

use domain::reconciliation::want as wish;

use super::{Day, account::ACCOUNT, body::ReconciliationBody, import::answer};
use crate::http::{
    call::Call,
    command::{Tries, after},
    halt::Halt,
    operation::{Operation, Shape, Success},
    reply::Reply,
};

pub const WANT: Operation = Operation {
    id: "reconciliation.fetch",
    path: "/v1/reconciliations/{provider}/{day}/fetch",
    summary: "Fetch the statement of a day from the provider",
    about: "Of those that list their transactions (Wave, Sonatel); the others' comes as a file. It is done afterwards, and each \
            night for the day before by itself.",
    authz: super::WRITES,
    query: &[ACCOUNT],
    success: Success {
        shape: Some(Shape::of::<ReconciliationBody>()),
        about: "How the day stands now.",
        ..Operation::READ.success
    },
    refusals: &["reconciliation.unknown_account", "reconciliation.day_not_begun", "reconciliation.closed"],
    run: |call| Box::pin(want(call)),
    ..Operation::WRITE
};

async fn want(call: Call) -> Result<Reply, Halt> {
    let day = Day::of(&call).await?;
    if let Some((then, position)) = day.resumed(&call).await? {
        return answer(&then, position);
    }
    let mut tries = Tries::default();
    loop {
        let known = day.load(&call).await?;
        call.precondition.check(known.version)?;
        let decision = wish(&known, day.provider, day.account.clone(), day.day, call.actor(), call.now())?;
        if let Some(written) = call.write(decision.clone(), None).await? {
            return answer(&after(known, &decision), written.position);
        }
        tries.again()?;
    }
}
