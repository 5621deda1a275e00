//! A second admin agrees.

use axum::http::StatusCode;
use domain::account;

use super::{ADMINS, AccountBody, change};
use crate::http::{
    call::Call,
    halt::Halt,
    operation::{IfMatch, Operation, Shape, Success},
    reply::Reply,
};

pub const APPROVE: Operation = Operation {
    id: "account.approve",
    path: "/v1/accounts/{id}/approval",
    if_match: IfMatch::Required,
    summary: "Agree to an account",
    about: "Of finance or of an admin, by another admin than the one who invited them. Then the invitation goes out.",
    authz: ADMINS,
    step_up: true,
    idempotent: false,
    success: Success { shape: Some(Shape::of::<AccountBody>()), about: "Approved.", ..Operation::READ.success },
    refusals: &["account.same_person"],
    run: |call| Box::pin(approve(call)),
    ..Operation::WRITE
};

async fn approve(call: Call) -> Result<Reply, Halt> {
    change(&call, StatusCode::OK, |account| account::approve(account, call.actor(), call.now())).await
}
