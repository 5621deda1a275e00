//! Files as they come: right ones in each form, and wrong ones with their lines.

mod rails;

use chrono::NaiveDate;
use domain::{
    money::{Currency, Money},
    payment::Method,
    reconciliation::{Is, LineState, Provider, Signed},
};
use proptest::prelude::*;

use super::{Fault, Listed, MOST_BYTES, MOST_FAULTS, MOST_LINES, What, read};

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 28).unwrap()
}

fn wave(file: &str) -> Result<Vec<Listed>, Vec<Fault>> {
    read(Provider::Wave, day(), file.as_bytes())
}

const CANONICAL: &str = "transaction,kind,state,amount,fee,currency,at,reference,checkout,number\n\
    T_1,charge,succeeded,15000,150,XOF,2026-11-28T18:00:00Z,AZqyxF8AcACAAAAAAAAABQ,cos-1,77 123 45 67\n\
    T_2,refund,succeeded,-9000,0,XOF,2026-11-28T23:59:59+00:00,,,\n";

#[test]
fn the_canonical_form_is_read() {
    let lines = wave(CANONICAL).unwrap();
    assert_eq!(lines.len(), 2);
    let listing = &lines[0].listing;
    assert_eq!((listing.transaction.as_str(), listing.is, listing.state), ("T_1", Is::Charge, LineState::Succeeded));
    assert_eq!((listing.amount, listing.fee), (Signed(Money::xof(15_000)), Signed(Money::xof(150))));
    assert_eq!(listing.reference.as_ref().unwrap().as_str(), "AZqyxF8AcACAAAAAAAAABQ");
    assert_eq!(lines[0].checkout.as_ref().unwrap().as_str(), "cos-1");
    assert_eq!(lines[0].number.as_ref().unwrap().e164(), "+221771234567");
    assert_eq!(lines[1].listing.amount, Signed(Money::xof(-9_000)));
    assert_eq!((lines[1].checkout.clone(), lines[1].number.clone()), (None, None));
}

#[test]
fn a_mark_semicolons_and_spaces_are_what_spreadsheets_make_of_it() {
    let theirs = format!("\u{feff}{}", CANONICAL.replace(',', " ; ").replace('\n', "\r\n"));
    assert_eq!(wave(&theirs), wave(CANONICAL));
}

#[test]
fn wave_is_read_in_its_own_words_before_its_fee() {
    let file = "timestamp,transaction_id,transaction_type,amount,fee,balance,currency,counterparty_mobile,client_reference,\
        checkout_api_session_id,is_reversal\n\
        2026-11-28T18:00:00Z,T_1,api_checkout,14850,150,14850,XOF,+221771234567,AZqyxF8AcACAAAAAAAAABQ,cos-1,\n\
        2026-11-28T19:00:00Z,T_2,api_checkout_refund,-14850,-150,0,XOF,+221771234567,AZqyxF8AcACAAAAAAAAABQ,cos-1,\n\
        2026-11-28T20:00:00Z,T_3,api_payout,-10100,100,-10100,XOF,+221771234567,some-ref,,\n\
        2026-11-28T21:00:00Z,T_4,api_payout_reversal,10100,-100,0,XOF,+221771234567,some-ref,,true\n";
    let lines = wave(file).unwrap();
    let shown: Vec<_> = lines.iter().map(|line| (line.listing.is, line.listing.amount.0.amount)).collect();
    assert_eq!(shown, [(Is::Charge, 15_000), (Is::Refund, -15_000), (Is::Payout, -10_000), (Is::Payout, 10_000)]);
}

#[test]
fn sonatel_is_read_with_its_point_and_nothing_behind_it() {
    let file = "transactionId,type,status,amount,unit,createdAt,reference,customer\n\
        MP261128.1800.A00001,MERCHANT_PAYMENT,SUCCESS,15000.0,XOF,2026-11-28T18:00:00.123Z,AZqyxF8AcACAAAAAAAAABQ,771234567\n\
        MP261128.1801.A00002,MERCHANT_PAYMENT,CANCELLED,15000,XOF,2026-11-28T18:01:00,x,771234567\n\
        CI261128.1802.A00003,CASHIN,SUCCESS,9000.00,XOF,28-11-2026 18:02:00,y,771234567\n";
    let lines = read(Provider::Sonatel, day(), file.as_bytes()).unwrap();
    let shown: Vec<_> = lines.iter().map(|it| (it.listing.is, it.listing.state, it.listing.amount.0.amount)).collect();
    assert_eq!(
        shown,
        [
            (Is::Charge, LineState::Succeeded, 15_000),
            (Is::Charge, LineState::Failed, 15_000),
            (Is::Payout, LineState::Succeeded, -9_000),
        ]
    );
    let broken = file.replace("15000.0,", "15000.5,");
    let faults = read(Provider::Sonatel, day(), broken.as_bytes()).unwrap_err();
    assert_eq!(faults, [Fault::at(2, "amount", What::NotWhole)]);
}

