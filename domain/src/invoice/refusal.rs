//! Why a wish about an invoice was refused.

use thiserror::Error;

use super::Status;
use crate::{
    Timestamp,
    actor::Role,
    ids::InvoiceId,
    money::{Money, MoneyError},
    refusal::{Refused, Rule},
};

/// A rule or the state of the invoice said no. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("there is no such invoice")]
    NotFound,
    #[error("there is no such site")]
    UnknownSite,
    #[error("the period ends at {}, which is not yet", to.to_rfc3339())]
    NotOver { to: Timestamp },
    #[error("the period ends before that of invoice {invoice_id}")]
    BeforeTheLast { invoice_id: InvoiceId },
    #[error("{amount} is less than the {minimum} that is asked for at a time: it is carried over")]
    BelowMinimum { amount: Money, minimum: Money },
    #[error("a {} may not do this", role.as_str())]
    RoleNotAllowed { role: Role },
    #[error("whoever settles an invoice does so under their name")]
    NameRequired,
    #[error("the invoice is {status}")]
    WrongStatus { status: Status },
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::UnknownSite => "object.not_found",
            Self::NotOver { .. } => "invoice.not_over",
            Self::BeforeTheLast { .. } => "invoice.before_the_last",
            Self::BelowMinimum { .. } => "invoice.below_minimum",
            Self::RoleNotAllowed { .. } => "invoice.role_not_allowed",
            Self::NameRequired => "invoice.name_required",
            Self::WrongStatus { .. } => "invoice.wrong_status",
            Self::Money(_) => "money.out_of_range",
        }
    }

    fn rule(&self) -> Option<Rule> {
        match self {
            Self::BelowMinimum { minimum, .. } => Some(Rule::new("smallest_invoice", minimum, 0)),
            _ => None,
        }
    }
}
