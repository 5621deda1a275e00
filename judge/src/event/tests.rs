//! Every published sample can be read, and says whose it is.

use super::*;

#[test]
fn every_golden_sample_is_read() {
    let golden = std::path::Path::new("../domain/golden");
    let mut read = 0;
    for entry in std::fs::read_dir(golden).unwrap() {
        let path = entry.unwrap().path();
        let Some((name, schema)) = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_suffix(".json"))
            .and_then(|name| name.rsplit_once(".v"))
        else {
            continue;
        };
        let fact = Fact::read(name, schema.parse().unwrap(), &std::fs::read_to_string(&path).unwrap());
        assert!(!matches!(fact, Fact::Unreadable(_)), "{name}: {fact:?}");
        let judged = ["reservation.", "payment.", "refund."].iter().any(|noun| name.starts_with(noun));
        assert!(!judged || fact.stream().is_some(), "{name} does not say whose it is");
        assert!(!judged || crate::machine::find(name).is_some(), "{name} is in no state machine");
        read += 1;
    }
    assert!(read > 40, "only {read} samples");
}

#[test]
fn every_event_of_the_machines_is_published() {
    let machines = [crate::machine::RESERVATION, crate::machine::PAYMENT, crate::machine::REFUND];
    for step in machines.into_iter().flatten() {
        assert!(
            std::path::Path::new("../domain/golden").join(format!("{}.v1.json", step.event)).exists(),
            "{}",
            step.event
        );
    }
}

#[test]
fn what_is_not_published_is_not_read() {
    for (name, schema, data) in [
        ("reservation.forgotten", 1, "{}"),
        ("reservation.expired", 2, r#"{"reservation_id":"00000000-0000-0000-0000-00000000a001"}"#),
        ("reservation.expired", 1, "{}"),
    ] {
        assert!(matches!(Fact::read(name, schema, data), Fact::Unreadable(_)), "{name} v{schema}");
    }
    let payment = "00000000-0000-0000-0000-00000000a001";
    for money in
        [r#"{"amount":1.5,"currency":"XOF"}"#, r#"{"amount":1,"currency":"EUR"}"#, r#"{"amount":-1,"currency":"XOF"}"#]
    {
        let data = format!(r#"{{"client_id":"{payment}","payment_id":"{payment}","amount":{money}}}"#);
        assert!(matches!(Fact::read("client.credited", 1, &data), Fact::Unreadable(_)), "{money}");
    }
}
