//! Statements in the words of each provider: the fields of its list of transactions (Wave, Sonatel) or of its
//! notifications (PayTech, PayDunya), one column each. What none of them has published, a date and a fee, is named as in
//! the canonical form.

use domain::{
    money::{Currency, Money},
    payment::Method,
    reconciliation::{Is, LineState, Listing, Provider, Signed},
};

use super::{
    Fault, Form, Listed, What,
    cells::{Row, whole},
};

pub(super) const fn of(provider: Provider) -> Form {
    match provider {
        Provider::Wave => WAVE,
        Provider::Sonatel => SONATEL,
        Provider::Paytech => PAYTECH,
        Provider::Paydunya => PAYDUNYA,
    }
}

const WAVE: Form = Form {
    required: &["timestamp", "transaction_id", "transaction_type", "amount", "fee", "currency"],
    optional: &["client_reference", "checkout_api_session_id", "counterparty_mobile"],
    closed: false,
    read: wave,
};

/// What Wave calls its transactions, and which way they go (providers.md §1.4).
pub(crate) const WAVE_TYPES: [(&str, (Is, bool)); 10] = [
    ("merchant_payment", (Is::Charge, true)),
    ("merchant_payment_refund", (Is::Refund, false)),
    ("api_checkout", (Is::Charge, true)),
    ("api_checkout_refund", (Is::Refund, false)),
    ("api_payout", (Is::Payout, false)),
    ("api_payout_reversal", (Is::Payout, true)),
    ("bulk_payment", (Is::Payout, false)),
    ("bulk_payment_reversal", (Is::Payout, true)),
    ("b2b_payment", (Is::Payout, false)),
    ("b2b_payment_reversal", (Is::Payout, true)),
];

/// Wave tells what the balance changed by; before its fee it was so much more.
fn wave(_: Provider, row: &Row<'_>) -> Result<Listed, Fault> {
    let (is, comes_in) = row.word("transaction_type", &WAVE_TYPES)?;
    let currency = row.currency("currency")?;
    let (net, fee) = (row.whole("amount")?, row.whole("fee")?);
    // Both are bounded, so their sum is a number.
    let gross = net.saturating_add(fee);
    if gross == 0 || (gross > 0) != comes_in {
        return Err(row.fault("amount", What::WrongWay));
    }
    let listing = Listing {
        transaction: row.id("transaction_id")?,
        reference: row.reference("client_reference"),
        is,
        state: LineState::Succeeded,
        method: Method::Wave,
        amount: Signed(Money::new(gross, currency)),
        fee: Signed(Money::new(fee, currency)),
        at: row.at("timestamp")?,
    };
    let checkout = row.other_id("checkout_api_session_id")?;
    Ok(Listed { listing, checkout, number: row.number("counterparty_mobile") })
}

const SONATEL: Form = Form {
    required: &["transactionId", "type", "status", "amount", "unit", "createdAt"],
    optional: &["reference", "customer", "fee"],
    closed: false,
    read: sonatel,
};

/// What Sonatel calls them (providers.md §2a).
pub(crate) const SONATEL_TYPES: [(&str, (Is, bool)); 3] =
    [("MERCHANT_PAYMENT", (Is::Charge, true)), ("WEB_PAYMENT", (Is::Charge, true)), ("CASHIN", (Is::Payout, false))];

/// What is not decided has not moved.
pub(crate) const SONATEL_STATES: [(&str, LineState); 8] = [
    ("SUCCESS", LineState::Succeeded),
    ("FAILED", LineState::Failed),
    ("REJECTED", LineState::Failed),
    ("CANCELLED", LineState::Failed),
    ("INITIATED", LineState::Failed),
    ("PRE_INITIATED", LineState::Failed),
    ("PENDING", LineState::Failed),
    ("ACCEPTED", LineState::Failed),
];

