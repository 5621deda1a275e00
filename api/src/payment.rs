//! Payments: looked at, paid on our page, heard of from providers.

mod body;
mod observe;
mod offer;
mod other_way;
mod page;
mod refund;
mod share;
mod show;
mod verifiers;
mod webhook;

use domain::ids::PaymentId;

pub use body::PaymentBody;
pub use offer::{Health, PaymentMethod};
pub(crate) use offer::{account_of, in_order, ways};
pub use page::pages;
pub use refund::own_payment;
pub use share::{Refused, ask_for, open_payments, share_url};
pub use show::READS;
pub use verifiers::{Verifier, Verifiers};

use crate::{App, http::operation::Operation};

pub const OPERATIONS: &[&Operation] = &[
    &offer::METHODS,
    &show::SHOW,
    &refund::REFUND,
    &observe::OBSERVE,
    &webhook::WEBHOOK,
    &webhook::WEBHOOK_OF_ACCOUNT,
];

/// Our page for a payment: the same address for ever, short enough for an SMS.
pub fn pay_url(app: &App, payment: PaymentId) -> String {
    eventstore::link::pay_url(&app.keyring, &app.settings.public_url, payment)
}
