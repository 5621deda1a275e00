//! What whoever looks after the money is told: ids, amounts, and what to do. Nobody's name or number.

use domain::{
    aggregate::Loaded,
    ids::{PayoutId, RefundId},
    invoice::Invoice,
    payment::Payment,
    payout::Payout,
    reaction::{About, Notice},
    reconciliation::Reconciliation,
    refund::Refund,
};

use crate::{act::TurnError, context::Context};

/// Subject and text.
pub(super) async fn letter(ctx: &Context, notice: Notice) -> Result<(String, String), TurnError> {
    let (subject, text) = match notice {
        Notice::AmountDiffers { payment_id } => {
            let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
            let asked = payment.state.request.as_ref().map(|request| request.amount.to_string()).unwrap_or_default();
            let text = format!("Paiement {payment_id}: {asked} demandés, {} reçus.", payment.state.captured());
            ("Montant différent", text)
        }
        Notice::PaidTwice { payment_id } => {
            let captured = ctx.store.load::<Payment>(payment_id).await?.state.captured();
            ("Payé deux fois", format!("Paiement {payment_id}: {captured} reçus en tout, le double est remboursé."))
        }
        Notice::ApprovalWanted { refund_id } => {
            ("Remboursement à approuver", refund(ctx, refund_id, "attend une seconde personne").await?)
        }
        Notice::RefundReversed { refund_id } => {
            let text = refund(ctx, refund_id, "a été repris par l'opérateur; il est dû de nouveau").await?;
            ("Remboursement repris", text)
        }
        Notice::InvoiceOverdue { invoice_id } => {
            let invoice: Loaded<Invoice> = ctx.store.load(invoice_id).await?;
            let amount = invoice.state.issued.as_ref().map(|issued| issued.amount.to_string()).unwrap_or_default();
            ("Facture en retard", format!("Facture {invoice_id} de {amount}: n'a pas été payée à temps."))
        }
        Notice::PayoutWaits { payout_id } => (
            "Reversement à approuver",
            payout(ctx, payout_id, "attend une personne qui ne l'a pas encore signé").await?,
        ),
        Notice::TransferWanted { payout_id } => {
            ("Virement à faire", payout(ctx, payout_id, "approuvé: à virer à la banque, puis à enregistrer").await?)
        }
        Notice::PayoutFailed { payout_id } => {
            ("Reversement échoué", payout(ctx, payout_id, "n'a pas abouti; la somme est due de nouveau").await?)
        }
        Notice::NoAnswer { about: About::Payout(payout_id) } => {
            ("Reversement sans réponse", payout(ctx, payout_id, "reste sans réponse depuis 72 heures").await?)
        }
        Notice::DifferencesFound { reconciliation_id } => {
            let day: Loaded<Reconciliation> = ctx.store.load(reconciliation_id).await?;
            ("Relevé à expliquer", differences(&day))
        }
        Notice::NoAnswer { about: About::Payment(payment_id) | About::Listed(payment_id) } => {
            let text = format!("Paiement {payment_id}: l'opérateur ne dit rien depuis 72 heures.");
            ("Paiement sans réponse", text)
        }
        Notice::NoAnswer { about: About::Refund(refund_id) } => {
            ("Remboursement sans réponse", refund(ctx, refund_id, "reste sans réponse depuis 72 heures").await?)
        }
        Notice::EndpointDisabled { endpoint_id } => {
            let text = format!("Point d'envoi {endpoint_id}: n'a rien accepté depuis trois jours, il est désactivé.");
            ("Point d'envoi désactivé", text)
        }
        other => ("Avis", format!("{other:?}")),
    };
    Ok((subject.to_owned(), text))
}

fn differences(day: &Loaded<Reconciliation>) -> String {
    let Some(scope) = &day.state.scope else { return format!("Rapprochement {}.", day.id) };
    format!(
        "Relevé {} du {} (compte {}): {} écarts attendent une explication. Rapprochement {}.",
        scope.provider.as_str(),
        scope.day,
        scope.account,
        day.state.unexplained().count(),
        day.id
    )
}

async fn payout(ctx: &Context, id: PayoutId, what: &str) -> Result<String, TurnError> {
    let payout: Loaded<Payout> = ctx.store.load(id).await?;
    let amount = payout.state.prepared.as_ref().map(|prepared| prepared.amount.to_string()).unwrap_or_default();
    Ok(format!("Reversement {id} de {amount}: {what}."))
}

async fn refund(ctx: &Context, id: RefundId, what: &str) -> Result<String, TurnError> {
    let refund: Loaded<Refund> = ctx.store.load(id).await?;
    let amount = refund.state.request.as_ref().map(|request| request.amount.to_string()).unwrap_or_default();
    Ok(format!("Remboursement {id} de {amount}: {what}."))
}
