//! A payout as it is shown.

use domain::{
    actor::Actor,
    ids::PayoutId,
    payment::Method,
    payout::{Payout, Plan},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::operation::Exemplary,
    shape::{Money, SignedMoney, utc_text},
};

/// One movement of money to a site.
#[derive(Serialize, ToSchema)]
#[schema(as = Payout)]
pub struct PayoutBody {
    object: &'static str,
    /// Null in a preview.
    id: Option<Uuid>,
    site_id: Uuid,
    /// `prepared`, `agreed`, `approved`, `rejected`, `submitted`, `pending`, `unknown`, `succeeded`, `failed`, `reversed` or
    /// `paid_by_hand`; `preview`. More may come.
    pub status: &'static str,
    /// What is paid.
    amount: Money,
    /// What was owed at the end of the period.
    payable: SignedMoney,
    /// Of it, gone back to clients before the payout was prepared.
    taken_back: Money,
    /// Of it, in the site's own till or on its account at a bank when the payout was prepared: the site has it already.
    at_site: Money,
    /// Of it, held for a dispute.
    held: Money,
    /// Where the last paid period ended; null when nothing was paid before.
    from: Option<String>,
    /// Everything entered in the ledger before this instant counts.
    to: String,
    #[schema(value_type = String, example = "wave")]
    method: Method,
    /// Who prepared it; null when it was prepared by itself.
    prepared_by: Option<Uuid>,
    /// Who said yes.
    approved_by: Vec<Uuid>,
    /// Ours, at the provider; or the bank's.
    reference: Option<String>,
    /// The provider's id of the movement.
    provider_id: Option<String>,
    /// What the provider took for it, on top.
    fee: Option<Money>,
    /// Why it was rejected, failed or taken back, or why nobody can tell.
    reason: Option<String>,
    created_at: Option<String>,
    ended_at: Option<String>,
    version: i32,
}

impl PayoutBody {
    /// `None` before it was prepared.
    pub fn of(id: PayoutId, payout: &Payout, version: i32) -> Option<Self> {
        let prepared = payout.prepared.as_ref()?;
        let who = |actor: &Actor| actor.id.map(|id| id.uuid());
        let attempt = payout.attempt.as_ref();
        let reference = attempt.map(|attempt| attempt.reference.to_string());
        Some(Self {
            id: Some(id.uuid()),
            status: payout.status.as_str(),
            prepared_by: who(&prepared.by),
            approved_by: payout.approvals.iter().filter_map(who).collect(),
            reference: reference.or_else(|| payout.transfer.clone()),
            provider_id: attempt.and_then(|attempt| attempt.provider_id.as_ref()).map(ToString::to_string),
            fee: payout.fee.map(Money::from),
            reason: payout.why.as_ref().map(ToString::to_string),
            created_at: Some(utc_text(prepared.at)),
            ended_at: payout.ended_at.map(utc_text),
            version,
            ..Self::sums(prepared.site_id.uuid(), &Plan::from(prepared))
        })
    }

    /// What would be prepared.
    pub(super) fn sums(site_id: Uuid, plan: &Plan) -> Self {
        Self {
            object: "payout",
            id: None,
            site_id,
            status: "preview",
            amount: plan.amount.into(),
            payable: plan.payable.into(),
            taken_back: plan.taken_back.into(),
            at_site: plan.at_site.into(),
            held: plan.held.into(),
            from: plan.from.map(utc_text),
            to: utc_text(plan.to),
            method: plan.destination.method,
            prepared_by: None,
            approved_by: Vec::new(),
            reference: None,
            provider_id: None,
            fee: None,
            reason: None,
            created_at: None,
            ended_at: None,
            version: 0,
        }
    }
}

impl Exemplary for PayoutBody {
    fn example() -> Value {
        let money = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
        json!({
            "object": "payout", "id": "019ab2c4-5f00-7000-8000-0000000000f1",
            "site_id": "019ab2c4-5f00-7000-8000-000000000001", "status": "succeeded", "amount": money(387_500),
            "payable": money(412_000), "taken_back": money(4_500), "at_site": money(0), "held": money(20_000), "from": "2026-11-01T00:00:00Z",
            "to": "2026-12-01T00:00:00Z", "method": "wave", "approved_by": ["019ab2c4-5f00-7000-8000-0000000000a2"],
            "provider_id": "pt-1h8k3kbv8r4gc", "fee": money(3_875), "version": 4,
        })
    }
}