#[test]
fn paytech_and_paydunya_are_read_in_the_words_of_their_notifications() {
    let file = "type_event,ref_command,token,item_price,final_item_price,currency,payment_method,at,fee\n\
        sale_complete,AZqyxF8AcACAAAAAAAAABQ,tok1,15000,14000,XOF,Free Money,2026-11-28 18:00:00,300\n\
        refund_complete,AZqyxF8AcACAAAAAAAAABQ,tok1,15000,14000,XOF,Carte Bancaire,2026-11-28 19:00:00,\n";
    let lines = read(Provider::Paytech, day(), file.as_bytes()).unwrap();
    assert_eq!(lines[0].listing.amount, Signed(Money::xof(14_000)), "what was really paid");
    assert_eq!((lines[0].listing.method, lines[1].listing.method), (Method::Yas, Method::Card));
    assert_eq!(lines[1].listing.amount, Signed(Money::xof(-14_000)));

    let file = "token,status,total_amount,channel,at,reference,fee\n\
        test_1,completed,15000,free-money-senegal,2026-11-28T18:00:00Z,AZqyxF8AcACAAAAAAAAABQ,300\n\
        test_2,pending,15000,card,2026-11-28T18:00:00Z,,\n";
    let lines = read(Provider::Paydunya, day(), file.as_bytes()).unwrap();
    assert_eq!((lines[0].listing.method, lines[0].listing.state), (Method::Yas, LineState::Succeeded));
    assert_eq!((lines[1].listing.method, lines[1].listing.state), (Method::Card, LineState::Failed));
}

/// Where in the canonical file, how it is changed, and what is said of it.
#[test]
fn what_is_wrong_is_refused_with_its_line() {
    let cases: [(&str, &str, Fault); 16] = [
        ("amount,fee", "fee", Fault::at(1, "amount", What::NoColumn)),
        ("number\n", "nummer\n", Fault::of(1, What::UnknownColumn("nummer".into()))),
        ("checkout,number\n", "number,number\n", Fault::of(1, What::ColumnTwice("number".into()))),
        ("15000,150", "15000.00,150", Fault::at(2, "amount", What::NotWhole)),
        ("15000,150", "\"15 000\",150", Fault::at(2, "amount", What::NotWhole)),
        ("15000,150", "1.5e4,150", Fault::at(2, "amount", What::NotWhole)),
        ("15000,150", ",150", Fault::at(2, "amount", What::Nothing)),
        ("15000,150", "1000000000001,150", Fault::at(2, "amount", What::OutOfRange)),
        ("15000,150", "99999999999999999999,150", Fault::at(2, "amount", What::OutOfRange)),
        ("15000,150", "-15000,150", Fault::at(2, "amount", What::WrongWay)),
        ("15000,150", "15000,1.5", Fault::at(2, "fee", What::NotWhole)),
        ("150,XOF", "150,USD", Fault::at(2, "currency", What::NotCurrency)),
        ("T_2,refund", "T_2,reimbursement", Fault::at(3, "kind", What::NotWord("reimbursement".into()))),
        ("T_2,refund", ",refund", Fault::at(3, "transaction", What::Nothing)),
        ("2026-11-28T23:59:59+00:00", "yesterday", Fault::at(3, "at", What::NotTime)),
        (
            "2026-11-28T23:59:59+00:00",
            "2026-11-28T23:59:59-01:00",
            Fault::of(3, What::AnotherDay("2026-11-29T00:59:59Z".parse().unwrap())),
        ),
    ];
    for (from, to, fault) in cases {
        assert!(CANONICAL.contains(from), "{from}");
        let file = CANONICAL.replacen(from, to, 1);
        let faults = wave(&file).unwrap_err();
        assert!(faults.contains(&fault), "{from} → {to}: {faults:?}");
    }
}

#[test]
fn a_short_line_says_how_many_fields_it_has() {
    let file = format!("{CANONICAL}T_3,charge\n");
    assert_eq!(wave(&file).unwrap_err(), [Fault::of(4, What::Fields { found: 2, header: 10 })]);
}

