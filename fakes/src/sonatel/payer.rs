//! What a payer does with a QR code, and what becomes of transactions that were left open.

use std::num::NonZeroU32;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{
    Sonatel,
    error::{Answer, BLOCKED, EXPIRED, INSUFFICIENT_FUNDS, NOT_ALLOWED, Problem, UNKNOWN_CUSTOMER},
    hooks::Endpoint,
    state::{Books, Draft, Kind, Row, Standing, Status},
    validate::{bad, is_msisdn},
};
use crate::server::lock;

/// What a payer can do on the payment page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    Pay,
    Fail,
    Cancel,
}

/// The particulars of a deed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt {
    /// Why it fails.
    pub code: Option<String>,
    /// Who pays: 9 digits.
    pub msisdn: Option<String>,
    /// Francs that are paid instead of what the code asks for. Sonatel itself lets nobody do that.
    pub amount: Option<NonZeroU32>,
    pub kind: Option<Kind>,
}

/// What a deed made.
pub(crate) struct Made {
    pub row: Row,
    /// The event that tells of it, already queued.
    pub event: String,
}

impl Sonatel {
    /// Does to a QR code (its id, or the newest of a reference) what a payer does.
    pub(crate) fn settle(&self, wanted: &str, deed: Deed, attempt: Attempt) -> Answer<Made> {
        let now = self.clock.now();
        let Attempt { code, msisdn, amount, kind } = attempt;
        if amount.is_some() && deed != Deed::Pay {
            return Err(bad("Only a payment has an amount"));
        }
        let customer = msisdn.unwrap_or_else(|| self.config.payer.clone());
        if !is_msisdn(&customer) {
            return Err(bad("msisdn: 9 digits"));
        }
        let (row, endpoint) = {
            let mut books = lock(&self.books);
            let qr = books.qr(wanted).ok_or_else(|| Problem::unknown("No such QR code"))?.clone();
            if now >= qr.expires {
                return Err(Problem::refused(EXPIRED, "The QR code has expired"));
            }
            if qr.single_use && books.used(&qr.id) {
                return Err(Problem::refused(NOT_ALLOWED, "The QR code has been used"));
            }
            let (status, error) = outcome(&mut books, deed, &customer, code);
            if let Some(qr) = books.qr_mut(&qr.id) {
                qr.last_error.clone_from(&error);
            }
            let draft = Draft {
                kind: kind.unwrap_or(Kind::MerchantPayment),
                amount: amount.map_or(qr.amount, |amount| amount.get().into()),
                reference: qr.reference,
                metadata: qr.metadata,
                customer,
                partner: self.config.merchant_code.clone(),
                qr: Some(qr.id),
            };
            let row = books.make(draft, status, error, self.config.fee_bps, now)?;
            let endpoint = endpoint(&books, qr.callback_url);
            (self.noted(&mut books, row, endpoint.is_some()), endpoint)
        };
        Ok(Made { event: self.emit(&row, endpoint), row })
    }

    /// Ends a transaction that was left open; by id or reference.
    pub(crate) fn settle_row(&self, wanted: &str, status: Status) -> Answer<Made> {
        let (row, endpoint) = {
            let mut books = lock(&self.books);
            let no_such = || Problem::new(StatusCode::CONFLICT, NOT_ALLOWED, "No such open transaction");
            let row = books.end(wanted, status, self.config.fee_bps, self.clock.now()).ok_or_else(no_such)?;
            let own = row.qr.as_deref().and_then(|id| books.qr(id)).and_then(|qr| qr.callback_url.clone());
            (row, endpoint(&books, own))
        };
        Ok(Made { event: self.emit(&row, endpoint), row })
    }

    /// The metadata that Sonatel adds: a key, and whether somebody is told.
    pub(crate) fn noted(&self, books: &mut Books, row: Row, told: bool) -> Row {
        let Some(kept) = books.rows.iter_mut().find(|kept| kept.transaction_id == row.transaction_id) else {
            return row;
        };
        kept.metadata.insert("idempotencyKey".into(), json!(self.ids.lower("", 32)));
        if told {
            kept.metadata.insert("notification.dispatched".into(), json!("true"));
        }
        kept.clone()
    }
}

/// Where news go: the code's own address before the registered one; the key is the registered one's.
pub(crate) fn endpoint(books: &Books, own: Option<String>) -> Option<Endpoint> {
    let registered = books.registered.as_ref().map(|registered| &registered.callback);
    let url = own.or_else(|| registered.map(|callback| callback.url.clone()))?;
    Some(Endpoint { url, api_key: registered.map(|callback| callback.api_key.clone()) })
}

fn outcome(books: &mut Books, deed: Deed, customer: &str, code: Option<String>) -> (Status, Option<String>) {
    let failed = |code: &str| (Status::Failed, Some(code.to_owned()));
    match (deed, books.standing(customer)) {
        (Deed::Cancel, _) => (Status::Cancelled, Some("cancelled".into())),
        (Deed::Fail, _) => failed(code.as_deref().unwrap_or(INSUFFICIENT_FUNDS)),
        (Deed::Pay, Standing::Blocked) => failed(BLOCKED),
        (Deed::Pay, Standing::Unknown) => failed(UNKNOWN_CUSTOMER),
        (Deed::Pay, Standing::Poor) => failed(INSUFFICIENT_FUNDS),
        (Deed::Pay, Standing::Active) => (books.next.pop_front().unwrap_or(Status::Success), None),
    }
}
