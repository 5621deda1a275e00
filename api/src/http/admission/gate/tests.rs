//! What the gate does with one crowd after the other.

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_000_000;

fn ticket(arrival: Arrival) -> u64 {
    match arrival {
        Arrival::Waits { ticket, .. } => ticket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_matters_most_has_places_left_when_the_rest_has_none() {
    let mut gate = Gate::default();
    let mut let_in = [0; CLASSES];
    for class in Class::ALL {
        while gate.arrive(class, 40, NOW) == Arrival::In {
            let_in[class.index()] += 1;
        }
    }
    assert_eq!(let_in, [20, 4, 6, 4, 2, 2, 2]);
    // A place is free: not for those below, who came first.
    gate.leave();
    let next = gate.next(40, NOW).unwrap();
    assert_eq!(gate.waiting[Class::Confirm.index()].len(), 0);
    assert_eq!((next, gate.next(40, NOW), gate.in_hand()), (6, None, 40));
}

#[test]
fn the_oldest_goes_first_until_half_of_the_queue_and_then_the_newest() {
    let mut gate = Gate::default();
    assert_eq!(gate.arrive(Class::Confirm, 1, NOW), Arrival::In);
    let tickets: Vec<u64> = (0..600).map(|_| ticket(gate.arrive(Class::Confirm, 1, NOW))).collect();
    let mut went = Vec::new();
    for _ in 0..200 {
        gate.leave();
        went.push(gate.next(1, NOW).unwrap());
    }
    let newest: Vec<u64> = tickets.iter().rev().take(88).copied().collect();
    assert_eq!(went[..88], newest);
    assert_eq!(went[88..], tickets[..112]);
}

#[test]
fn a_full_queue_sends_away_the_lowest_and_nobody_for_the_lowest() {
    let mut gate = Gate::default();
    assert_eq!(gate.arrive(Class::Confirm, 1, NOW), Arrival::In);
    let first = ticket(gate.arrive(Class::Search, 1, NOW));
    while gate.waiting() < MOST_WAITING {
        ticket(gate.arrive(Class::Hold, 1, NOW));
    }
    assert_eq!(gate.arrive(Class::Search, 1, NOW), Arrival::Refused);
    let instead = |arrival| match arrival {
        Arrival::Waits { instead_of, .. } => instead_of,
        other => panic!("{other:?}"),
    };
    assert_eq!(instead(gate.arrive(Class::Hold, 1, NOW)), Some(first));
    assert_eq!(gate.arrive(Class::Hold, 1, NOW), Arrival::Refused);
    assert_eq!(instead(gate.arrive(Class::CheckIn, 1, NOW)), Some(first + 1));
    assert_eq!(gate.waiting(), MOST_WAITING);
}

#[test]
fn while_there_is_no_end_in_sight_few_wait_and_not_for_long() {
    let mut gate = Gate::default();
    let places = 12;
    while gate.arrive(Class::Confirm, places, NOW) == Arrival::In {}
    let patience = |arrival| match arrival {
        Arrival::Waits { patience, .. } => patience,
        other => panic!("{other:?}"),
    };
    assert_eq!(patience(gate.arrive(Class::Confirm, places, NOW + LONGEST_WAIT)), LONGEST_WAIT);
    let later = NOW + LONGEST_WAIT + 1;
    assert_eq!(patience(gate.arrive(Class::Confirm, places, later)), SHORT_WAIT);
    while gate.arrive(Class::Confirm, places, later) != Arrival::Refused {}
    assert_eq!(gate.waiting(), 3);
    // That nobody waits for a moment changes nothing, nor that few are sent away while it is looked at.
    for _ in 0..3 {
        gate.leave();
        assert!(gate.next(places, later).is_some());
    }
    assert_eq!((gate.waiting(), gate.next(places, later)), (0, None));
    let now = later + LONGEST_WAIT + 1;
    assert_eq!(patience(gate.arrive(Class::Confirm, places, now)), SHORT_WAIT);
    gate.leave();
    assert!(gate.next(places, now).is_some());
    for _ in 0..10 {
        gate.leave();
        assert_eq!(gate.arrive(Class::Confirm, places, now), Arrival::In);
    }
    assert_eq!(patience(gate.arrive(Class::Confirm, places, now + LONGEST_WAIT + 1)), LONGEST_WAIT);
}

#[test]
fn who_gave_up_is_not_let_in_and_cannot_give_up_again() {
    let mut gate = Gate::default();
    assert_eq!(gate.arrive(Class::Hold, 1, NOW), Arrival::In);
    let (one, two) = (ticket(gate.arrive(Class::Hold, 1, NOW)), ticket(gate.arrive(Class::Hold, 1, NOW)));
    assert!(gate.give_up(Class::Hold, one, NOW) && !gate.give_up(Class::Hold, one, NOW));
    assert!(!gate.give_up(Class::Search, two, NOW));
    gate.leave();
    assert_eq!((gate.next(1, NOW), gate.next(1, NOW)), (Some(two), None));
    assert!(!gate.give_up(Class::Hold, two, NOW));
}

/// What happens at a gate.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Arrives(Class),
    Leaves,
    StandsAside,
    ComesBack,
    GivesUp(usize),
    Places(usize),
    Passes(u64),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        8 => (0..CLASSES).prop_map(|class| Happens::Arrives(Class::ALL[class])),
        4 => Just(Happens::Leaves),
        1 => Just(Happens::StandsAside),
        1 => Just(Happens::ComesBack),
        2 => (0_usize..50).prop_map(Happens::GivesUp),
        1 => (1_usize..40).prop_map(Happens::Places),
        2 => (0_u64..60_000).prop_map(Happens::Passes),
    ]
}

