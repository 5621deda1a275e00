//! Wave's list of transactions (providers.md §1.4): all pages of a day, or none of it.

use chrono::NaiveDate;
use domain::{
    Timestamp,
    money::{Currency, Money},
    payment::{Method, ProviderId, Reference},
    reconciliation::{Is, LineState, Listing, Signed},
};
use serde::Deserialize;
use serde_json::Value;

use super::{Wave, refusal};
use crate::{
    call::{self, Outcome, Unknown},
    phone,
    statements::{Listed, WAVE_TYPES, whole},
};

/// More than any day has, at the fifty that Wave puts on one.
const PAGES: usize = 400;

#[derive(Deserialize)]
struct Page {
    page_info: PageInfo,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct PageInfo {
    end_cursor: Option<String>,
    has_next_page: bool,
}

#[derive(Deserialize)]
struct Item {
    timestamp: String,
    transaction_id: String,
    transaction_type: String,
    amount: Value,
    fee: Option<Value>,
    currency: String,
    client_reference: Option<String>,
    checkout_api_session_id: Option<String>,
    counterparty_mobile: Option<String>,
}

impl Wave {
    /// See [`super::super::Rail::statement`].
    pub async fn statement(&self, day: NaiveDate) -> Outcome<Vec<Listed>> {
        let (mut lines, mut after) = (Vec::new(), None::<String>);
        for _ in 0..PAGES {
            let mut request = self.client.get(self.at(&["v1", "transactions"])).query(&[("date", day.to_string())]);
            if let Some(cursor) = &after {
                request = request.query(&[("after", cursor)]);
            }
            let page = call::call(request, refusal).await.then(|answer| match read(&answer.body, day) {
                Some(page) => Outcome::Done(page),
                None => Unknown::unreadable("not a page of transactions of that day"),
            });
            let (found, next) = match page {
                Outcome::Done(page) => page,
                other => return other.map(|_| Vec::new()),
            };
            lines.extend(found);
            match next {
                None => return Outcome::Done(lines),
                // A page that leads to itself has no end.
                next if next == after => return Unknown::unreadable("a cursor that stands still"),
                next => after = next,
            }
        }
        Unknown::unreadable("no end of transactions")
    }
}

/// The lines of a page, and where the next one begins. `None` as soon as anything on it cannot be read: a statement with a
/// hole is worse than none.
pub(super) fn read(body: &[u8], day: NaiveDate) -> Option<(Vec<Listed>, Option<String>)> {
    let Page { page_info, items } = serde_json::from_slice(body).ok()?;
    let next = match (page_info.has_next_page, page_info.end_cursor) {
        (false, _) => None,
        (true, cursor) => Some(cursor?),
    };
    let lines = items.into_iter().map(|item| item.listed(day)).collect::<Option<Vec<_>>>()?;
    Some((lines, next))
}

impl Item {
    fn listed(self, day: NaiveDate) -> Option<Listed> {
        if self.currency != Currency::Xof.code() {
            return None;
        }
        let at: Timestamp = self.timestamp.parse().ok()?;
        let known = WAVE_TYPES.iter().find(|(name, _)| *name == self.transaction_type);
        // What it says is what the balance changed by.
        let net = signed(&self.amount)?;
        let fee = self.fee.as_ref().map_or(Some(0), signed)?;
        let amount = net.checked_add(fee)?;
        let listing = Listing {
            transaction: ProviderId::new(&self.transaction_id).ok()?,
            reference: self.client_reference.and_then(|text| Reference::new(&text).ok()),
            is: known.map_or(Is::Other, |(_, (is, _))| *is),
            state: LineState::Succeeded,
            method: Method::Wave,
            amount: Signed(Money::xof(amount)),
            fee: Signed(Money::xof(fee)),
            at,
        };
        let right_way = known.is_none_or(|(_, (_, comes_in))| (amount > 0) == *comes_in);
        (at.date_naive() == day && amount != 0 && right_way).then(|| Listed {
            listing,
            checkout: self.checkout_api_session_id.and_then(|id| ProviderId::new(&id).ok()),
            number: self.counterparty_mobile.and_then(|number| phone::parse(&number).ok()),
        })
    }
}

/// Whole francs with a sign, as text or number.
fn signed(amount: &Value) -> Option<i64> {
    match amount {
        Value::String(text) => whole(text).ok(),
        Value::Number(number) => whole(&number.to_string()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 28).unwrap()
    }

    fn page(item: &Value) -> Vec<u8> {
        json!({
            "page_info": { "start_cursor": "1", "end_cursor": "2", "has_next_page": true }, "date": "2026-11-28",
            "items": [item], "more": "of it",
        })
        .to_string()
        .into_bytes()
    }

    fn item() -> Value {
        json!({
            "timestamp": "2026-11-28T18:00:00Z", "transaction_id": "T_1", "transaction_type": "api_checkout",
            "amount": "14850", "fee": 150, "balance": "14850", "currency": "XOF", "counterparty_name": "Awa",
            "counterparty_mobile": "+221771234567", "client_reference": "AZqyxF8AcACAAAAAAAAABQ",
            "checkout_api_session_id": "cos-1",
        })
    }

    #[test]
    fn a_transaction_is_what_was_paid_before_the_fee() {
        let (lines, next) = read(&page(&item()), day()).unwrap();
        assert_eq!(next.as_deref(), Some("2"));
        let listing = &lines[0].listing;
        assert_eq!((listing.amount, listing.fee), (Signed(Money::xof(15_000)), Signed(Money::xof(150))));
        assert_eq!((listing.is, lines[0].checkout.as_ref().unwrap().as_str()), (Is::Charge, "cos-1"));
    }

    #[test]
    fn a_kind_that_nobody_has_announced_is_kept_as_something_else() {
        let mut item = item();
        item["transaction_type"] = json!("salary");
        assert_eq!(read(&page(&item), day()).unwrap().0[0].listing.is, Is::Other);
    }

    #[test]
    fn a_page_with_something_that_cannot_be_read_is_no_page() {
        for (field, value) in [
            ("amount", json!("14850.5")),
            ("amount", json!(14_850.5)),
            ("amount", json!(null)),
            ("amount", json!("-14850")),
            ("amount", json!("-150")),
            ("fee", json!("a little")),
            ("currency", json!("GMD")),
            ("timestamp", json!("yesterday")),
            ("timestamp", json!("2026-11-29T00:00:00Z")),
            ("transaction_id", json!("")),
        ] {
            let mut item = item();
            item[field] = value.clone();
            assert!(read(&page(&item), day()).is_none(), "{field} {value}");
        }
        assert!(read(b"[]", day()).is_none());
    }
}
