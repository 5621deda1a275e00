//! Reading: each spelling seen, and nothing that contradicts itself.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn status(body: &Value) -> Result<Outcome<ProviderStatus>, String> {
    let id = ProviderId::new("tok-1").unwrap();
    Payment::read(body).map(|payment| payment.status(&id))
}

fn paid_by(body: &Value) -> Option<Money> {
    match status(body) {
        Ok(Outcome::Done(ProviderStatus::Succeeded(receipt))) => Some(receipt.amount),
        _ => None,
    }
}

#[test]
fn success_is_read_in_each_shape_seen_and_in_no_other() {
    let of = |value: Value| success(&json!({ "success": value }));
    assert_eq!([of(json!(1)), of(json!("1")), of(json!(true))], [Some(1); 3]);
    assert_eq!([of(json!(0)), of(json!("0")), of(json!(false))], [Some(0); 3]);
    assert_eq!([of(json!(-1)), of(json!("-1"))], [Some(-1); 2]);
    assert_eq!([of(json!("yes")), of(json!(null)), of(json!(1.5)), of(json!([1]))], [None; 4]);
    assert_eq!(success(&json!({})), None);
}

#[test]
fn a_success_of_nothing_is_no_success() {
    let of =
        |amount: Value| paid_by(&json!({ "state": "sale_complete", "ref_command": "ref-1", "item_price": amount }));
    assert_eq!(of(json!(500)), Some(Money::xof(500)));
    for nothing in [json!(0), json!("0"), json!("0.00")] {
        assert_eq!(of(nothing.clone()), None, "{nothing}");
    }
}

#[test]
fn words_are_read_as_text_and_as_a_list() {
    for (body, expected) in [
        (json!({ "message": "m" }), "m"),
        (json!({ "error": "e" }), "e"),
        (json!({ "error": ["a", "b"] }), "a; b"),
        (json!({ "errors": ["a", 1] }), "a; 1"),
        (json!({ "message": "", "error": ["a"] }), "a"),
        (json!({ "error": [] }), "no reason given"),
        (json!({ "error": { "a": 1 } }), "no reason given"),
    ] {
        assert_eq!(message(&body), expected);
    }
}

#[test]
fn refusals_are_told_apart_by_their_words() {
    let of = |text: &str| {
        let refusal = refusal(0, &json!({ "message": text }));
        (refusal.http, refusal.code)
    };
    for used in ["ref_command existe déjà", "REF_COMMAND EXISTE DÉJÀ", "ref_command already used"] {
        assert_eq!(of(used), (Some(200), REFERENCE_USED.to_owned()), "{used}");
    }
    for ours in ["Le vendeur n'existe pas ou cle api invalide", "Clé API invalide", "Compte marchand suspendu"] {
        assert_eq!(of(ours), (Some(401), "paytech-0".to_owned()), "{ours}");
    }
    for other in ["ref_command est obligatoire", "item_price existe déjà", "Solde insuffisant", ""] {
        assert_eq!(of(other), (Some(200), "paytech-0".to_owned()), "{other}");
    }
}

#[test]
fn given_back_needs_the_very_words_and_a_hint_is_enough_for_under_way() {
    for words in ["Cette commande a déjà été remboursée", "Déjà remboursé", "Payment has already been refunded"]
    {
        assert!(is_given_back(words), "{words}");
    }
    for words in [
        "Remboursement déjà en cours",
        "Cette commande n'a pas déjà été remboursée",
        "not already refunded",
        "Déjà remboursé ? Non",
        "it hasn't already been refunded",
        "déjà expirée, ne peut être remboursée",
    ] {
        assert!(!is_given_back(words) && is_under_way(words), "{words}");
    }
    for words in ["Solde insuffisant", "Commande introuvable", "La commande n'a pas été payée", "remboursée"] {
        assert!(!is_given_back(words) && !is_under_way(words), "{words}");
    }
}

