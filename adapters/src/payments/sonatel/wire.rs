//! Sonatel's JSON, read with tolerance: numbers come as text and text as numbers; what matters must be there.

use std::fmt;

use chrono::{NaiveDate, NaiveDateTime};
use domain::{
    Timestamp,
    money::{Currency, Money},
    payment::{Method, ProviderId, Reference},
    phone::Phone,
    reconciliation::{Listing, Signed},
};
use serde_json::Value;
use url::Url;

use super::is_digits;
use crate::{
    call::{Answer, Outcome, Unknown},
    payments::{Opened, PayoutOrder, PayoutStatus, ProviderStatus, Receipt},
    statements::{Listed, SONATEL_STATES, SONATEL_TYPES},
};

pub(super) const CASHIN: &str = "CASHIN";
/// Payments of a code come as either.
pub(super) const PAYMENTS: [&str; 2] = ["MERCHANT_PAYMENT", "WEB_PAYMENT"];

/// What a status means (providers.md §2a).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Success,
    Failed,
    /// It ends within a day.
    Open,
}

impl State {
    /// `None` for one that nobody has announced. `ACCEPTED` is not a success yet, whatever one SDK says.
    pub(super) fn of(status: &str) -> Option<Self> {
        match status {
            "SUCCESS" => Some(Self::Success),
            "FAILED" | "REJECTED" | "CANCELLED" => Some(Self::Failed),
            "INITIATED" | "PRE_INITIATED" | "PENDING" | "ACCEPTED" => Some(Self::Open),
            _ => None,
        }
    }
}

/// The answer to a code asked for.
#[derive(Debug)]
pub(super) struct Code(Value);

impl Code {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().filter(Value::is_object).map(Self)
    }

    /// Whether what it repeats of the order, if anything, is right.
    pub(super) fn may_be_for(&self, amount: Money, reference: &str) -> bool {
        let repeated = [self.0.get("reference"), self.0.pointer("/metadata/reference")];
        let same = |said: &Value| said.is_null() || said.as_str() == Some(reference);
        repeated.into_iter().flatten().all(same)
            && self.0.get("amount").is_none_or(|said| said.is_null() || money(said) == Some(amount))
    }

    /// The link that works everywhere, else one for an app. The id is our reference, by which alone it can be asked for.
    pub(super) fn opened(&self, reference: &Reference) -> Option<Opened> {
        let links = ["/shortLink", "/deepLinks/MAXIT", "/deepLinks/OM", "/deepLink"];
        let mut links = links.iter().filter_map(|place| self.0.pointer(place)?.as_str());
        let launch_url = links.find(|link| Url::parse(link).is_ok())?.to_owned();
        let expires_at = self.0.pointer("/validFor/endDateTime").and_then(Value::as_str).and_then(instant);
        Some(Opened { provider_id: ProviderId::new(reference.as_str()).ok()?, launch_url, expires_at })
    }
}

