//! How much commission is asked for.

use chrono::Duration;

use super::{Invoice, Issued, Refusal};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    ids::InvoiceId,
    money::{Currency, Money},
    site::Site,
};

/// Less than so many francs is carried over to the next one.
pub const MINIMUM: i64 = 1_000;

/// Days after its issue on which an invoice becomes overdue.
pub const DAYS_TO_PAY: i64 = 15;

/// What the views say of a site's commission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last position before the end of the period.
    pub up_to_position: i64,
    /// Entered for reservations of the site up to there, less what was taken back; whatever of it was paid.
    pub commission: Money,
    /// On invoices of the site that were not cancelled.
    pub invoiced: Money,
    /// The position that both views had at least come to.
    pub read_at: i64,
}

/// The invoice of the site before this one, and where in the log its last event is.
#[derive(Clone, Copy, Debug)]
pub struct Previous<'a> {
    pub invoice: &'a Loaded<Invoice>,
    pub position: i64,
}

/// What would be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub number: u32,
    pub to: Timestamp,
    pub commission: Money,
    pub invoiced: Money,
    pub amount: Money,
    pub due_at: Timestamp,
}

impl From<&Issued> for Plan {
    fn from(issued: &Issued) -> Self {
        let Issued { number, to, commission, invoiced, amount, due_at, .. } = *issued;
        Self { number, to, commission, invoiced, amount, due_at }
    }
}

/// What would be asked for: the commission entered before `to` that no invoice asks for yet.
///
/// # Errors
/// [`Refusal`] for a period that is not over, views that have not seen the last invoice, and less than the minimum.
pub fn plan(
    site: &Loaded<Site>,
    previous: Option<Previous<'_>>,
    due: &Due,
    to: Timestamp,
    now: Timestamp,
) -> Result<Plan, Refusal> {
    let Some(identity) = &site.state.identity else { return Err(Refusal::UnknownSite) };
    if to > now {
        return Err(Refusal::NotOver { to });
    }
    let mut number = 1;
    if let Some(Previous { invoice, position }) = previous {
        let Some(issued) = invoice.state.issued.as_ref().filter(|issued| issued.site_id == site.id) else {
            return Err(Refusal::NotFound);
        };
        if due.read_at < position || due.up_to_position < issued.up_to_position {
            return Err(Refusal::BeforeTheLast { invoice_id: invoice.id });
        }
        number = issued.number.saturating_add(1);
    }
    let (commission, invoiced) = (due.commission, due.invoiced);
    let amount = commission.minus(invoiced)?;
    let minimum = minimum(identity.currency);
    if amount.compare(minimum)?.is_lt() {
        return Err(Refusal::BelowMinimum { amount, minimum });
    }
    Ok(Plan { number, to, commission, invoiced, amount, due_at: now + Duration::days(DAYS_TO_PAY) })
}

/// Asks for it: finance by name, or by itself at the end of a month.
///
/// # Errors
/// As [`plan`]; [`Refusal::RoleNotAllowed`] and [`Refusal::NameRequired`] for anybody else.
pub fn issue(
    invoice_id: InvoiceId,
    site: &Loaded<Site>,
    previous: Option<Previous<'_>>,
    due: &Due,
    to: Timestamp,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if by != Actor::SYSTEM {
        finance(by)?;
    }
    let Plan { number, to, commission, invoiced, amount, due_at } = plan(site, previous, due, to, now)?;
    let issued = Issued {
        invoice_id,
        site_id: site.id,
        follows: previous.map(|previous| previous.invoice.id),
        number,
        to,
        up_to_position: due.up_to_position,
        commission,
        invoiced,
        amount,
        due_at,
        by,
        at: now,
    };
    let decision = Decision::default().then(&Loaded::<Invoice>::new(invoice_id), issued);
    Ok(match previous {
        Some(previous) => decision.relying_on(previous.invoice),
        None => decision,
    })
}

pub(super) fn finance(by: Actor) -> Result<(), Refusal> {
    if by.role != Role::Finance {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    if by.id.is_none() {
        return Err(Refusal::NameRequired);
    }
    Ok(())
}

/// [`MINIMUM`] in francs; about as much in another currency.
fn minimum(currency: Currency) -> Money {
    match currency {
        Currency::Xof => Money::xof(MINIMUM),
        Currency::Eur => Money::new(150, currency),
    }
}
