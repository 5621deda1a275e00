//! Numbers and money out of bounds, with too many digits, in other currencies, one unit off.

use kalel::seeded::Seeded;
use serde_json::{Value, json};

use super::{
    document::{with, with_raw},
    house::{Door, House},
    run::{Case, Must, Tally, drawn},
};

const NUMBERS: [&str; 30] = [
    "-1",
    "0",
    "1",
    "-0",
    "-0.0",
    "0.1",
    "1.5",
    "1.0",
    "1e3",
    "1e18",
    "1E+2",
    "1e-1",
    "1e308",
    "1e309",
    "-1e309",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "65536",
    "1000000000000",
    "1000000000001",
    "123456789012345678901234567890",
    "35000.5",
    "0.30000000000000004",
];
const NO_NUMBERS: [&str; 8] = ["\"1000\"", "\"\"", "NaN", "Infinity", "0x1F", "1_000", "1,000", "٣"];
const CURRENCIES: [&str; 8] = ["EUR", "USD", "XAF", "xof", "XO", "", "XOF ", "€"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_and_money_out_of_bounds_are_refused_and_the_books_still_balance() {
    let count = super::count(500, 10_000);
    let house = House::new().await;
    let mut seeded = Seeded(super::seed());
    let mut groups: Vec<Vec<Case>> = Vec::new();
    for door in house.doors_with_bodies().await {
        // It would move the clock, and sessions would end.
        if door.operation.id != "test_clock.advance" {
            groups.push(cases(&house, &door));
        }
    }
    groups.retain(|group| !group.is_empty());
    let doors = house.doors_with_bodies().await;
    while groups.iter().map(Vec::len).sum::<usize>() < count {
        let one = |seeded: &mut Seeded| seeded.pick(&doors).and_then(|door| random(&house, door, seeded));
        groups.push((0..300).filter_map(|_| one(&mut seeded)).collect());
    }
    let mut tally = Tally::new("numbers");
    tally.try_all(&house, drawn(groups, count, &mut seeded)).await;
    house.api.settle().await;
    let books = house.api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    let sums = sums(&books.body);
    if sums.iter().any(|sum| *sum != 0) {
        tally.wrong(format!("the books do not balance: {}", books.body));
    }
    tally.report(Some(&house.process), count);
}

/// What is off balance, for each currency.
fn sums(books: &Value) -> Vec<i64> {
    let mut sums = std::collections::BTreeMap::<String, i64>::new();
    let rows = books["accounts"].as_array().expect("rows");
    assert!(!rows.is_empty(), "no accounts: {books}");
    for row in rows {
        let balance = row.get("balance").unwrap_or_else(|| panic!("no balance in {row}"));
        *sums.entry(balance["currency"].to_string()).or_default() += balance["amount"].as_i64().unwrap();
    }
    sums.into_values().collect()
}

fn cases(house: &House, door: &Door) -> Vec<Case> {
    let body = door.body.as_ref().unwrap();
    let mut cases = Vec::new();
    for member in house.document.members(door.operation, body) {
        let types = house.document.types(member.schema);
        if types.contains("integer") || types.contains("number") {
            for raw in NUMBERS {
                let text = with_raw(body, &member, raw);
                cases.push(door.case(
                    format!("{} is {raw}", member.pointer()),
                    text.clone(),
                    judged(house, door, &text),
                ));
            }
            for raw in NO_NUMBERS {
                cases.push(door.case(
                    format!("{} is {raw}", member.pointer()),
                    with_raw(body, &member, raw),
                    Must::Form,
                ));
            }
            if let Some(now) = body.pointer(&member.pointer()).and_then(Value::as_i64) {
                for off in [now - 1, now + 1, -now] {
                    let text = with(body, &member, Some(json!(off))).to_string();
                    cases.push(door.case(
                        format!("{} is {off}", member.pointer()),
                        text.clone(),
                        judged(house, door, &text),
                    ));
                }
            }
        }
        if member.name == "currency" {
            for currency in CURRENCIES {
                let text = with(body, &member, Some(json!(currency))).to_string();
                let must = if currency == "EUR" { Must::May } else { Must::Form };
                cases.push(door.case(format!("{} is {currency:?}", member.pointer()), text, must));
            }
        }
    }
    cases
}

fn random(house: &House, door: &Door, seeded: &mut Seeded) -> Option<Case> {
    let body = door.body.as_ref().filter(|_| door.operation.id != "test_clock.advance")?;
    let members = house.document.members(door.operation, body);
    let numbers: Vec<_> =
        members.iter().filter(|member| house.document.types(member.schema).contains("integer")).collect();
    let member = seeded.pick(&numbers)?;
    let number = i64::from_ne_bytes(seeded.next().to_ne_bytes()) >> seeded.below(63);
    let text = with(body, member, Some(json!(number))).to_string();
    let must = judged(house, door, &text);
    Some(door.case(format!("{} is {number}", member.pointer()), text, must))
}

/// By the document.
fn judged(house: &House, door: &Door, text: &str) -> Must {
    match serde_json::from_str(text) {
        Err(_) => Must::Form,
        Ok(body) if house.document.allows(door.operation, &body) => Must::May,
        // As no such form, or by a rule that says the bounds.
        Ok(_) => Must::Refuse,
    }
}
