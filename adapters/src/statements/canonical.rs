//! The form that any statement can be brought into by hand (docs/reconciliation.md).

use domain::{
    money::Money,
    payment::Method,
    reconciliation::{Is, LineState, Listing, Provider, Signed},
};

use super::{Fault, Form, Listed, What, cells::Row, table::Table};

pub(super) const FORM: Form = Form {
    required: &["transaction", "kind", "state", "amount", "fee", "currency", "at"],
    optional: &["method", "reference", "checkout", "number"],
    closed: true,
    read,
};

/// No provider has both of these words.
pub(super) fn is(table: &Table) -> bool {
    table.has("transaction") || table.has("kind")
}

fn read(provider: Provider, row: &Row<'_>) -> Result<Listed, Fault> {
    let is = row.word("kind", &Is::ALL.map(|is| (is.as_str(), is)))?;
    let state = row.word("state", &LineState::ALL.map(|state| (state.as_str(), state)))?;
    let currency = row.currency("currency")?;
    let amount = row.whole("amount")?;
    // What is charged comes in, what is given back or paid out goes out.
    let fits = match is {
        Is::Charge => amount > 0,
        Is::Refund => amount < 0,
        Is::Payout | Is::Fee | Is::Other => amount != 0,
    };
    if !fits {
        return Err(row.fault("amount", What::WrongWay));
    }
    let listing = Listing {
        transaction: row.id("transaction")?,
        reference: row.reference("reference"),
        is,
        state,
        method: method(provider, row)?,
        amount: Signed(Money::new(amount, currency)),
        fee: Signed(Money::new(row.whole("fee")?, currency)),
        at: row.at("at")?,
    };
    Ok(Listed { listing, checkout: row.other_id("checkout")?, number: row.number("number") })
}

/// Need not be said where there is only one.
fn method(provider: Provider, row: &Row<'_>) -> Result<Method, Fault> {
    let of = provider.methods();
    match (of, row.text("method")) {
        ([only], None) => Ok(*only),
        _ => row.word("method", &of.iter().map(|method| (method.as_str(), *method)).collect::<Vec<_>>()),
    }
}