#[test]
fn all_faults_are_told_at_once_and_no_more_than_a_hundred() {
    let two = CANONICAL.replace("15000", "x").replace("-9000", "y");
    let lines: Vec<u64> = wave(&two).unwrap_err().iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [2, 3]);
    let header = CANONICAL.lines().next().unwrap();
    let many = format!("{header}\n{}", "T,charge,succeeded,x,0,XOF,z,,,\n".repeat(300));
    assert_eq!(wave(&many).unwrap_err().len(), MOST_FAULTS);
}

#[test]
fn a_line_that_is_there_twice_to_the_letter_is_refused() {
    let again = CANONICAL.lines().nth(1).unwrap();
    assert_eq!(wave(&format!("{CANONICAL}{again}\n")).unwrap_err(), [Fault::of(4, What::Same(2))]);
    // The same transaction a second later is the provider's doing, and a difference.
    let other = again.replace("18:00:00", "18:00:01");
    assert_eq!(wave(&format!("{CANONICAL}{other}\n")).unwrap().len(), 3);
}

#[test]
fn what_is_not_utf_8_is_refused_with_its_line() {
    let mut latin = CANONICAL.as_bytes().to_vec();
    latin.extend_from_slice(b"T_3,charge,succeeded,5000,50,XOF,2026-11-28T18:00:00Z,,,Aminata S\xe8ne\n");
    assert_eq!(read(Provider::Wave, day(), &latin), Err(vec![Fault::of(4, What::NotText)]));
    let utf_16: Vec<u8> = CANONICAL.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(read(Provider::Wave, day(), &utf_16).is_err());
}

#[test]
fn nothing_at_all_and_too_much_are_refused_and_an_empty_day_is_not() {
    assert_eq!(wave("").unwrap_err(), [Fault::of(1, What::Empty)]);
    assert_eq!(wave("\n\n").unwrap_err(), [Fault::of(1, What::Empty)]);
    let header = CANONICAL.lines().next().unwrap();
    assert_eq!(wave(header).unwrap(), []);
    let large = "x".repeat(MOST_BYTES + 1);
    assert_eq!(wave(&large).unwrap_err(), [Fault::of(1, What::TooMuch)]);
    let long = format!("{header}\n{}", "a\n".repeat(MOST_LINES + 1));
    assert!(matches!(wave(&long).unwrap_err()[..], [Fault { what: What::TooMuch, .. }]));
}

#[test]
fn a_method_that_could_be_two_must_be_said() {
    assert_eq!(
        read(Provider::Paytech, day(), CANONICAL.as_bytes()).unwrap_err(),
        [Fault::at(2, "method", What::Nothing), Fault::at(3, "method", What::Nothing)]
    );
    let said = "transaction,kind,state,amount,fee,currency,at,method\n\
        tok,charge,succeeded,15000,150,EUR,2026-11-28T18:00:00Z,card\n";
    let lines = read(Provider::Paydunya, day(), said.as_bytes()).unwrap();
    assert_eq!((lines[0].listing.method, lines[0].listing.amount.0.currency), (Method::Card, Currency::Eur));
    assert!(read(Provider::Paydunya, day(), said.replace("card", "wave").as_bytes()).is_err());
}

/// What the fuzzer began with, and what it has kept (fuzz/).
#[test]
fn kept_files_keep_their_promises() {
    let mut read = 0;
    for folder in ["../fuzz/seeds/statements", "../fuzz/corpus/statements"] {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries {
            let input = std::fs::read(entry.unwrap().path()).unwrap();
            if let Some((provider, file)) = input.split_first() {
                crate::fuzzing::statement(*provider, file);
                read += 1;
            }
        }
    }
    assert!(read > 20, "only {read} inputs");
}

proptest! {
    #[test]
    fn whatever_comes_is_lines_or_faults(file in prop::collection::vec(any::<u8>(), 0..400), which in 0_usize..4) {
        let provider = Provider::ALL[which];
        if let Err(faults) = read(provider, day(), &file) {
            prop_assert!(!faults.is_empty() && faults.len() <= MOST_FAULTS);
        }
    }

    #[test]
    fn every_amount_that_is_read_is_the_one_that_is_written(amount in 1_i64..=Money::MAX, fee in 0_i64..100_000) {
        let file = CANONICAL.replace("15000,150", &format!("{amount},{fee}"));
        let lines = wave(&file).unwrap();
        prop_assert_eq!(lines[0].listing.amount, Signed(Money::xof(amount)));
        prop_assert_eq!(lines[0].listing.fee, Signed(Money::xof(fee)));
    }
}
