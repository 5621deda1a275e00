//! Lines by which money went back without us.

use super::{
    tests::{Day, ONE, digest, statement, tomorrow},
    tests_compare::{id, line, movement},
    *,
};
use crate::{ids::RefundId, money::Money, reaction::Reaction};

/// What a person gave back in the portal: the line of it, and the movement that it becomes once it is written down.
fn portal(payment: &Movement) -> (Line, Movement) {
    let subject = Subject::refund(RefundId::new(uuid::Uuid::from_u128(99)));
    let ids = vec![id("PORTAL-1")];
    let amount = Money::xof(-payment.amount.amount);
    let refund = Movement { subject, ids, amount, number: None, ..payment.clone() };
    let mut line = line(&refund);
    (line.listing.reference, line.checkout) = (payment.references.first().cloned(), None);
    line.listing.fee = Signed(Money::xof(25));
    (line, refund)
}

fn observed(day: &Day) -> Vec<u32> {
    let wanted = |reaction| match reaction {
        Reaction::ObserveRefund { number, .. } => Some(number),
        _ => None,
    };
    day.events.iter().flat_map(crate::reaction::react).filter_map(wanted).collect()
}

#[test]
fn a_listed_refund_of_which_nothing_is_known_is_looked_into_and_explains_itself() {
    let paid = movement(1, 15_000);
    let (listed, refund) = portal(&paid);
    let file = statement("a", vec![line(&paid), listed.clone()], vec![paid.clone()]);
    let mut wave = Day::new();
    wave.import(&file);
    assert_eq!(wave.kinds(), [(Kind::MissingHere, Standing::Unexplained)]);
    assert_eq!(observed(&wave), [1]);
    wave.stands(-150 - 15_000, 15_000, 150);

    let caught_up = catch_up(&wave.it, 1, refund.subject, tomorrow());
    wave.take(&caught_up);
    assert_eq!(wave.kinds(), [(Kind::MissingHere, Standing::Explained)]);
    // The refund's own events move the rest; here is only its fee.
    wave.stands(-150 - 25, 0, 150 + 25);
    assert_eq!(wave.it.state.unexplained().count(), 0);
    assert!(catch_up(&wave.it, 1, refund.subject, tomorrow()).is_nothing(), "once");

    // The same file finds nothing new, and enters nothing again.
    let again = Import { movements: vec![paid, refund], digest: digest("b"), ..file };
    wave.import(&again);
    assert_eq!(wave.it.state.unexplained().count(), 0);
    wave.stands(-150 - 25, 0, 150 + 25);
    assert!(close(&wave.it, ONE, tomorrow()).is_ok());
}

#[test]
fn one_of_ours_that_was_called_failed_and_is_listed_is_looked_into() {
    let paid = movement(1, 15_000);
    let (listed, refund) = portal(&paid);
    let failed = Movement { state: Moved::Failed, ..refund.clone() };
    let mut wave = Day::new();
    wave.import(&statement("a", vec![line(&paid), listed], vec![paid, failed]));
    assert_eq!(wave.kinds(), [(Kind::StateDiffers, Standing::Unexplained)]);
    assert_eq!(observed(&wave), [1]);
    let caught_up = catch_up(&wave.it, 1, refund.subject, tomorrow());
    wave.take(&caught_up);
    wave.stands(-150 - 25, 0, 150 + 25);
}

#[test]
fn what_came_in_what_did_not_move_and_what_names_nothing_is_a_person_s_matter() {
    let paid = movement(1, 15_000);
    let (listed, _) = portal(&paid);
    let mut void = listed.clone();
    void.listing.state = LineState::Failed;
    let mut nameless = listed.clone();
    (nameless.listing.is, nameless.listing.reference) = (Is::Payout, None);
    let mut income = line(&movement(7, 3_000));
    income.listing.transaction = id("T_UNKNOWN");
    for line in [void, nameless, income] {
        let mut wave = Day::new();
        wave.import(&statement("a", vec![line], vec![]));
        assert_eq!(observed(&wave), Vec::<u32>::new());
        let nothing = catch_up(&wave.it, 1, Subject::refund(RefundId::new(uuid::Uuid::nil())), tomorrow());
        assert!(nothing.is_nothing());
    }
}

#[test]
fn what_a_person_has_said_stands() {
    let paid = movement(1, 15_000);
    let (listed, refund) = portal(&paid);
    let mut wave = Day::new();
    wave.import(&statement("a", vec![line(&paid), listed], vec![paid]));
    wave.say(1, How::RefundedByHand, ONE).unwrap();
    assert!(catch_up(&wave.it, 1, refund.subject, tomorrow()).is_nothing());
}
