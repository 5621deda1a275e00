//! Payouts: prepared, signed by two, paid; and what they are made of.

mod approve;
mod body;
mod hand;
mod list;
mod page;
mod prepare;
mod show;
mod statement;

use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::{PayoutId, SiteId},
    key::Scope,
    money::Currency,
    payout::{Payable, Payout, Prepared},
    site::Site,
};
use projections::ledger;

pub use body::PayoutBody;
pub(crate) use list::filter;

use crate::{
    http::{
        call::Call,
        operation::{Authz, Operation, Over},
        position::reached,
    },
    problem::Problem,
    reservation::not_found_if_other,
    site,
};

pub const OPERATIONS: &[&Operation] = &[
    &prepare::PREPARE,
    &list::LIST,
    &show::SHOW,
    &approve::APPROVE,
    &approve::REJECT,
    &hand::PAY_BY_HAND,
    &statement::STATEMENT,
    &statement::CSV,
    &statement::XLSX,
    &statement::PDF,
];

/// Who sees payouts: a manager those of their sites.
const READS: Authz = Authz::Keys {
    scope: Scope::PayoutsRead,
    roles: &[
        (Role::Manager, Over::Sites),
        (Role::Finance, Over::All),
        (Role::Admin, Over::All),
        (Role::Auditor, Over::All),
    ],
};

/// Who moves money: finance, and nobody else.
const MOVES: Authz = Authz::Keys { scope: Scope::PayoutsWrite, roles: &[(Role::Finance, Over::All)] };

impl Call {
    /// The payout of the path, if the caller may touch it, with its site.
    async fn own_payout(&self) -> Result<(Loaded<Payout>, Loaded<Site>), Problem> {
        let id = PayoutId::new(self.uuid("id")?);
        let payout: Loaded<Payout> = self.app.store.load(id).await.map_err(not_found_if_other)?;
        let site_id = prepared(&payout)?.site_id;
        let site: Loaded<Site> = self.app.store.load(site_id).await?;
        self.may_touch(&site::object(&site))?;
        Ok((payout, site))
    }

    /// What the ledger says of a site, once it has come to `until`.
    async fn payable(
        &self,
        site: SiteId,
        currency: Currency,
        (after, up_to): (i64, i64),
        until: i64,
    ) -> Result<Payable, Problem> {
        reached(&self.app, until.max(up_to)).await?;
        let payable = ledger::payable(self.app.store.pool(), site, currency, after, up_to).await?;
        payable.ok_or_else(|| Problem::new("projection_behind").retry_after(1))
    }
}

fn prepared(payout: &Loaded<Payout>) -> Result<&Prepared, Problem> {
    payout.state.prepared.as_ref().ok_or_else(|| Problem::new("object.not_found"))
}
