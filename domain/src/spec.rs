//! Given these events, when this is decided, then exactly these events follow: the shape of every rule test.
//!
//! ```ignore
//! given::<Site>(ID, [registered()]).when(|site| site::suspend(site, reason())).then([suspended()]);
//! ```

pub mod example;
mod fining;
mod laws;
pub mod ledgers;
mod model;
mod owed;
mod people;
mod properties;
mod refunds;
pub mod shares;
mod sharing;
mod simulation;
pub mod story;
pub mod world;

use std::fmt::Debug;

use crate::{
    aggregate::{Aggregate, Loaded},
    decision::Decision,
    event::Event,
};

/// A stream folded from its events.
#[track_caller]
pub fn given<A: Aggregate>(id: A::Id, history: impl IntoIterator<Item = impl Into<Event>>) -> Given<A> {
    Given { loaded: load(id, history) }
}

/// The same, to be passed beside the subject (a reservation is decided with its site).
#[track_caller]
pub fn load<A: Aggregate>(id: A::Id, history: impl IntoIterator<Item = impl Into<Event>>) -> Loaded<A> {
    let mut loaded = Loaded::new(id);
    for event in history {
        let event = event.into();
        let name = event.name();
        match A::select(event) {
            Some(event) => loaded.apply(event),
            None => panic!("{name} is not an event of this noun"),
        }
    }
    loaded
}

/// Folds a decision into a state, as the lane and the next load would.
#[track_caller]
pub fn apply<A: Aggregate>(loaded: &mut Loaded<A>, decision: &Decision) {
    let stream = loaded.id.into();
    for change in decision.changes.iter().filter(|change| change.stream == stream) {
        assert_eq!(change.expected, loaded.version, "decided on another version");
        for event in &change.events {
            if let Some(event) = A::select(event.clone()) {
                loaded.apply(event);
            }
        }
    }
}

pub struct Given<A: Aggregate> {
    loaded: Loaded<A>,
}

impl<A: Aggregate> Given<A> {
    pub fn when<R>(self, decide: impl FnOnce(&Loaded<A>) -> Result<Decision, R>) -> Outcome<R> {
        Outcome { result: decide(&self.loaded) }
    }
}

pub struct Outcome<R> {
    result: Result<Decision, R>,
}

impl<R: Debug + PartialEq> Outcome<R> {
    #[track_caller]
    fn decided(self) -> Decision {
        match self.result {
            Ok(decision) => decision,
            Err(refusal) => panic!("refused: {refusal:?}"),
        }
    }

    /// Exactly these events, of all streams, in this order.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = impl Into<Event>>) -> Decision {
        let decision = self.decided();
        let written: Vec<Event> = decision.changes.iter().flat_map(|change| change.events.clone()).collect();
        let expected: Vec<Event> = expected.into_iter().map(Into::into).collect();
        assert!(!expected.is_empty(), "say then_nothing() when nothing follows");
        assert_eq!(written, expected);
        decision
    }

    /// Accepted, and nothing to write: the wish is already so.
    #[track_caller]
    pub fn then_nothing(self) {
        let decision = self.decided();
        assert!(decision.is_nothing(), "something was written: {decision:?}");
    }

    /// Refused for exactly this reason.
    #[track_caller]
    pub fn then_refused(self, expected: R) {
        match self.result {
            Ok(decision) => panic!("not refused: {decision:?}"),
            Err(refusal) => assert_eq!(refusal, expected),
        }
    }
}

mod tests {
    use crate::{aggregate::Loaded, decision::Decision, event::Event, ids::SiteId, site};

    use super::given;

    #[test]
    #[should_panic(expected = "is not an event of this noun")]
    fn an_event_of_another_noun_is_a_mistake_in_the_test() {
        let revoked = crate::key::Revoked {
            key_id: uuid::Uuid::nil().into(),
            by: crate::actor::Actor::SYSTEM,
            at: chrono::DateTime::UNIX_EPOCH,
        };
        let _ = given::<site::Site>(SiteId::new(uuid::Uuid::nil()), [Event::from(revoked)]);
    }

    #[test]
    #[should_panic(expected = "not refused")]
    fn an_accepted_decision_is_not_a_refusal() {
        let nothing = |_: &Loaded<site::Site>| Ok::<_, u8>(Decision::nothing());
        given::<site::Site>(SiteId::new(uuid::Uuid::nil()), [] as [Event; 0]).when(nothing).then_refused(1);
    }
}
