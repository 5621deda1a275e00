//! Every kind of difference on every rail: a file in the provider's own words and one in the canonical form, with one
//! fault each, is read, compared, and the fault found under its name.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use domain::{
    Timestamp,
    ids::PaymentId,
    money::Money,
    payment::{Method, ProviderId, reference},
    phone::PhoneHash,
    reconciliation::{Compared, Elsewhere, Kind, Line, Moved, Movement, Outcome, Provider, Subject, Terms, compare},
};
use uuid::Uuid;

use crate::statements::read;

const TERMS: Terms = Terms { fee_basis_points: Some(100) };

fn day() -> NaiveDate {
    super::day()
}

/// What a line of a file says.
#[derive(Clone)]
struct Said {
    transaction: String,
    reference: String,
    amount: i64,
    fee: i64,
    currency: &'static str,
    failed: bool,
    at: Timestamp,
}

/// How a provider's file is written.
#[derive(Clone, Copy)]
enum Form {
    Own,
    Canonical,
}

fn file(provider: Provider, form: Form, lines: &[Said]) -> String {
    let (header, row): (&str, fn(Provider, &Said) -> String) = match (form, provider) {
        (Form::Canonical, _) => ("transaction,kind,state,method,amount,fee,currency,at,reference", canonical),
        (Form::Own, Provider::Wave) => {
            ("timestamp,transaction_id,transaction_type,amount,fee,currency,client_reference", wave)
        }
        (Form::Own, Provider::Sonatel) => ("transactionId,type,status,amount,unit,createdAt,reference,fee", sonatel),
        (Form::Own, Provider::Paytech) => {
            ("type_event,ref_command,token,item_price,currency,payment_method,at,fee", paytech)
        }
        (Form::Own, Provider::Paydunya) => ("token,status,total_amount,channel,at,reference,fee", paydunya),
    };
    let rows = lines.iter().map(|said| row(provider, said));
    std::iter::once(header.to_owned()).chain(rows).map(|line| line + "\n").collect()
}

fn canonical(provider: Provider, it: &Said) -> String {
    let state = if it.failed { "failed" } else { "succeeded" };
    let method = provider.methods()[0].as_str();
    let Said { transaction, amount, fee, currency, at, reference, .. } = it;
    format!("{transaction},charge,{state},{method},{amount},{fee},{currency},{},{reference}", at.to_rfc3339())
}

fn wave(_: Provider, it: &Said) -> String {
    let net = it.amount - it.fee;
    let Said { transaction, fee, currency, at, reference, .. } = it;
    format!("{},{transaction},api_checkout,{net},{fee},{currency},{reference}", at.to_rfc3339())
}

fn sonatel(_: Provider, it: &Said) -> String {
    let status = if it.failed { "FAILED" } else { "SUCCESS" };
    let Said { transaction, amount, fee, currency, at, reference, .. } = it;
    format!("{transaction},MERCHANT_PAYMENT,{status},{amount}.0,{currency},{},{reference},{fee}", at.to_rfc3339())
}

fn paytech(_: Provider, it: &Said) -> String {
    let event = if it.failed { "sale_canceled" } else { "sale_complete" };
    let Said { transaction, amount, fee, currency, at, reference, .. } = it;
    format!("{event},{reference},{transaction},{amount},{currency},Free Money,{},{fee}", at.to_rfc3339())
}

fn paydunya(_: Provider, it: &Said) -> String {
    let status = if it.failed { "failed" } else { "completed" };
    let Said { transaction, amount, fee, at, reference, .. } = it;
    format!("{transaction},{status},{amount},free-money-senegal,{},{reference},{fee}", at.to_rfc3339())
}

/// Three payments that landed on the day, as we know them and as the provider lists them.
struct Day {
    said: Vec<Said>,
    ours: Vec<Movement>,
    elsewhere: BTreeMap<Subject, Elsewhere>,
}

