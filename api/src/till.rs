//! The cash drawer of a site: opened, counted, closed; what should be in it, and what was.

mod change;
mod show;

use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::TillId,
    key::Scope,
    money::Currency,
    site::Site,
    till::{self, Takings, Till},
};

pub use change::{CLOSE, COUNT, MOVE, OPEN};
pub use show::{HISTORY, SHOW};

use crate::{
    http::{
        call::Call,
        operation::{Authz, Operation, Over},
        position,
    },
    problem::Problem,
};

pub const OPERATIONS: &[&Operation] = &[&OPEN, &COUNT, &MOVE, &CLOSE, &SHOW, &HISTORY];

/// Who opens, counts and closes it.
const WRITES: Authz =
    Authz::Keys { scope: Scope::PaymentsWrite, roles: &[(Role::Cashier, Over::Sites), (Role::Manager, Over::Sites)] };

/// Who sees it.
const READS: Authz = Authz::Keys {
    scope: Scope::PaymentsRead,
    roles: &[
        (Role::Cashier, Over::Sites),
        (Role::Manager, Over::Sites),
        (Role::Finance, Over::All),
        (Role::Admin, Over::All),
        (Role::Auditor, Over::All),
    ],
};

impl Call {
    /// The drawer of the site of the path as it is in the log now; a new one when it was never opened.
    ///
    /// # Errors
    /// `object.not_found`.
    async fn own_till(&self) -> Result<(Loaded<Site>, Loaded<Till>), Problem> {
        let site = self.own_site().await?;
        if !site.state.is_registered() {
            return Err(Problem::new("object.not_found"));
        }
        let store = &self.app.store;
        let till = match store.holder_of(till::NAME, &till::name(site.id)).await? {
            Some(id) => store.load(TillId::new(id)).await?,
            None => Loaded::new(TillId::new(self.new_id())),
        };
        Ok((site, till))
    }

    /// The cash that moved at a site after a position, up to the end of the log as it is now: counted by the view, which is
    /// waited for. The position that the answer names is what a decision says it counted up to.
    ///
    /// # Errors
    /// `projection_behind`.
    async fn takings(&self, site: &Loaded<Site>, after: i64) -> Result<Takings, Problem> {
        let store = &self.app.store;
        let head = store.head().await?;
        position::reached_by(&self.app, &[&projections::till::PROJECTOR], head).await?;
        Ok(projections::till::takings(store.pool(), site.id, after, currency(site)).await?)
    }
}

fn currency(site: &Loaded<Site>) -> Currency {
    site.state.identity.as_ref().map_or(Currency::Xof, |identity| identity.currency)
}