/// A gate beside what must be true of it.
#[derive(Default)]
struct Beside {
    gate: Gate,
    /// Who waits, in the order in which they came.
    waiting: Vec<(Class, u64)>,
    in_hand: usize,
    aside: usize,
}

impl Beside {
    fn arrives(&mut self, class: Class, places: usize, now: u64) {
        let room = self.in_hand < class.places(places);
        match self.gate.arrive(class, places, now) {
            Arrival::In => {
                assert!(room, "there was no place for {class:?}");
                self.in_hand += 1;
            }
            Arrival::Waits { ticket, patience, instead_of } => {
                assert!(!room && patience <= LONGEST_WAIT, "{class:?} waits for nothing");
                if let Some(gone) = instead_of {
                    let at = self.waiting.iter().position(|(_, waits)| *waits == gone).unwrap();
                    assert!(self.waiting.remove(at).0 < class, "the higher went for {class:?}");
                }
                self.waiting.push((class, ticket));
            }
            Arrival::Refused => {
                assert!(!room && !self.waiting.is_empty());
                assert!(self.waiting.iter().all(|(waits, _)| *waits >= class), "a lower one waits on");
            }
        }
    }

    fn let_in(&mut self, places: usize, now: u64) {
        while let Some(ticket) = self.gate.next(places, now) {
            let at = self.waiting.iter().position(|(_, waits)| *waits == ticket).unwrap();
            let (class, _) = self.waiting.remove(at);
            assert!(self.in_hand < class.places(places), "{class:?} beyond its places");
            assert!(self.waiting.iter().all(|(waits, _)| *waits <= class), "{class:?} before a higher one");
            self.in_hand += 1;
        }
        for (class, _) in &self.waiting {
            assert!(self.in_hand >= class.places(places), "{class:?} waits beside a free place");
        }
    }
}

proptest! {
    #[test]
    fn places_go_to_whom_they_are_for_and_nobody_is_lost(all in prop::collection::vec(happens(), 0..600)) {
        let (mut beside, mut places, mut now) = (Beside::default(), 10, NOW);
        for one in all {
            match one {
                Happens::Arrives(class) => beside.arrives(class, places, now),
                Happens::Leaves | Happens::StandsAside if beside.in_hand > 0 => {
                    beside.in_hand -= 1;
                    beside.aside += usize::from(matches!(one, Happens::StandsAside));
                    beside.gate.leave();
                }
                Happens::ComesBack if beside.aside > 0 => {
                    (beside.aside, beside.in_hand) = (beside.aside - 1, beside.in_hand + 1);
                    beside.gate.come_back();
                }
                Happens::GivesUp(at) if at < beside.waiting.len() => {
                    let (class, ticket) = beside.waiting.remove(at);
                    prop_assert!(beside.gate.give_up(class, ticket, now));
                }
                Happens::Places(number) => places = number,
                Happens::Passes(time) => now += time,
                _ => {}
            }
            beside.let_in(places, now);
            prop_assert_eq!((beside.gate.in_hand(), beside.gate.waiting()), (beside.in_hand, beside.waiting.len()));
        }
    }
}

proptest! {
    /// The door refuses whoever the gate would, and nobody else; what becomes of those after them is the same.
    #[test]
    fn at_the_door_it_is_as_it_is_behind_it(
        places in 1_usize..12,
        story in prop::collection::vec((0..CLASSES + 2, 0_u64..60_000), 1..400),
    ) {
        let (mut gate, mut doored) = (Gate::default(), Gate::default());
        let mut now = NOW;
        for (what, later) in story {
            now += later;
            let Some(class) = Class::ALL.get(what) else {
                if what == CLASSES {
                    gate.leave();
                    doored.leave();
                }
                prop_assert_eq!(gate.next(places, now), doored.next(places, now));
                continue;
            };
            let arrival = gate.arrive(*class, places, now);
            let away = doored.turns_away(*class, places, now);
            prop_assert_eq!(away, arrival == Arrival::Refused);
            if !away {
                prop_assert_eq!(doored.arrive(*class, places, now), arrival);
            }
            prop_assert_eq!(format!("{gate:?}"), format!("{doored:?}"));
        }
    }
}