fn sound(method: Method) -> Day {
    let at: Timestamp = "2026-11-28T10:00:00Z".parse().unwrap();
    let mut day = Day { said: Vec::new(), ours: Vec::new(), elsewhere: BTreeMap::new() };
    for n in 0..3_u8 {
        let payment = PaymentId::new(Uuid::from_u128(u128::from(n) + 1));
        let reference = reference(payment.uuid(), 1);
        let (transaction, amount) = (format!("TX_{n}"), 10_000 + i64::from(n) * 1_000);
        let at = at + TimeDelta::hours(i64::from(n));
        day.ours.push(Movement {
            subject: Subject::payment(payment, 0),
            method,
            account: None,
            ids: vec![ProviderId::new(&transaction).unwrap()],
            references: vec![reference.clone()],
            amount: Money::xof(amount),
            state: Moved::Succeeded,
            at,
            number: Some(PhoneHash(format!("number {n}"))),
        });
        let reference = reference.to_string();
        day.said.push(Said { transaction, reference, amount, fee: amount / 100, currency: "XOF", failed: false, at });
    }
    day
}

fn compared(provider: Provider, form: Form, sides: &Day) -> Outcome {
    let text = file(provider, form, &sides.said);
    let lines = read(provider, day(), text.as_bytes()).unwrap_or_else(|faults| panic!("{faults:?} in\n{text}"));
    let lines: Vec<Line> = lines.into_iter().map(|line| line.line(|_| PhoneHash(String::new()))).collect();
    let Day { ours, elsewhere, .. } = sides;
    compare(Compared { day: day(), account: None, lines: &lines, movements: ours, elsewhere, terms: TERMS })
}

/// Puts one fault of a kind into a sound day, about the second payment.
fn put(kind: Kind, day: &mut Day) {
    match kind {
        Kind::MissingAtProvider => drop(day.said.remove(1)),
        Kind::MissingHere => drop(day.ours.remove(1)),
        Kind::AmountDiffers => day.said[1].amount -= 1_000,
        Kind::FeeDiffers => day.said[1].fee += 200,
        Kind::Duplicate => {
            let mut again = day.said[1].clone();
            again.at += TimeDelta::seconds(1);
            day.said.push(again);
        }
        Kind::CurrencyDiffers => day.said[1].currency = "EUR",
        Kind::StateDiffers => day.said[1].failed = true,
        Kind::DayDiffers => day.ours[1].at -= TimeDelta::days(1),
    }
}

fn found(provider: Provider, kind: Kind) {
    for form in [Form::Own, Form::Canonical] {
        let mut sides = sound(provider.methods()[0]);
        assert_eq!(compared(provider, form, &sides).differences, [], "a sound day");
        put(kind, &mut sides);
        // What its own words cannot say is put in on our side.
        match (provider, form, kind) {
            // Wave lists nothing that failed.
            (Provider::Wave, Form::Own, Kind::StateDiffers) => {
                sides.said[1].failed = false;
                sides.ours[1].state = Moved::Failed;
            }
            // PayDunya moves francs only.
            (Provider::Paydunya, Form::Own, Kind::CurrencyDiffers) => {
                sides.ours[1].amount = Money::new(sides.ours[1].amount.amount, domain::money::Currency::Eur);
            }
            _ => {}
        }
        let outcome = compared(provider, form, &sides);
        let kinds: Vec<Kind> = outcome.differences.iter().map(|found| found.kind).collect();
        assert_eq!(kinds, [kind]);
        let stands = outcome.matched.len();
        assert_eq!(stands, if kind == Kind::Duplicate { 3 } else { 2 }, "the others agree");
    }
}

macro_rules! every_kind {
    ($($rail:ident = $provider:expr;)*) => {$(
        mod $rail {
            use super::*;

            #[test]
            fn missing_at_provider_is_found() {
                found($provider, Kind::MissingAtProvider);
            }

            #[test]
            fn missing_here_is_found() {
                found($provider, Kind::MissingHere);
            }

            #[test]
            fn amount_differs_is_found() {
                found($provider, Kind::AmountDiffers);
            }

            #[test]
            fn fee_differs_is_found() {
                found($provider, Kind::FeeDiffers);
            }

            #[test]
            fn duplicate_is_found() {
                found($provider, Kind::Duplicate);
            }

            #[test]
            fn currency_differs_is_found() {
                found($provider, Kind::CurrencyDiffers);
            }

            #[test]
            fn state_differs_is_found() {
                found($provider, Kind::StateDiffers);
            }

            #[test]
            fn day_differs_is_found() {
                found($provider, Kind::DayDiffers);
            }
        }
    )*};
}

every_kind! {
    wave = Provider::Wave;
    sonatel = Provider::Sonatel;
    paytech = Provider::Paytech;
    paydunya = Provider::Paydunya;
}
