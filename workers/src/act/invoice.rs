//! Commission of sites that collect by themselves: asked for after each month, and overdue when it is not paid.

use domain::{
    Timestamp,
    aggregate::Loaded,
    ids::{InvoiceId, SiteId},
    invoice::{self, Invoice, Previous, Refusal},
    reaction::Reaction,
    site::Site,
};

use super::{Report, TurnError, month, report::decide};
use crate::{
    context::Context,
    effect::{Outcome, Taken},
};

/// The commission that was entered before the month that `month` begins, asked for by itself; then the next month.
pub(super) async fn issue(
    ctx: &Context,
    taken: &Taken,
    site_id: SiteId,
    since: Timestamp,
    month: Option<Timestamp>,
) -> Result<Outcome, TurnError> {
    let site: Loaded<Site> = ctx.store.load(site_id).await?;
    let Some(identity) = site.state.identity.as_ref().filter(|_| site.state.contract_since == Some(since)) else {
        return Ok(Outcome::Dropped("another contract was agreed on".into()));
    };
    let settled = match month {
        Some(month) => issue_until(ctx, taken, site_id, month).await?,
        None => Ok(()),
    };
    let turn_of = |month| Reaction::IssueInvoice { site_id, since, at: Some(month) };
    Ok(month::then_the_next(ctx, taken, identity.time_zone, settled, turn_of))
}

/// Issues one, or finds that there is nothing to ask for. Why it must be tried again, if so.
async fn issue_until(
    ctx: &Context,
    taken: &Taken,
    site_id: SiteId,
    to: Timestamp,
) -> Result<Result<(), &'static str>, TurnError> {
    let (report, store) = (Report::from(taken), &ctx.store);
    let up_to = store.position_before(to).await.map_err(eventstore::LoadError::from)?;
    let id = InvoiceId::new(store.clock().new_id());
    decide!(ctx, report, &format!("issue:{}", to.timestamp()), Some(site_id), {
        let site: Loaded<Site> = store.load(site_id).await?;
        let Some(identity) = &site.state.identity else { return Ok(Ok(())) };
        let last = projections::invoice::last(store, site_id).await?;
        let previous = last.as_ref().map(|last| Previous { invoice: &last.it, position: last.position });
        let due = projections::invoice::due(store.pool(), site_id, identity.currency, up_to).await?;
        let Some(due) = due else { return Ok(Err("the ledger is behind")) };
        if last.as_ref().is_some_and(|last| due.read_at < last.position) {
            return Ok(Err("the views are behind"));
        }
        let by = domain::actor::Actor::SYSTEM;
        match invoice::issue(id, &site, previous, &due, to, by, store.clock().now()) {
            Ok(decision) => decision,
            Err(refusal @ (Refusal::NotFound | Refusal::UnknownSite | Refusal::Money(_))) => {
                return Err(TurnError::from(&refusal));
            }
            // Too little, or somebody has asked already: the next month has it.
            Err(refusal) => {
                tracing::info!(site = %site_id, why = %refusal, "no invoice this month");
                return Ok(Ok(()));
            }
        }
    })?;
    Ok(Ok(()))
}

/// The day on which it had to be paid is over.
pub(super) async fn become_overdue(ctx: &Context, taken: &Taken, id: InvoiceId) -> Result<Outcome, TurnError> {
    let report = Report::from(taken);
    let invoice: Loaded<Invoice> = ctx.store.load(id).await?;
    let Some(site_id) = invoice.state.issued.as_ref().map(|issued| issued.site_id) else {
        return Ok(Outcome::Dropped("no such invoice".into()));
    };
    decide!(ctx, report, "overdue", Some(site_id), {
        let invoice: Loaded<Invoice> = ctx.store.load(id).await?;
        invoice::become_overdue(&invoice, ctx.store.clock().now()).map_err(|refusal| TurnError::from(&refusal))?
    })?;
    Ok(Outcome::Done)
}
