//! What becomes of lines that are as they should be, and of those that are not.

use super::*;

const INVOKE: &str = r#"{"n":1,"at_ms":0,"wall":"2026-11-27T10:00:00.123456Z","who":"client-3","what":"invoke","call":17,"op":"place","key":"key-17","about":{"site":"00000000-0000-0000-0000-00000000517e","pitch":"00000000-0000-0000-0000-00000000009a","starts_at":"2026-12-01T18:00:00Z","minutes":60,"pays":"deposit","as":"service"}}"#;
const OK: &str = r#"{"n":2,"at_ms":9,"wall":"2026-11-27T10:00:00.132Z","who":"client-3","what":"ok","call":17,"op":"place","key":"key-17","status":201,"code":null,"position":123,"sha":"ab","said":{"reservation":"00000000-0000-0000-0000-00000000a001","status":"held"}}"#;
const KILL: &str =
    r#"{"n":3,"at_ms":9,"wall":"2026-11-27T10:00:01Z","who":"nemesis","what":"kill","target":"worker-1"}"#;

#[test]
fn a_call_is_its_beginning_and_its_end() {
    let history = History::read(&format!("{INVOKE}\n{OK}\n{KILL}\n"));
    assert_eq!((history.torn, history.problems.len()), (false, 0), "{:?}", history.problems);
    let [call] = history.calls.as_slice() else { panic!("{:?}", history.calls) };
    assert_eq!((call.id, call.outcome, call.position, call.status), (17, Outcome::Ok, Some(123), Some(201)));
    assert_eq!((call.about.minutes, call.about.r#as.as_deref()), (Some(60), Some("service")));
    assert_eq!(call.said.status.as_deref(), Some("held"));
    assert_eq!(history.faults().count(), 1);
    assert_eq!((history.told_by(120), history.told_by(123), history.told_by(124)), (Some(2), Some(2), None));
    let shown: Vec<String> = history.records.iter().map(ToString::to_string).collect();
    assert!(shown[1].contains("client-3 ok place #17 key key-17 201 at 123"), "{shown:?}");
    assert!(shown[2].ends_with("nemesis kill worker-1"), "{shown:?}");
}

#[test]
fn whoever_never_hears_does_not_know() {
    let history = History::read(INVOKE);
    assert_eq!(history.calls.first().map(|call| call.outcome), Some(Outcome::Maybe));
    assert!(history.problems.is_empty());
}

#[test]
fn a_refusal_because_the_first_is_still_running_is_none() {
    let fail = OK.replace(r#""ok""#, r#""fail""#);
    let outcome = |text: &str| History::read(&format!("{INVOKE}\n{text}")).calls[0].outcome;
    assert_eq!(outcome(&fail.replace("null", r#""reservation.slot_taken""#)), Outcome::Fail);
    assert_eq!(outcome(&fail.replace("null", r#""idempotency.in_progress""#)), Outcome::Maybe);
    assert_eq!(outcome(&fail.replace("null", r#""server.outcome_unknown""#)), Outcome::Maybe);
}

#[test]
fn only_the_last_line_may_be_torn() {
    let torn = History::read(&format!("{INVOKE}\n{}", OK.get(..70).unwrap()));
    assert_eq!((torn.torn, torn.problems.len(), torn.records.len()), (true, 0, 1));
    let cut = History::read(&format!("{}\n{OK}\n", INVOKE.get(..70).unwrap()));
    assert!(!cut.torn && cut.problems.len() > 1, "{:?}", cut.problems);
}

#[test]
fn a_record_that_contradicts_itself_is_a_problem() {
    let again = OK.replace(r#""n":2"#, r#""n":3"#);
    let strange = OK.replace(r#""ok""#, r#""perhaps""#);
    let typed = INVOKE.replace(r#""minutes":60"#, r#""minutes":"sixty""#);
    let hole = OK.replace(r#""n":2"#, r#""n":4"#);
    for (title, text) in [
        ("ended twice", format!("{INVOKE}\n{OK}\n{again}")),
        ("never begun", OK.replace(r#""n":2"#, r#""n":1"#)),
        ("begun twice", format!("{INVOKE}\n{}", INVOKE.replace(r#""n":1"#, r#""n":2"#))),
        ("an end nobody knows", format!("{INVOKE}\n{strange}")),
        ("a wish nobody understands", typed),
        ("a hole", format!("{INVOKE}\n{hole}")),
    ] {
        assert_eq!(History::read(&text).problems.len(), 1, "{title}: {:?}", History::read(&text).problems);
    }
}
