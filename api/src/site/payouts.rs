//! Where a site is paid, and what of its money stays with the platform while a dispute is open.

use adapters::phone;
use axum::http::{Method as Verb, StatusCode};
use domain::{
    actor::Role,
    aggregate::Loaded,
    key::Scope,
    payment::Method,
    sealed::field,
    site::{self, Destination, Site},
    text::{Note, Text},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::CONFIGURE;
use crate::{
    http::{
        admission::Class,
        call::Call,
        command::{Tries, after},
        etag,
        halt::Halt,
        operation::{Authz, Exemplary, IfMatch, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::{Money, utc_text},
};

pub const SET_PAYOUT_ACCOUNT: Operation = Operation {
    id: "site.set_payout_account",
    path: "/v1/sites/{id}/payout-account",
    summary: "Agree on where the site is paid",
    about: "A number at a provider that sends money, or an account at a bank (`transfer`). Sealed under the manager's key. \
            Nothing is paid to an account that took the place of another one for 24 hours.",
    authz: Authz::Keys { scope: Scope::SitesWrite, roles: &[(Role::Admin, Over::All)] },
    step_up: true,
    body: Some(Shape::of::<SetAccount>()),
    success: ACCOUNT,
    refusals: &["site.payout_method", "site.role_not_allowed", "site.name_required", "version.conflict"],
    run: |call| Box::pin(set_account(call)),
    ..CONFIGURE
};

pub const SHOW_PAYOUT_ACCOUNT: Operation = Operation {
    id: "site.payout_account",
    path: "/v1/sites/{id}/payout-account",
    summary: "Where the site is paid, and what is held",
    about: "The last four characters of the account. Not public.",
    authz: Authz::Keys {
        scope: Scope::PayoutsRead,
        roles: &[(Role::Manager, Over::Sites), (Role::Finance, Over::All), (Role::Admin, Over::All)],
    },
    success: ACCOUNT,
    run: |call| Box::pin(show_account(call)),
    ..Operation::READ
};

const ACCOUNT: Success = Success { shape: Some(Shape::of::<AccountBody>()), about: "It.", ..Operation::READ.success };

/// Who keeps money back.
const HOLDS: Operation = Operation {
    method: Verb::POST,
    class: Class::Hold,
    authz: Authz::Keys { scope: Scope::PayoutsWrite, roles: &[(Role::Finance, Over::All)] },
    if_match: IfMatch::Optional,
    success: ACCOUNT,
    ..Operation::READ
};

pub const HOLD_PAYOUTS: Operation = Operation {
    id: "site.hold_payouts",
    path: "/v1/sites/{id}/payout-hold",
    summary: "Keep money of the site out of payouts",
    about: "So much of it, or all of it, while a dispute is open. What was held before is replaced; payouts that were \
            approved go out.",
    body: Some(Shape::of::<Hold>()),
    refusals: &["site.payout_hold", "site.role_not_allowed"],
    run: |call| Box::pin(hold(call)),
    ..HOLDS
};

pub const RELEASE_PAYOUTS: Operation = Operation {
    id: "site.release_payouts",
    step_up: true,
    path: "/v1/sites/{id}/payout-hold/release",
    summary: "Give held money back to the site",
    about: "It is in the next payout.",
    body: Some(Shape::of::<Release>()),
    refusals: &["site.role_not_allowed"],
    run: |call| Box::pin(release(call)),
    ..HOLDS
};

/// Where to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAccount {
    /// `wave`, `orange_money`, `yas`; or `transfer`.
    #[schema(value_type = String, example = "wave")]
    method: Method,
    /// A mobile number; for a transfer the account as the bank writes it.
    #[schema(value_type = String, max_length = 60)]
    account: Text<60>,
}

impl Exemplary for SetAccount {
    fn example() -> Value {
        json!({ "method": "wave", "account": "77 123 45 67" })
    }
}

/// What is held, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// All of it when left out.
    amount: Option<Money>,
    #[schema(value_type = String, max_length = 500)]
    reason: Note,
}

impl Exemplary for Hold {
    fn example() -> Value {
        json!({ "amount": { "amount": 20_000, "currency": "XOF" }, "reason": "Litige 2026-41" })
    }
}

/// Why it is the site's again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    #[schema(value_type = String, max_length = 500)]
    reason: Note,
}

impl Exemplary for Release {
    fn example() -> Value {
        json!({ "reason": "Litige 2026-41 réglé" })
    }
}

/// How a site is paid.
#[derive(Serialize, ToSchema)]
#[schema(as = PayoutAccount)]
pub struct AccountBody {
    object: &'static str,
    site_id: Uuid,
    /// Null while nobody has agreed on one, as are the next two.
    #[schema(value_type = Option<String>, example = "wave")]
    method: Option<Method>,
    /// Its last four characters; null, too, once the manager was forgotten.
    account_ends_with: Option<String>,
    since: Option<String>,
    /// Null when nothing is.
    hold: Option<HoldBody>,
}

