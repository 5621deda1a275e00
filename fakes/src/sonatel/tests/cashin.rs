//! Cash-in: the encrypted PIN, the customers, and money that goes out as often as it is asked for.

use base64::{Engine, engine::general_purpose::STANDARD};
use rsa::{Pkcs1v15Encrypt, RsaPublicKey, pkcs8::DecodePublicKey, rand_core::OsRng};

use super::*;

const CASHINS: &str = "/api/eWallet/v1/cashins";

async fn encrypted(sonatel: &Om, pin: &str) -> String {
    let (status, key) = sonatel.ask("/api/account/v1/publicKeys").await;
    assert_eq!((status, &key["keySize"], &key["keyType"]), (200, &json!(2_048), &json!("RSA")));
    let spki = STANDARD.decode(key["key"].as_str().unwrap()).unwrap();
    let key = RsaPublicKey::from_public_key_der(&spki).unwrap();
    STANDARD.encode(key.encrypt(&mut OsRng, Pkcs1v15Encrypt, pin.as_bytes()).unwrap())
}

fn cashin(pin: &str, customer: &str, francs: i64) -> Value {
    json!({
        "partner": { "idType": "MSISDN", "id": "770000001", "encryptedPinCode": pin },
        "customer": { "idType": "MSISDN", "id": customer },
        "amount": { "value": francs, "unit": "XOF" }, "reference": "pay-1", "receiveNotification": true,
    })
}

#[tokio::test]
async fn a_cashin_sends_money_and_the_same_again_sends_it_again() {
    let sonatel = sonatel().await;
    let pin = encrypted(&sonatel, "1234").await;
    assert_eq!(pin.len(), 344);
    for _ in 0..2 {
        let (status, answer) = sonatel.tell(CASHINS, &cashin(&pin, "771234567", 24_500)).await;
        assert_eq!((status, &answer["status"]), (200, &json!("SUCCESS")), "{answer}");
        assert!(answer["transactionId"].as_str().unwrap().starts_with("CI") && answer.get("amount").is_none());
    }
    assert_eq!(sonatel.rows("pay-1").await[1]["type"], "CASHIN");
    let ledger = sonatel.get("/__ledger").await;
    assert_eq!(ledger["balance"], 1_000_000 - 49_000);
    assert_eq!(ledger["totals"], json!({ "charged": 0, "refunded": 0, "paid_out": 49_000 }));
    assert_eq!(ledger["repeated"], json!({ "charges": [], "payouts": ["pay-1"] }));
}

#[tokio::test]
async fn each_no_has_its_code_and_moves_nothing() {
    let sonatel = sonatel().await;
    sonatel
        .control(json!([
            { "do": "customer", "msisdn": "770000013", "as": "blocked" },
            { "do": "customer", "msisdn": "770000014", "as": "unknown" },
            { "do": "balance", "amount": 1_000 },
        ]))
        .await;
    let (good, wrong) = (encrypted(&sonatel, "1234").await, encrypted(&sonatel, "0000").await);
    let mut stranger = cashin(&good, "771234567", 500);
    stranger["partner"]["id"] = json!("770000009");
    let cases = [
        (cashin(&wrong, "771234567", 500), "2021"),
        (cashin("AAAA", "771234567", 500), "4099"),
        (cashin(&good, "770000013", 500), "2013"),
        (cashin(&good, "770000014", 500), "2000"),
        (cashin(&good, "77123456", 500), "2001"),
        (cashin(&good, "+221771234567", 500), "2001"),
        (cashin(&good, "771234567", 1_001), "2020"),
        (cashin(&good, "771234567", 0), "4099"),
        (stranger, "2041"),
    ];
    for (body, code) in cases {
        let (status, problem) = sonatel.tell(CASHINS, &body).await;
        assert_eq!((status, &problem["code"]), (400, &json!(code)), "{problem}");
    }
    assert_eq!(sonatel.get("/__ledger").await["balance"], 1_000);
}

#[tokio::test]
async fn a_pin_for_the_key_before_is_refused_with_4003() {
    let sonatel = sonatel().await;
    let old = encrypted(&sonatel, "1234").await;
    sonatel.control(json!({ "do": "rotate_key" })).await;
    assert_eq!(sonatel.tell(CASHINS, &cashin(&old, "771234567", 500)).await.1["code"], "4003");
    let new = encrypted(&sonatel, "1234").await;
    assert_eq!(sonatel.tell(CASHINS, &cashin(&new, "771234567", 500)).await.0, 200);
}

#[tokio::test]
async fn a_cashin_that_fails_later_comes_back() {
    let sonatel = sonatel().await;
    let pin = encrypted(&sonatel, "1234").await;
    sonatel.control(json!([{ "do": "next", "as": "PENDING" }, { "do": "next", "as": "REJECTED" }])).await;
    assert_eq!(sonatel.tell(CASHINS, &cashin(&pin, "771234567", 500)).await.1["status"], "PENDING");
    assert_eq!(sonatel.tell(CASHINS, &cashin(&pin, "771234567", 500)).await.1["status"], "REJECTED");
    assert_eq!(sonatel.get("/__ledger").await["balance"], 999_500);
    sonatel.control(json!({ "do": "settle_transaction", "transaction": "pay-1", "as": "FAILED" })).await;
    let ledger = sonatel.get("/__ledger").await;
    assert_eq!((&ledger["balance"], &ledger["totals"]["paid_out"]), (&json!(1_000_000), &json!(0)));
}
