//! Somebody is to do something else, by two admins.

use axum::http::StatusCode;
use domain::account;

use super::{ADMINS, AccountBody, Duty, change};
use crate::http::{
    call::Call,
    halt::Halt,
    operation::{IfMatch, Operation, Shape, Success},
    reply::Reply,
};

pub const PROPOSE: Operation = Operation {
    id: "account.propose_role",
    path: "/v1/accounts/{id}/role",
    summary: "Propose another role",
    about: "It counts once a second admin agrees. Nobody proposes their own.",
    authz: ADMINS,
    step_up: true,
    idempotent: false,
    body: Some(Shape::of::<Duty>()),
    success: Success { shape: Some(Shape::of::<AccountBody>()), about: "Proposed.", ..Operation::READ.success },
    refusals: &["account.same_person", "account.not_accepted", "account.no_such_role", "account.no_sites"],
    run: |call| Box::pin(propose(call)),
    ..Operation::WRITE
};

pub const GRANT: Operation = Operation {
    id: "account.grant_role",
    path: "/v1/accounts/{id}/role/approval",
    if_match: IfMatch::Required,
    summary: "Agree to another role",
    about: "By another admin than the one who proposed it, who has read the account: `If-Match`. It counts at once, in every session that is open.",
    authz: ADMINS,
    step_up: true,
    idempotent: false,
    success: Success { shape: Some(Shape::of::<AccountBody>()), about: "Granted.", ..Operation::READ.success },
    refusals: &["account.same_person", "account.nothing_proposed"],
    run: |call| Box::pin(grant(call)),
    ..Operation::WRITE
};

async fn propose(call: Call) -> Result<Reply, Halt> {
    let body: Duty = call.body()?;
    let duty: account::Duty = body.into();
    change(&call, StatusCode::OK, |account| account::propose_role(account, duty.clone(), call.actor(), call.now()))
        .await
}

async fn grant(call: Call) -> Result<Reply, Halt> {
    change(&call, StatusCode::OK, |account| account::grant_role(account, call.actor(), call.now())).await
}
