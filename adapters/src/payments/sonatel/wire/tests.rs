//! What is read off Sonatel's JSON, and what is not.

use domain::payment::Reference;
use proptest::prelude::*;
use reqwest::StatusCode;
use serde_json::json;

use super::*;

fn ours_is() -> Reference {
    Reference::new("ref-1").unwrap()
}

fn row(id: &str, status: &str) -> Value {
    json!({
        "amount": { "value": 15_000.0, "unit": "XOF" }, "reference": "ref-1", "type": "MERCHANT_PAYMENT",
        "transactionId": id, "status": status, "createdAt": "2026-11-22T12:24:31Z",
        "updatedAt": "2026-11-22T12:30:00Z", "customer": { "id": "771234567", "idType": "MSISDN" },
    })
}

fn read(list: &[Value]) -> Outcome<ProviderStatus> {
    payment(&rows(json!(list).to_string().as_bytes()).unwrap(), &ours_is())
}

fn read_payout(list: &[Value]) -> Outcome<PayoutStatus> {
    payout(&rows(json!(list).to_string().as_bytes()).unwrap(), &ours_is())
}

fn with(mut row: Value, field: &str, value: Value) -> Value {
    row[field] = value;
    row
}

#[test]
fn a_receipt_is_read_off_a_success() {
    let Outcome::Done(ProviderStatus::Succeeded(receipt)) = read(&[row("MP1", "SUCCESS")]) else { panic!() };
    assert_eq!(receipt.provider_id.as_str(), "ref-1");
    assert_eq!(receipt.transaction_id.as_str(), "MP1");
    assert_eq!((receipt.amount, receipt.reference.as_deref()), (Money::xof(15_000), Some("ref-1")));
    assert_eq!(receipt.payer.unwrap().e164(), "+221771234567");
    assert_eq!(receipt.at, "2026-11-22T12:24:31Z".parse().ok());
}

