//! `POST /payment/refund-payment`: asked for now, done later, told by IPN.

use axum::{Json, body::Bytes, extract::State};
use chrono::TimeDelta;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    App, PayTech,
    answer::{Answer, No},
    auth::Merchant,
    ledger::{Kind, Movement},
    wallet::{Refund, Sale, Stage},
};
use crate::server::lock;

pub(crate) const CALL: &str = "refund";

pub(crate) async fn create(_: Merchant, State(paytech): App, body: Bytes) -> Answer {
    if let Some(body) = paytech.scripted(CALL) {
        return Ok(Json(body));
    }
    let reference = reference(&body).ok_or_else(|| No::errors(&["ref_command est obligatoire".into()]))?;
    paytech.mature();
    let switches = paytech.switches();
    let accepted = || Ok(Json(json!({ "success": 1, "message": "Remboursement en cours de traitement" })));
    {
        let mut wallet = lock(&paytech.wallet);
        let balance = wallet.ledger.balance();
        let sale = wallet.sale_mut(&reference).ok_or_else(|| No::message(0, "Commande introuvable"))?;
        let (Stage::Complete, Some(paid)) = (sale.stage, &sale.paid) else {
            return Err(No::message(0, "La commande n'a pas été payée"));
        };
        match sale.refund {
            Refund::Pending { .. } | Refund::Complete if switches.accepts_refunds_again => return accepted(),
            Refund::Pending { .. } => return Err(No::message(0, "Remboursement déjà en cours")),
            Refund::Complete => return Err(No::message(0, "Cette commande a déjà été remboursée")),
            Refund::None => {}
        }
        if balance < paid.debited {
            return Err(No::message(0, "Solde insuffisant"));
        }
        let due = paytech.clock.now() + TimeDelta::seconds(switches.refund_seconds.max(0));
        sale.refund = Refund::Pending { due };
    }
    paytech.mature();
    paytech.hooks.wake();
    accepted()
}

/// The reference from a form as documented, or from JSON as some integrations send it.
fn reference(body: &[u8]) -> Option<String> {
    let from_form = || form_urlencoded::parse(body).find(|(name, _)| name == "ref_command").map(|(_, value)| value);
    match serde_json::from_slice::<Value>(body) {
        Ok(json) => json.get("ref_command")?.as_str().map(str::to_owned),
        Err(_) => from_form().map(|value| value.into_owned()).filter(|value| !value.is_empty()),
    }
}

impl PayTech {
    /// Does the refunds that are due, and tells of them.
    pub(crate) fn mature(&self) {
        let now = self.clock.now();
        let done: Vec<Sale> = {
            let mut wallet = lock(&self.wallet);
            let due: Vec<_> = wallet.sales().filter(|sale| sale.is_due(now)).cloned().collect();
            for sale in &due {
                if let (Some(sale), Some(paid)) = (wallet.sale_mut(&sale.token), &sale.paid) {
                    sale.refund = Refund::Complete;
                    let movement = Movement::of(sale, Kind::Refund, -paid.debited, 0, now);
                    wallet.ledger.post(movement);
                }
            }
            due
        };
        if !done.is_empty() {
            self.changed.notify_one();
        }
        for sale in done {
            self.emit("refund_complete", &sale);
        }
    }

    /// Lets a refund that was accepted come to nothing; nobody is told.
    pub(crate) fn lose_refund(&self, wanted: &str) -> Result<(), String> {
        let mut wallet = lock(&self.wallet);
        let sale = wallet.sale_mut(wanted).ok_or("no such sale")?;
        match sale.refund {
            Refund::Pending { .. } => sale.refund = Refund::None,
            Refund::None | Refund::Complete => return Err("no refund is under way".into()),
        }
        Ok(())
    }
}
