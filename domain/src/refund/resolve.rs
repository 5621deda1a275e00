//! An outcome that no provider tells: two people of finance look at the provider's portal, and say the same.

use chrono::Duration;

use super::{Failed, OutcomeStated, Refund, Refusal, Stated, submit::succeeded};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
};

/// How long a provider is asked before people may say what became of it: the end of the questions
/// ([`crate::reaction::Ask`]).
const ASKED_FOR: Duration = Duration::hours(72);

/// Says what a person of finance has seen at the provider. The first word is kept; when a second person says the same, the
/// refund has that outcome: paid, or failed, after which the next way follows. A word that differs from the one before
/// takes its place, and waits for another person itself.
///
/// # Errors
/// [`Refusal`] for anybody else, without a name, while the provider is still being asked, when there is no outcome to find, and
/// [`Refusal::SameWord`] for the second word of the same person.
pub fn resolve(refund: &Loaded<Refund>, stated: Stated, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    let Some(request) = &refund.state.request else { return Err(Refusal::NotFound) };
    if by.role != Role::Finance {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    if by.id.is_none() {
        return Err(Refusal::NameRequired);
    }
    let attempt = match (refund.state.status, &refund.state.attempt) {
        (status, Some(attempt)) if status.is_out() => attempt,
        (status, _) => return Err(Refusal::WrongStatus { status }),
    };
    let until = attempt.since + ASKED_FOR;
    if now < until {
        return Err(Refusal::StillAsked { until });
    }
    if let (Some(known), Some(other)) = (&attempt.provider_id, &stated.provider_id)
        && known != other
    {
        return Err(Refusal::OtherMovement { known: known.clone(), other: other.clone() });
    }
    let word = OutcomeStated { refund_id: refund.id, stated: stated.clone(), by, at: now };
    let decision = Decision::default().then(refund, word);
    match &refund.state.stated {
        Some(before) if before.stated.agrees_with(&stated) => {
            if before.by.id == by.id {
                return Err(Refusal::SameWord);
            }
        }
        _ => return Ok(decision),
    }
    Ok(if stated.paid {
        let way = (attempt.route, attempt.method);
        let provider_id = stated.provider_id.or_else(|| attempt.provider_id.clone());
        decision.then(refund, succeeded(refund, request, way, provider_id, by, now))
    } else {
        decision.then(refund, Failed { refund_id: refund.id, reason: stated.note, at: now })
    })
}

impl Stated {
    /// Whether it is the same outcome. Each has words of their own for it.
    fn agrees_with(&self, other: &Self) -> bool {
        self.paid == other.paid && self.provider_id == other.provider_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::RefundId,
        payment::ProviderId,
        refund::{self, Means, Next, Status, Ways},
        reservation::CancelReason,
        spec::{
            ledgers::balance,
            story::{DEPOSIT, evening, manager, note},
            world::{No, World, Written, person},
        },
    };

    fn paid(id: &str) -> Stated {
        Stated { paid: true, provider_id: Some(ProviderId::new(id).unwrap()), note: note("seen in the portal") }
    }

    fn not_paid() -> Stated {
        Stated { paid: false, provider_id: None, note: note("nothing of it in the portal") }
    }

    /// A refund that nobody can tell anything about.
    fn unknown() -> (World, RefundId) {
        let mut world = World::new();
        let (reservation, _) = world.confirm(evening(5));
        world.cancel(reservation, CancelReason::Weather, manager()).unwrap();
        let id = world.refunds()[0].refund_id;
        world.submit(id).unwrap();
        world.with_refund(id, |it, now| refund::unknown(it, note("cut off"), now)).unwrap();
        (world, id)
    }

    fn says(world: &mut World, id: RefundId, stated: Stated, who: u128) -> Written {
        world.with_refund(id, |it, now| resolve(it, stated, person(Role::Finance, who), now))
    }

    #[test]
    fn two_people_who_say_the_same_settle_it_and_one_does_not() {
        let (mut world, id) = unknown();
        world.now += ASKED_FOR;
        says(&mut world, id, paid("pt-1"), 1).unwrap();
        assert_eq!(world.refund(id).status, Status::Unknown);
        assert_eq!(says(&mut world, id, paid("pt-1"), 1), Err(No::Refused("refund.same_word")));
        says(&mut world, id, paid("pt-1"), 2).unwrap();
        assert_eq!(world.refund(id).status, Status::Succeeded);
        assert_eq!(balance(&world, "provider:wave:clearing"), 0);
        assert_eq!(says(&mut world, id, paid("pt-1"), 3), Err(No::Refused("refund.wrong_status")));
    }

    #[test]
    fn what_was_not_paid_goes_another_way() {
        let (mut world, id) = unknown();
        world.now += ASKED_FOR;
        says(&mut world, id, not_paid(), 1).unwrap();
        says(&mut world, id, not_paid(), 2).unwrap();
        assert_eq!(world.refund(id).status, Status::Failed);
        assert_eq!(balance(&world, "refunds:payable"), -DEPOSIT, "it is owed all the same");
        let means = Means { own: Ways { whole: true, payout: true }, ..Means::default() };
        assert!(matches!(refund::next(&world.refund(id), &means), Next::Provider(_, None)));
    }

    #[test]
    fn whoever_says_otherwise_needs_somebody_who_agrees() {
        let (mut world, id) = unknown();
        world.now += ASKED_FOR;
        says(&mut world, id, paid("pt-1"), 1).unwrap();
        says(&mut world, id, not_paid(), 2).unwrap();
        assert_eq!(world.refund(id).status, Status::Unknown);
        says(&mut world, id, paid("pt-2"), 3).unwrap();
        assert_eq!(world.refund(id).status, Status::Unknown, "another movement is another word");
        says(&mut world, id, paid("pt-2"), 1).unwrap();
        assert_eq!(world.refund(id).status, Status::Succeeded);
    }

    #[test]
    fn while_the_provider_is_asked_nobody_says_it_for_them() {
        let (mut world, id) = unknown();
        world.now += ASKED_FOR - Duration::seconds(1);
        assert_eq!(says(&mut world, id, not_paid(), 1), Err(No::Refused("refund.still_asked")));
    }

    #[test]
    fn only_finance_says_it_and_under_a_name() {
        let (mut world, id) = unknown();
        world.now += ASKED_FOR;
        for role in [Role::Manager, Role::Admin, Role::Support, Role::Auditor, Role::Client] {
            let said = world.with_refund(id, |it, now| resolve(it, not_paid(), person(role, 1), now));
            assert_eq!(said, Err(No::Refused("refund.role_not_allowed")), "{role:?}");
        }
        let nameless = Actor { role: Role::Finance, id: None };
        let said = world.with_refund(id, |it, now| resolve(it, not_paid(), nameless, now));
        assert_eq!(said, Err(No::Refused("refund.name_required")));
    }

    #[test]
    fn a_word_about_one_try_says_nothing_of_the_next() {
        let (mut world, id) = unknown();
        world.now += ASKED_FOR;
        says(&mut world, id, not_paid(), 1).unwrap();
        world.with_refund(id, |it, now| refund::fail(it, note("refused after all"), now)).unwrap();
        assert_eq!(world.refund(id).stated, None);
    }
}