/// A transaction, in a list or in a webhook.
#[derive(Debug)]
pub(super) struct Row(Value);

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Row {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().filter(Value::is_object).map(Self)
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn kind(&self) -> Option<&str> {
        self.text("type")
    }

    pub(super) fn status(&self) -> Option<&str> {
        self.text("status")
    }

    pub(super) fn state(&self) -> Option<State> {
        self.status().and_then(State::of)
    }

    pub(super) fn transaction_id(&self) -> Option<&str> {
        self.text("transactionId")
    }

    pub(super) fn reference(&self) -> Option<&str> {
        self.text("reference")
    }

    pub(super) fn amount(&self) -> Option<Money> {
        money(self.0.get("amount")?)
    }

    /// When it was made; its last change may be the sending of a webhook.
    fn at(&self) -> Option<Timestamp> {
        ["createdAt", "requestDate", "updatedAt"].iter().find_map(|field| instant(self.text(field)?))
    }

    fn payer(&self) -> Option<Phone> {
        let id = self.0.pointer("/customer/id")?.as_str().filter(|id| is_digits(id, 9))?;
        Phone::new(&format!("+221{id}")).ok()
    }

    /// A success must say how much, and under which transaction (providers.md §0 rule 3).
    fn receipt(&self, reference: &Reference) -> Option<Receipt> {
        Some(Receipt {
            provider_id: ProviderId::new(reference.as_str()).ok()?,
            transaction_id: ProviderId::new(self.transaction_id()?).ok()?,
            amount: self.amount()?,
            reference: self.reference().map(str::to_owned),
            payer: self.payer(),
            at: self.at(),
        })
    }

    /// Whether it was made on that day. One that does not say when may have been.
    pub(super) fn may_be_of(&self, day: NaiveDate) -> bool {
        self.at().is_none_or(|at| at.date_naive() == day)
    }

    /// As a line of a statement, which has no fees. `None` when it is nothing that can be compared.
    pub(super) fn listed(&self) -> Option<Listed> {
        let (_, (is, comes_in)) = SONATEL_TYPES.iter().find(|(name, _)| Some(*name) == self.kind())?;
        let (_, state) = SONATEL_STATES.iter().find(|(name, _)| Some(*name) == self.status())?;
        let amount = self.amount()?;
        let listing = Listing {
            transaction: ProviderId::new(self.transaction_id()?).ok()?,
            reference: self.reference().and_then(|text| Reference::new(text).ok()),
            is: *is,
            state: *state,
            method: Method::OrangeMoney,
            amount: Signed(if *comes_in { amount } else { Money::xof(-amount.amount) }),
            fee: Signed(Money::zero(amount.currency)),
            at: self.at()?,
        };
        Some(Listed { listing, checkout: None, number: self.payer() })
    }

    /// As a cash-in.
    pub(super) fn payout(&self) -> Outcome<PayoutStatus> {
        let Some(provider_id) = self.transaction_id().and_then(|id| ProviderId::new(id).ok()) else {
            return Unknown::unreadable("a cash-in without a transaction");
        };
        match (self.state(), self.amount()) {
            (Some(State::Success), Some(amount)) => {
                Outcome::Done(PayoutStatus::Succeeded { provider_id, amount, fee: None, at: self.at() })
            }
            (Some(State::Success), None) => Unknown::unreadable("a success of nobody knows how much"),
            (Some(State::Open), _) => Outcome::Done(PayoutStatus::Processing { provider_id }),
            (Some(State::Failed), _) => Outcome::Done(self.failed(provider_id)),
            (None, _) => Unknown::unreadable(format!("status {:?}", self.status())),
        }
    }

    fn failed(&self, provider_id: ProviderId) -> PayoutStatus {
        let code = self.status().unwrap_or_default().to_lowercase();
        PayoutStatus::Failed { provider_id, code, message: self.text("description").unwrap_or_default().to_owned() }
    }
}

/// A bare array, or `{"transactions": […]}` as one SDK expects it. `None` when it is anything else.
pub(super) fn rows(body: &[u8]) -> Option<Vec<Row>> {
    let list = match serde_json::from_slice(body).ok()? {
        Value::Array(list) => list,
        Value::Object(mut object) => match object.remove("transactions")? {
            Value::Array(list) => list,
            _ => return None,
        },
        _ => return None,
    };
    list.into_iter().map(|row| row.is_object().then_some(Row(row))).collect()
}

/// Rows of a reference, to the letter, and of some kinds. `None` when one of the reference does not say its kind.
fn ours<'r>(rows: &'r [Row], reference: &Reference, kinds: &[&str]) -> Option<Vec<&'r Row>> {
    let ours: Vec<_> = rows.iter().filter(|row| row.reference() == Some(reference.as_str())).collect();
    let known = ours.iter().all(|row| row.kind().is_some());
    known.then(|| ours.into_iter().filter(|row| row.kind().is_some_and(|kind| kinds.contains(&kind))).collect())
}

/// What the rows of a reference say of its payment. A success counts, whatever else failed or is open.
pub(super) fn payment(rows: &[Row], reference: &Reference) -> Outcome<ProviderStatus> {
    let Some(ours) = ours(rows, reference, &PAYMENTS) else { return Unknown::unreadable("a row of no kind") };
    let mut paid: Vec<Receipt> = Vec::new();
    for row in ours.iter().filter(|row| row.state() == Some(State::Success)) {
        let Some(receipt) = row.receipt(reference) else {
            return Unknown::unreadable("a success without amount or transaction");
        };
        match paid.iter().find(|known| known.transaction_id == receipt.transaction_id) {
            None => paid.push(receipt),
            Some(known) if known.amount != receipt.amount => {
                return Unknown::unreadable("a transaction of two amounts");
            }
            // Listed twice.
            Some(_) => {}
        }
    }
    match (paid.pop(), paid.is_empty()) {
        (Some(one), true) => Outcome::Done(ProviderStatus::Succeeded(one)),
        (Some(last), false) => {
            paid.push(last);
            Outcome::Done(ProviderStatus::Several(paid.into_iter().map(ProviderStatus::Succeeded).collect()))
        }
        (None, _) if ours.iter().any(|row| row.state().is_none()) => Unknown::unreadable("a status that is not known"),
        (None, _) if ours.iter().any(|row| row.state() == Some(State::Open)) => Outcome::Done(ProviderStatus::UnderWay),
        // Nobody tried, or those who did failed: the code can still be paid until its end, so it has not failed.
        (None, _) => Outcome::Done(ProviderStatus::Unpaid),
    }
}

