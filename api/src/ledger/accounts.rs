//! What is on the accounts of a site or of a client.

use axum::http::StatusCode;
use domain::{
    ids::{ClientId, SiteId},
    ledger::Account,
    site::Site,
};
use projections::ledger;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::trial_balance::AccountBody;
use crate::{
    http::{
        admission::Class,
        as_of::AS_OF,
        call::Call,
        halt::Halt,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    site,
};

pub const ACCOUNTS: Operation = Operation {
    id: "ledger.accounts",
    path: "/v1/ledger/accounts",
    class: Class::Analytics,
    summary: "Accounts of a site or a client",
    about: "What is on each account of a `site` (id or slug) or of a `client`; those on which nothing ever was are left \
            out. A manager asks for a site of theirs. Every account there is: the trial balance.",
    authz: super::ENTRIES,
    query: &[
        Param::new("site", Kind::Name, "Id or slug of a site; or `client`.", "fara-foot")
            .checked("`client`, and the caller"),
        Param::new("client", Kind::Id, "Id of a client; or `site`.", "019ab2c4-5f00-7000-8000-000000000004")
            .checked("`site`, and the caller"),
        AS_OF,
    ],
    refusals: &["position.before_start", "position.beyond_head"],
    success: Success { shape: Some(Shape::of::<AccountList>()), about: "They.", ..Operation::READ.success },
    run: |call| Box::pin(accounts(call)),
    ..Operation::READ
};

/// Accounts by name.
#[derive(Serialize, ToSchema)]
pub struct AccountList {
    object: &'static str,
    data: Vec<AccountBody>,
    as_of_position: i64,
}

impl Exemplary for AccountList {
    fn example() -> Value {
        let money = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
        json!({
            "object": "list", "as_of_position": 42,
            "data": [{
                "account": "site:019ab2c4-5f00-7000-8000-000000000001:payable",
                "debit": money(0), "credit": money(31_500), "balance": money(-31_500),
            }],
        })
    }
}

async fn accounts(call: Call) -> Result<Reply, Halt> {
    let wrong = |detail: &str| Problem::new("request.invalid_parameter").parameter("site", detail.to_owned());
    let client = call
        .query
        .parsed("client", |text| Uuid::try_parse(text).map(ClientId::new).map_err(|_| "must be an id".to_owned()))?;
    let wanted = match (call.query.text("site"), client) {
        (Some(name), None) => {
            let site: SiteId = call.site_named(name).await?;
            call.may_touch(&site::object(&*call.app.store.recall::<Site>(site).await?))?;
            Account::of_site(site).to_vec()
        }
        (None, Some(client)) => {
            let account = Account::ClientCredit(client);
            super::may_see(&call, account, "client").await?;
            vec![account]
        }
        _ => return Err(wrong("either `site` or `client` is needed").into()),
    };
    let until = call.as_of().await?.map(|moment| moment.position);
    let read = ledger::trial_balance(call.app.store.pool(), until, Some(&wanted)).await;
    let (as_of, balances) = read.map_err(Problem::from)?;
    let list = AccountList {
        object: "list",
        data: balances.into_iter().map(AccountBody::from).collect(),
        as_of_position: as_of,
    };
    Ok(Reply::json(StatusCode::OK, &list)?.position(as_of))
}
