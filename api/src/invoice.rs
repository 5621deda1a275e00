//! Invoices: the commission that a site which collects by itself owes the platform.

mod body;
mod issue;
mod page;
mod read;
mod settle;
mod statement;

use domain::{actor::Role, aggregate::Loaded, ids::InvoiceId, invoice::Invoice, key::Scope, site::Site};

pub use body::InvoiceBody;

use crate::{
    http::{
        call::Call,
        operation::{Authz, Operation, Over},
    },
    problem::Problem,
    reservation::not_found_if_other,
    site,
};

pub const OPERATIONS: &[&Operation] = &[
    &issue::ISSUE,
    &read::LIST,
    &read::SHOW,
    &settle::RECORD_PAYMENT,
    &settle::CANCEL,
    &statement::STATEMENT,
    &statement::CSV,
    &statement::XLSX,
    &statement::PDF,
];

/// Who sees invoices: a manager those of their sites.
const READS: Authz = Authz::Keys {
    scope: Scope::PayoutsRead,
    roles: &[
        (Role::Manager, Over::Sites),
        (Role::Finance, Over::All),
        (Role::Admin, Over::All),
        (Role::Auditor, Over::All),
    ],
};

/// Who asks for money: finance, and nobody else.
const SETTLES: Authz = Authz::Keys { scope: Scope::PayoutsWrite, roles: &[(Role::Finance, Over::All)] };

impl Call {
    /// The invoice of the path, if the caller may touch it, with its site.
    async fn own_invoice(&self) -> Result<(Loaded<Invoice>, Loaded<Site>), Problem> {
        let id = InvoiceId::new(self.uuid("id")?);
        let invoice: Loaded<Invoice> = self.app.store.load(id).await.map_err(not_found_if_other)?;
        let Some(issued) = &invoice.state.issued else { return Err(Problem::new("object.not_found")) };
        let site: Loaded<Site> = self.app.store.load(issued.site_id).await?;
        self.may_touch(&site::object(&site))?;
        Ok((invoice, site))
    }
}