#[test]
fn a_success_is_read_in_each_spelling() {
    let payment = json!({ "state": "complete", "ref_command": "r", "item_price": 15_000 });
    let bodies = [
        json!({ "payment": payment }),
        json!({ "data": payment }),
        json!({ "status": "success", "payment": payment }),
        payment.clone(),
        json!({ "type_event": "sale_complete", "ref_command": "r", "item_price": "15000" }),
        json!({ "payment_status": "PAID", "ref_command": "r", "item_price": 15_000.0, "currency": "XOF" }),
        json!({ "state": "completed", "status": "complete", "ref_command": "r", "item_price": "15000.00" }),
        json!({ "state": "complete", "ref_command": "r", "final_item_price": "", "item_price": 15_000 }),
        json!({ "state": "complete", "ref_command": "r", "final_item_price": null, "item_price": 15_000 }),
    ];
    for body in bodies {
        assert_eq!(paid_by(&body), Some(Money::xof(15_000)), "{body}");
    }
    let promo = json!({ "state": "complete", "ref_command": "r", "final_item_price": 13_500, "item_price": 15_000 });
    assert_eq!(paid_by(&promo), Some(Money::xof(13_500)));
}

#[test]
fn a_success_without_amount_or_reference_or_in_other_money_is_no_success() {
    let good = json!({ "state": "complete", "ref_command": "r", "item_price": 15_000, "final_item_price": 15_000 });
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    assert!(paid_by(&good).is_some());
    let wrong = [
        with("ref_command", json!("")),
        with("ref_command", json!(null)),
        with("currency", json!("EUR")),
        // What is written after promotions counts, also when it makes no sense.
        with("final_item_price", json!("abc")),
        with("final_item_price", json!("-15000")),
        with("final_item_price", json!(15_000.5)),
        with("final_item_price", json!("1e4")),
        with("final_item_price", json!("99999999999999")),
        json!({ "state": "complete", "ref_command": "r" }),
    ];
    for body in wrong {
        assert!(matches!(status(&body), Ok(Outcome::Unknown(_))), "{body}");
    }
}

#[test]
fn what_contradicts_itself_or_says_nothing_is_unreadable() {
    let unreadable = [
        json!({ "ref_command": "r", "item_price": 1 }),
        json!({ "state": "complete", "status": "pending", "ref_command": "r", "item_price": 1 }),
        json!({ "state": "complete", "type_event": "sale_canceled", "ref_command": "r", "item_price": 1 }),
        json!({ "state": "complete", "status": "ok", "ref_command": "r", "item_price": 1 }),
        json!({ "status": "success", "ref_command": "r", "item_price": 1 }),
        json!({ "state": true, "ref_command": "r", "item_price": 1 }),
        json!({ "payment": { "ref_command": "r" }, "state": "complete", "item_price": 1 }),
    ];
    for body in unreadable {
        assert!(status(&body).is_err(), "{body}");
    }
}

#[test]
fn a_page_needs_an_address_that_a_payer_can_be_sent_to() {
    let page = |token: &str, url: &str| opened(&json!({ "token": token, "redirect_url": url }));
    assert!(page("t", "https://paytech.sn/payment/checkout/t").is_some());
    assert!(opened(&json!({ "token": "t", "redirectUrl": "https://paytech.sn/t" })).is_some());
    for url in ["", "/payment/checkout/t", "javascript:alert(1)", "http://paytech.sn/t"] {
        assert_eq!(page("t", url), None, "{url}");
    }
    assert_eq!(page("", "https://paytech.sn/t"), None);
    assert_eq!(opened(&json!({ "token": 1, "redirect_url": "https://paytech.sn/t" })), None);
}

proptest! {
    #[test]
    fn only_the_words_for_paid_are_a_success(word in prop_oneof![
        "sale_complete", "complete", "completed", "paid", "[a-z_]{0,13}", "(un)?paid", "sale_[a-z]{4,8}", "success",
    ]) {
        let body = json!({ "state": word, "ref_command": "r", "item_price": 500 });
        let known = ["sale_complete", "complete", "completed", "paid"].contains(&word.as_str());
        prop_assert_eq!(paid_by(&body).is_some(), known);
    }

    #[test]
    fn every_amount_comes_back(amount in 1_i64..=Money::MAX, form in prop_oneof!["", "[.]0{1,3}"]) {
        prop_assert_eq!(money(&format!("{amount}{form}")), Some(Money::xof(amount)));
    }

    #[test]
    fn no_body_makes_the_reader_fall_over(body in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,80}") {
        let body = object(&body).unwrap_or_else(|| json!({ "state": text, "message": text, "success": text }));
        let _ = (status(&body).is_ok(), success(&body), opened(&body), refusal(0, &body));
        let _ = (is_given_back(&text), is_under_way(&text));
    }
}
