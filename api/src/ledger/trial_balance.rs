//! What is on each account, now or at any position.

use axum::http::StatusCode;
use domain::actor::Role;
use projections::ledger::{self, Balance};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    http::{
        admission::Class,
        as_of::AS_OF,
        call::Call,
        halt::Halt,
        operation::{Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::{Money, SignedMoney},
};

pub const TRIAL_BALANCE: Operation = Operation {
    id: "ledger.trial_balance",
    path: "/v1/ledger/trial-balance",
    class: Class::Analytics,
    summary: "What is on each account of the ledger",
    about: "Debits and credits of every account up to a position. All of them together are zero in each currency.",
    authz: super::EVERYTHING,
    query: &[AS_OF],
    refusals: &["position.before_start", "position.beyond_head"],
    success: Success { shape: Some(Shape::of::<TrialBalanceBody>()), about: "It.", ..Operation::READ.success },
    run: |call| Box::pin(trial_balance(call)),
    ..Operation::READ
};

/// Every account.
#[derive(Serialize, ToSchema)]
#[schema(as = TrialBalance)]
pub struct TrialBalanceBody {
    object: &'static str,
    accounts: Vec<AccountBody>,
    /// One for each currency: debits and credits of all accounts, which are equal.
    totals: Vec<TotalBody>,
    as_of_position: i64,
}

/// What is on an account.
#[derive(Serialize, ToSchema)]
#[schema(as = LedgerAccount)]
pub struct AccountBody {
    account: String,
    debit: Money,
    credit: Money,
    /// Debit less credit: positive is money, negative a debt.
    balance: SignedMoney,
}

impl From<Balance> for AccountBody {
    fn from(one: Balance) -> Self {
        Self { debit: one.debit.into(), credit: one.credit.into(), balance: one.balance().into(), account: one.account }
    }
}

/// Of all accounts.
#[derive(Serialize, ToSchema)]
#[schema(as = LedgerTotal)]
pub struct TotalBody {
    debit: Money,
    credit: Money,
}

impl Exemplary for TrialBalanceBody {
    fn example() -> Value {
        let money = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
        json!({
            "object": "trial_balance", "as_of_position": 42,
            "accounts": [
                { "account": "deposits:unearned", "debit": money(0), "credit": money(10_500), "balance": money(-10_500) },
                { "account": "provider:wave:clearing", "debit": money(10_500), "credit": money(0), "balance": money(10_500) },
            ],
            "totals": [{ "debit": money(10_500), "credit": money(10_500) }],
        })
    }
}

async fn trial_balance(call: Call) -> Result<Reply, Halt> {
    if !super::sees_everything(&call) {
        let role = call.caller.role().map_or("?", Role::as_str);
        return Err(Problem::new("auth.role_forbidden").with("role", role).into());
    }
    let until = call.as_of().await?.map(|moment| moment.position);
    let (as_of, balances) = ledger::trial_balance(call.app.store.pool(), until, None).await.map_err(Problem::from)?;
    let body = TrialBalanceBody {
        object: "trial_balance",
        totals: totals(&balances)?,
        accounts: balances.into_iter().map(AccountBody::from).collect(),
        as_of_position: as_of,
    };
    Ok(Reply::json(StatusCode::OK, &body)?.position(as_of))
}

fn totals(balances: &[Balance]) -> Result<Vec<TotalBody>, Problem> {
    let mut totals = Vec::new();
    for currency in domain::money::Currency::ALL {
        let of = |side: fn(&Balance) -> domain::money::Money| {
            let amounts = balances.iter().filter(|one| one.currency() == currency).map(side);
            domain::money::Money::sum(currency, amounts).map_err(|error| {
                tracing::error!(%error, "the ledger does not fit into 64 bits");
                Problem::new("server.error")
            })
        };
        let (debit, credit) = (of(|one| one.debit)?, of(|one| one.credit)?);
        if debit != credit {
            tracing::error!(%debit, %credit, "the ledger is not balanced");
            return Err(Problem::new("server.error"));
        }
        if !debit.is_zero() {
            totals.push(TotalBody { debit: debit.into(), credit: credit.into() });
        }
    }
    Ok(totals)
}