#[test]
fn a_payer_that_is_no_number_of_nine_digits_is_nobody() {
    for id in [json!("77123456"), json!("+221771234567"), json!("77123456x"), json!(771_234_567), json!(null)] {
        let odd = with(row("MP1", "SUCCESS"), "customer", json!({ "id": id }));
        match read(&[odd]) {
            Outcome::Done(ProviderStatus::Succeeded(receipt)) => assert_eq!(receipt.payer, None, "{id}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn only_rows_of_exactly_our_reference_and_kind_count() {
    let strangers = [
        with(row("MP1", "SUCCESS"), "reference", json!("REF-1")),
        with(row("MP2", "SUCCESS"), "reference", json!("ref-12")),
        with(row("MP3", "SUCCESS"), "reference", json!(null)),
        with(row("CI4", "SUCCESS"), "type", json!("CASHIN")),
    ];
    assert_eq!(read(&strangers), Outcome::Done(ProviderStatus::Unpaid));
    let web = with(row("WP1", "SUCCESS"), "type", json!("WEB_PAYMENT"));
    assert!(matches!(read(&[web]), Outcome::Done(ProviderStatus::Succeeded(_))));
    for kind in [json!(null), json!(""), json!(1)] {
        assert!(matches!(read(&[with(row("MP1", "SUCCESS"), "type", kind)]), Outcome::Unknown(_)));
    }
}

#[test]
fn a_success_wins_and_two_are_several_but_one_listed_twice_is_one() {
    let (paid, failed, open) = (row("MP1", "SUCCESS"), row("MP2", "FAILED"), row("MP3", "PENDING"));
    for list in [[&paid, &failed, &open], [&open, &failed, &paid], [&failed, &paid, &paid]] {
        let list: Vec<_> = list.into_iter().cloned().collect();
        assert!(matches!(read(&list), Outcome::Done(ProviderStatus::Succeeded(_))));
    }
    match read(&[paid.clone(), failed, row("MP4", "SUCCESS")]) {
        Outcome::Done(ProviderStatus::Several(all)) => assert_eq!(all.len(), 2),
        other => panic!("{other:?}"),
    }
    let other_amount = with(paid.clone(), "amount", json!({ "value": 1, "unit": "XOF" }));
    assert!(matches!(read(&[paid, other_amount]), Outcome::Unknown(_)));
}

#[test]
fn what_has_failed_is_unpaid_what_is_open_is_under_way_and_what_nobody_knows_is_unknown() {
    for status in ["FAILED", "REJECTED", "CANCELLED"] {
        assert_eq!(read(&[row("MP1", status)]), Outcome::Done(ProviderStatus::Unpaid), "{status}");
    }
    for status in ["INITIATED", "PRE_INITIATED", "PENDING", "ACCEPTED"] {
        assert_eq!(read(&[row("MP1", status)]), Outcome::Done(ProviderStatus::UnderWay), "{status}");
    }
    assert_eq!(read(&[]), Outcome::Done(ProviderStatus::Unpaid));
    for status in ["success", "SUCCESSFUL", "PAID", ""] {
        assert!(matches!(read(&[row("MP1", status)]), Outcome::Unknown(_)), "{status}");
    }
}

#[test]
fn a_success_without_amount_or_transaction_is_no_success() {
    for (field, value) in [
        ("amount", json!(null)),
        ("amount", json!(15_000)),
        ("amount", json!({ "value": 15_000 })),
        ("amount", json!({ "value": 15_000.5, "unit": "XOF" })),
        ("amount", json!({ "value": 15_000, "unit": "EUR" })),
        ("transactionId", json!(null)),
        ("transactionId", json!("")),
    ] {
        let odd = with(row("MP1", "SUCCESS"), field, value);
        assert!(matches!(read(std::slice::from_ref(&odd)), Outcome::Unknown(_)), "{odd}");
    }
}

#[test]
fn a_success_of_nothing_is_no_success() {
    for nothing in [json!(0), json!(0.0), json!("0"), json!("0.00")] {
        let nothing = json!({ "value": nothing, "unit": "XOF" });
        let paid = with(row("MP1", "SUCCESS"), "amount", nothing.clone());
        assert!(matches!(read(std::slice::from_ref(&paid)), Outcome::Unknown(_)), "{nothing}");
        assert!(matches!(read_payout(&[with(paid, "type", json!("CASHIN"))]), Outcome::Unknown(_)), "{nothing}");
    }
}

#[test]
fn amounts_are_read_in_each_shape_seen_and_in_no_other() {
    let of = |value: Value| money(&json!({ "value": value, "unit": "XOF" }));
    for value in [json!("1000"), json!(1000), json!(1000.0), json!("1000.00")] {
        assert_eq!(of(value.clone()), Some(Money::xof(1_000)), "{value}");
    }
    let wrong = [json!("1000.5"), json!("1e3"), json!("-1"), json!("+1"), json!(""), json!("1 000"), json!(null)];
    for value in wrong.into_iter().chain([json!(1e30), json!("1000."), json!(".0"), json!("99999999999999")]) {
        assert_eq!(of(value.clone()), None, "{value}");
    }
}

#[test]
fn a_list_is_bare_or_wrapped_and_nothing_else() {
    for body in [json!([{}]), json!({ "transactions": [{}] })] {
        assert_eq!(rows(body.to_string().as_bytes()).unwrap().len(), 1);
    }
    for body in ["", "{}", "null", "[1]", r#"{"transactions":{}}"#, "<html>"] {
        assert!(rows(body.as_bytes()).is_none(), "{body}");
    }
}

#[test]
fn instants_are_read_in_each_shape_seen() {
    let at = "2026-11-22T12:24:31Z".parse().ok();
    for text in [
        "2026-11-22T12:24:31Z",
        "2026-11-22T12:24:31.000Z",
        "2026-11-22T12:24:31+00:00",
        "2026-11-22T12:24:31",
        "2026-11-22 12:24:31",
        "22-11-2026 12:24:31",
    ] {
        assert_eq!(instant(text), at, "{text}");
    }
    assert_eq!(instant("22/11/2026"), None);
}

#[test]
fn the_link_is_the_short_one_or_one_for_an_app() {
    let opened = |body: Value| Code::read(body.to_string().as_bytes()).unwrap().opened(&ours_is());
    let all = json!({
        "deepLink": "https://d", "deepLinks": { "OM": "om://o", "MAXIT": "https://m" }, "shortLink": "https://s",
        "validFor": { "endDateTime": "2026-11-22T12:24:31.000Z" },
    });
    let mut links = all.clone();
    for (gone, expected) in [("", "https://s"), ("shortLink", "https://m"), ("deepLinks", "https://d")] {
        links[gone] = json!(null);
        let found = opened(links.clone()).unwrap();
        assert_eq!((found.launch_url.as_str(), found.provider_id.as_str()), (expected, "ref-1"));
        assert_eq!(found.expires_at, "2026-11-22T12:24:31Z".parse().ok());
    }
    links["deepLink"] = json!("not a link");
    assert_eq!(opened(links), None);
    assert_eq!(opened(json!({ "shortLink": "https://s" })).unwrap().expires_at, None);
}

#[test]
fn a_code_for_something_else_is_told() {
    let fits = |body: Value| Code::read(body.to_string().as_bytes()).unwrap().may_be_for(Money::xof(500), "ref-1");
    assert!(fits(json!({})));
    assert!(fits(json!({ "reference": "ref-1", "amount": { "value": 500.0, "unit": "XOF" } })));
    assert!(!fits(json!({ "reference": "ref-2" })));
    assert!(!fits(json!({ "metadata": { "reference": "ref-2" } })));
    assert!(!fits(json!({ "amount": { "value": 501, "unit": "XOF" } })));
}

#[test]
fn errors_are_read_with_numbers_as_text_or_numbers() {
    let read = |body: &str| {
        let answer = Answer { status: StatusCode::NOT_FOUND, retry_after: None, body: body.as_bytes().to_vec() };
        refusal(&answer)
    };
    let problem = ("sonatel-60".to_owned(), "d".to_owned());
    assert_eq!(read(r#"{"type":"t","title":"x","status":"404","code":"60","detail":"d"}"#), problem);
    assert_eq!(read(r#"{"status":404,"code":60,"detail":"d"}"#), problem);
    assert_eq!(read(r#"{"error":"invalid_client","error_description":"d"}"#), ("invalid_client".into(), "d".into()));
    for body in ["", "<html>", "{}", "[]", r#"{"code":null}"#] {
        assert_eq!(read(body).0, "http-404", "{body}");
    }
}

#[test]
fn a_token_has_seconds_as_number_or_text() {
    let token = crate::payments::token::read;
    assert_eq!(token(br#"{"access_token":"t","expires_in":299}"#), Some(("t".into(), 299)));
    assert_eq!(token(br#"{"access_token":"t","expires_in":"299"}"#), Some(("t".into(), 299)));
    assert_eq!(token(br#"{"access_token":"t"}"#), Some(("t".into(), 0)));
    for body in [r#"{"access_token":"a b"}"#, r#"{"access_token":"a\n"}"#, r#"{"access_token":""}"#, "{}", "<html>"] {
        assert_eq!(token(body.as_bytes()), None, "{body}");
    }
}

#[test]
fn cashins_that_moved_money_or_may_count_before_failed_ones() {
    let cash = |id: &str, status: &str| with(row(id, status), "type", json!("CASHIN"));
    assert_eq!(read_payout(&[row("MP1", "SUCCESS")]), Outcome::Done(PayoutStatus::NotFound));
    let both = [cash("CI1", "FAILED"), cash("CI2", "SUCCESS")];
    assert!(matches!(read_payout(&both), Outcome::Done(PayoutStatus::Succeeded { .. })));
    let twice = [cash("CI1", "SUCCESS"), cash("CI1", "SUCCESS")];
    assert!(matches!(read_payout(&twice), Outcome::Done(PayoutStatus::Succeeded { .. })));
    for second in ["SUCCESS", "ACCEPTED"] {
        let two = [cash("CI1", "SUCCESS"), cash("CI2", second)];
        assert!(matches!(read_payout(&two), Outcome::Done(PayoutStatus::Several(all)) if all.len() == 2));
    }
    match read_payout(&[cash("CI1", "REJECTED")]) {
        Outcome::Done(PayoutStatus::Failed { code, .. }) => assert_eq!(code, "rejected"),
        other => panic!("{other:?}"),
    }
    for odd in ["SENT", ""] {
        assert!(matches!(read_payout(&[cash("CI1", odd), cash("CI2", "FAILED")]), Outcome::Unknown(_)));
    }
}

proptest! {
    #[test]
    fn only_the_word_success_is_a_success(status in prop_oneof!["SUCCESS", "ACCEPTED", "[A-Z_]{0,12}"]) {
        let success = matches!(read(&[row("MP1", &status)]), Outcome::Done(ProviderStatus::Succeeded(_)));
        prop_assert_eq!(success, status == "SUCCESS");
    }

    #[test]
    fn no_body_makes_the_reader_fall_over(body in "\\PC{0,200}|[\\[{\"a-z:,}\\]0-9]{0,60}") {
        let body = body.as_bytes();
        let _ = (rows(body).map(|rows| (payment(&rows, &ours_is()), payout(&rows, &ours_is()))), crate::payments::token::read(body));
        let _ = (Code::read(body).map(|code| code.opened(&ours_is())), Row::read(body).map(|row| row.payout()));
    }
}
