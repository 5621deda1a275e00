//! A model that cannot fail proves nothing: workers that are broken on purpose are found out.

use stateright::{Checker, Model};

use super::{Begin, Booking, Broken, DEPOSIT, Left, NOTHING, PATIENT, shortest};

/// The broken worker breaks this law, and the search finds how.
#[track_caller]
fn refuted(broken: Broken, left: Left, model: Booking, law: &'static str) {
    let sound = Booking { left, ..model.clone() }.checker().threads(2).spawn_bfs().join();
    assert!(sound.discovery(law).is_none(), "{law} does not hold without {broken:?}");
    let way = shortest(&Booking { left, broken: Some(broken), ..model }, law);
    assert!(!way.is_empty(), "{law} holds in spite of {broken:?}");
    println!("{broken:?} breaks {law}: {way:?}");
}

#[test]
fn freeing_the_cells_without_closing() {
    let left = NOTHING;
    refuted(Broken::FreesWithoutClosing, left, Booking::plain(), "closed_before_freed");
}

#[test]
fn confirming_what_somebody_else_has() {
    let left = Left { others: 1, ..NOTHING };
    refuted(Broken::IgnoresThatTheCellsAreTaken, left, Booking::plain(), "one_holder");
}

#[test]
fn holding_without_an_end() {
    refuted(Broken::KeepsCellsForEver, NOTHING, Booking::plain(), "holds_end");
}

#[test]
fn opening_again_after_a_death_without_asking() {
    let left = Left { deaths: 1, ..NOTHING };
    refuted(Broken::OpensAgainWithoutAsking, left, Booking::plain(), "one_key_a_payment");
}

#[test]
fn opening_under_a_new_key_after_unknown() {
    let left = Left { cuts: 1, ..NOTHING };
    refuted(Broken::OpensUnderAnotherKey, left, Booking::plain(), "one_key_a_payment");
}

#[test]
fn believing_a_webhook() {
    let left = Left { forgeries: 1, ..NOTHING };
    refuted(Broken::BelievesWebhooks, left, Booking::plain(), "only_what_the_provider_knows");
    refuted(Broken::BelievesWebhooks, left, Booking::plain(), "short_never_confirms");
}

#[test]
fn taking_the_receipt_of_another_payment() {
    let left = Left { forgeries: 1, tabs: 1, ..NOTHING };
    refuted(Broken::TakesAnyReceipt, left, Booking::plain(), "only_what_the_provider_knows");
}

#[test]
fn settling_twice() {
    refuted(Broken::SettlesTwice, NOTHING, Booking::plain(), "lands_once");
    refuted(Broken::SettlesTwice, NOTHING, Booking::plain(), "ledgers_agree");
}

#[test]
fn confirming_on_too_little() {
    let model = Booking { amounts: &[DEPOSIT - 1], ..Booking::plain() };
    refuted(Broken::ConfirmsOnTooLittle, NOTHING, model.clone(), "short_never_confirms");
    refuted(Broken::ConfirmsOnTooLittle, NOTHING, model, "ledgers_agree");
}

#[test]
fn ending_what_is_paid() {
    let left = Left { forgeries: 1, ..NOTHING };
    refuted(Broken::EndsWhatIsPaid, left, Booking::plain(), "success_stays");
}

#[test]
fn paying_a_refund_under_a_new_key_after_unknown() {
    let left = Left { charges: 0, cancels: 1, cuts: 1, ..NOTHING };
    let model = Booking { begins: Begin::Confirmed, instants: PATIENT, ..Booking::plain() };
    refuted(Broken::TakesAnotherKeyWhenUnknown, left, model.clone(), "refunded_once");
    refuted(Broken::TakesAnotherKeyWhenUnknown, left, model, "unknown_keeps_its_key");
}

#[test]
fn forgetting_a_refund() {
    let left = Left { charges: 0, cancels: 1, deaths: 1, ..NOTHING };
    let model = Booking { begins: Begin::Confirmed, ..Booking::plain() };
    refuted(Broken::ForgetsRefunds, left, model.clone(), "quiet_is_settled");
    refuted(Broken::ForgetsRefunds, left, model, "comes_to_rest");
}