/// Sonatel writes whole francs with a point and nothing behind it: `10.0`. Anything behind it is refused.
fn sonatel(_: Provider, row: &Row<'_>) -> Result<Listed, Fault> {
    let (is, comes_in) = row.word("type", &SONATEL_TYPES)?;
    let currency = row.currency("unit")?;
    let said = row.need("amount")?;
    let amount = match said.split_once('.') {
        Some((francs, "0" | "00")) => francs,
        _ => said,
    };
    let amount = positive(whole(amount)).map_err(|what| row.fault("amount", what))?;
    let listing = Listing {
        transaction: row.id("transactionId")?,
        reference: row.reference("reference"),
        is,
        state: row.word("status", &SONATEL_STATES)?,
        method: Method::OrangeMoney,
        amount: Signed(Money::new(if comes_in { amount } else { -amount }, currency)),
        fee: Signed(Money::new(row.whole_or_none("fee")?, currency)),
        at: row.at("createdAt")?,
    };
    // The id of a checkout there is our reference.
    Ok(Listed { listing, checkout: None, number: row.number("customer") })
}

const PAYTECH: Form = Form {
    required: &["type_event", "ref_command", "token", "item_price", "currency", "payment_method", "at"],
    optional: &["final_item_price", "fee", "client_phone"],
    closed: false,
    read: paytech,
};

fn paytech(_: Provider, row: &Row<'_>) -> Result<Listed, Fault> {
    let (is, state) = row.word(
        "type_event",
        &[
            ("sale_complete", (Is::Charge, LineState::Succeeded)),
            ("sale_canceled", (Is::Charge, LineState::Failed)),
            ("refund_complete", (Is::Refund, LineState::Succeeded)),
            ("transfer_success", (Is::Payout, LineState::Succeeded)),
            ("transfer_failed", (Is::Payout, LineState::Failed)),
        ],
    )?;
    let column = if row.text("final_item_price").is_some() { "final_item_price" } else { "item_price" };
    let amount = positive(row.whole(column)).map_err(|what| row.fault(column, what))?;
    let currency = row.currency("currency")?;
    let listing = Listing {
        transaction: row.id("token")?,
        reference: row.reference("ref_command"),
        is,
        state,
        method: row.word("payment_method", &[("Free Money", Method::Yas), ("Carte Bancaire", Method::Card)])?,
        amount: Signed(Money::new(if is == Is::Charge { amount } else { -amount }, currency)),
        fee: Signed(Money::new(row.whole_or_none("fee")?, currency)),
        at: row.at("at")?,
    };
    Ok(Listed { listing, checkout: None, number: row.number("client_phone") })
}

const PAYDUNYA: Form = Form {
    required: &["token", "status", "total_amount", "channel", "at"],
    optional: &["reference", "fee", "phone"],
    closed: false,
    read: paydunya,
};

/// Invoices, in francs as all of PayDunya's. What is paid out has no list of theirs.
fn paydunya(_: Provider, row: &Row<'_>) -> Result<Listed, Fault> {
    let state = row.word(
        "status",
        &[
            ("completed", LineState::Succeeded),
            ("cancelled", LineState::Failed),
            ("failed", LineState::Failed),
            ("pending", LineState::Failed),
        ],
    )?;
    let amount = positive(row.whole("total_amount")).map_err(|what| row.fault("total_amount", what))?;
    let listing = Listing {
        transaction: row.id("token")?,
        reference: row.reference("reference"),
        is: Is::Charge,
        state,
        method: row.word("channel", &[("free-money-senegal", Method::Yas), ("card", Method::Card)])?,
        amount: Signed(Money::xof(amount)),
        fee: Signed(Money::new(row.whole_or_none("fee")?, Currency::Xof)),
        at: row.at("at")?,
    };
    Ok(Listed { listing, checkout: None, number: row.number("phone") })
}

/// Where the kind says which way it goes, an amount has no sign.
fn positive<E: Into<What>>(amount: Result<i64, E>) -> Result<i64, What> {
    match amount.map_err(Into::into)? {
        amount if amount > 0 => Ok(amount),
        _ => Err(What::WrongWay),
    }
}

impl From<Fault> for What {
    fn from(fault: Fault) -> Self {
        fault.what
    }
}