/// What the rows of a reference say of its cash-in. Those that moved money, or may, count before those that failed.
pub(super) fn payout(rows: &[Row], reference: &Reference) -> Outcome<PayoutStatus> {
    let Some(ours) = ours(rows, reference, &[CASHIN]) else { return Unknown::unreadable("a row of no kind") };
    let (mut moving, mut failed, mut seen) = (Vec::new(), None, Vec::new());
    for row in ours {
        if seen.contains(&row.transaction_id()) {
            continue;
        }
        seen.push(row.transaction_id());
        match row.payout() {
            Outcome::Done(status @ PayoutStatus::Failed { .. }) => failed = Some(status),
            Outcome::Done(status) => moving.push(status),
            unknown => return unknown,
        }
    }
    Outcome::Done(match (moving.len(), moving.pop()) {
        (1, Some(one)) => one,
        (_, Some(last)) => {
            moving.push(last);
            PayoutStatus::Several(moving)
        }
        (_, None) => failed.unwrap_or(PayoutStatus::NotFound),
    })
}

/// The answer to a cash-in: about this order, or no answer. Where it names no amount, the order's is what it says yes to.
pub(super) fn cashin(body: &[u8], order: &PayoutOrder) -> Outcome<PayoutStatus> {
    let Some(mut row) = Row::read(body) else { return Unknown::unreadable("not a cash-in") };
    if row.reference().is_some_and(|reference| reference != order.reference.as_str()) {
        return Unknown::unreadable("another reference");
    }
    match row.0.get("amount").filter(|amount| !amount.is_null()) {
        Some(said) if money(said) != Some(order.amount) => return Unknown::unreadable("another amount"),
        Some(_) => {}
        None => row.0["amount"] = serde_json::json!({ "value": order.amount.amount, "unit": "XOF" }),
    }
    row.payout()
}

/// `{status}` of one transaction. `None`: it succeeded, and how much it was is not said.
pub(super) fn cashin_status(body: &[u8], id: &ProviderId) -> Outcome<Option<PayoutStatus>> {
    let Some(mut row) = Row::read(body) else { return Unknown::unreadable("not a status") };
    if row.transaction_id().is_some_and(|said| said != id.as_str()) {
        return Unknown::unreadable("another transaction");
    }
    if row.state() == Some(State::Success) && row.amount().is_none() {
        return Outcome::Done(None);
    }
    row.0["transactionId"] = Value::String(id.as_str().to_owned());
    row.payout().map(Some)
}

/// Code and message of an error body: a problem document with numbers as text or numbers, or OAuth's.
pub(super) fn refusal(answer: &Answer) -> (String, String) {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |field: &str| match body.get(field)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let code = text("code").map(|code| format!("sonatel-{code}")).or_else(|| text("error"));
    let code = code.unwrap_or_else(|| format!("http-{}", answer.status.as_u16()));
    let said = ["detail", "error_description", "title", "message"].iter().find_map(|field| text(field));
    (code, said.unwrap_or_else(|| "no reason given".to_owned()))
}

/// `{value, unit}` in whole francs: `1000`, `1000.0`, `"1000"` or `"1000.00"`. Anything else is none, and so is nothing at all.
pub(super) fn money(amount: &Value) -> Option<Money> {
    if amount.get("unit")?.as_str()? != Currency::Xof.code() {
        return None;
    }
    let text = match amount.get("value")? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.bytes().any(|byte| byte != b'0') {
        return None;
    }
    Money::xof(whole.parse().ok()?).bounded().ok().filter(|amount| amount.is_positive())
}

/// With a zone, or without: Senegal keeps UTC all year.
fn instant(text: &str) -> Option<Timestamp> {
    let local = || {
        let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%d-%m-%Y %H:%M:%S"];
        forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    };
    text.parse().ok().or_else(|| local().map(|at| at.and_utc()))
}

#[cfg(test)]
mod tests;
