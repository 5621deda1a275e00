//! Whoever gives a command, allowed or not.

use proptest::prelude::*;

use super::{story::manager, world::person};
use crate::actor::{Actor, Role};

#[derive(Clone, Copy, Debug)]
pub(super) enum Person {
    Client,
    Manager,
    Cashier,
    Finance,
    Gatekeeper,
}

impl Person {
    pub(super) fn actor(self) -> Actor {
        match self {
            Self::Client => super::story::client(),
            Self::Manager => manager(),
            Self::Cashier => person(Role::Cashier, 2),
            Self::Finance => person(Role::Finance, 3),
            Self::Gatekeeper => person(Role::Gatekeeper, 4),
        }
    }
}

pub(super) fn any_person() -> impl Strategy<Value = Person> {
    prop_oneof![
        2 => Just(Person::Client),
        4 => Just(Person::Manager),
        1 => Just(Person::Cashier),
        4 => Just(Person::Finance),
        1 => Just(Person::Gatekeeper),
    ]
}