/// What of a site's money is held.
#[derive(Serialize, ToSchema)]
#[schema(as = PayoutHold)]
pub struct HoldBody {
    /// Null: all of it.
    amount: Option<Money>,
    reason: String,
}

impl Exemplary for AccountBody {
    fn example() -> Value {
        json!({
            "object": "payout_account", "site_id": "019ab2c4-5f00-7000-8000-000000000001", "method": "wave",
            "account_ends_with": "4567", "since": "2026-11-01T09:00:00Z", "hold": null,
        })
    }
}

async fn set_account(call: Call) -> Result<Reply, Halt> {
    let body: SetAccount = call.body()?;
    let account = match body.method {
        Method::Transfer => body.account.to_string(),
        _ => {
            let number = phone::mobile(body.account.as_str());
            number
                .map_err(|why| Problem::new("request.invalid_field").at("/account", why.to_string()))?
                .e164()
                .to_owned()
        }
    };
    let mut tries = Tries::default();
    loop {
        let site = call.own_site().await?;
        call.precondition.check(site.version)?;
        let Some(identity) = &site.state.identity else { return Err(Problem::new("object.not_found").into()) };
        let subject = identity.manager_id;
        let subjects = call.app.store.subjects();
        let known = site.state.payout_account.as_ref().filter(|known| known.destination.method == body.method);
        if let Some(known) = known
            && subjects.open(subject.uuid(), field::PAYOUT_ACCOUNT, &known.destination.account).await?.as_ref()
                == Some(&account)
        {
            return show(&call, &site, None).await;
        }
        let sealed = subjects.seal(subject.uuid(), field::PAYOUT_ACCOUNT, &account).await?;
        let destination = Destination { method: body.method, subject, account: sealed };
        let decision = site::set_payout_account(&site, destination, call.actor(), call.now())?;
        if let Some(written) = call.write(decision.clone(), Some(site.id)).await? {
            return show(&call, &after(site, &decision), Some(written.position)).await;
        }
        tries.again()?;
    }
}

async fn hold(call: Call) -> Result<Reply, Halt> {
    let body: Hold = call.body()?;
    let bounded = body.amount.map(Money::bounded).transpose();
    let amount = bounded.map_err(|why| Problem::new("request.invalid_field").at("/amount", why.to_string()))?;
    decided(&call, |site| site::hold_payouts(site, amount, body.reason.clone(), call.actor(), call.now())).await
}

async fn release(call: Call) -> Result<Reply, Halt> {
    let body: Release = call.body()?;
    decided(&call, |site| site::release_payouts(site, body.reason.clone(), call.actor(), call.now())).await
}

async fn decided(
    call: &Call,
    decide: impl Fn(&Loaded<Site>) -> Result<domain::decision::Decision, site::Refusal> + Send,
) -> Result<Reply, Halt> {
    let mut tries = Tries::default();
    loop {
        let site = call.own_site().await?;
        call.precondition.check(site.version)?;
        let decision = decide(&site)?;
        if decision.is_nothing() {
            return show(call, &site, None).await;
        }
        if let Some(written) = call.write(decision.clone(), Some(site.id)).await? {
            return show(call, &after(site, &decision), Some(written.position)).await;
        }
        tries.again()?;
    }
}

async fn show_account(call: Call) -> Result<Reply, Halt> {
    let site = call.own_site().await?;
    show(&call, &site, None).await
}

async fn show(call: &Call, site: &Loaded<Site>, position: Option<i64>) -> Result<Reply, Halt> {
    let account = site.state.payout_account.as_ref();
    let mut ends_with = None;
    if let Some(account) = account {
        let to = &account.destination;
        let opened = call.app.store.subjects().open(to.subject.uuid(), field::PAYOUT_ACCOUNT, &to.account).await?;
        ends_with = opened.map(|text| {
            let from = text.chars().count().saturating_sub(4);
            text.chars().skip(from).collect()
        });
    }
    let body = AccountBody {
        object: "payout_account",
        site_id: site.id.uuid(),
        method: account.map(|account| account.destination.method),
        account_ends_with: ends_with,
        since: account.map(|account| utc_text(account.since)),
        hold: site
            .state
            .payout_hold
            .as_ref()
            .map(|hold| HoldBody { amount: hold.amount.map(Money::from), reason: hold.reason.to_string() }),
    };
    let reply = Reply::json(StatusCode::OK, &body)?;
    let tag = etag::of(site.version, &[&reply.body]);
    let reply = reply.etag(tag);
    Ok(match position {
        Some(position) => reply.position(position),
        None => reply,
    })
}
