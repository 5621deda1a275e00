//! A law that is never put to the test holds always: the play must get everywhere.

use std::collections::BTreeSet;

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use super::{
    super::{fining::CLIENTS, shares},
    Play, any_command,
};
use crate::{payment, refund, reservation};

#[test]
fn the_play_reaches_every_event() {
    let mut runner = TestRunner::deterministic();
    let plays = proptest::collection::vec(any_command(), 100);
    let all = [reservation::Event::TYPES, payment::Event::TYPES, refund::Event::TYPES].concat();
    let mut missing: BTreeSet<_> =
        all.iter().map(|(name, _)| *name).chain(CLIENTS).chain(shares::ENDS.iter().copied()).collect();
    for _ in 0..20_000 {
        if missing.is_empty() {
            break;
        }
        let mut play = Play::default();
        for command in plays.new_tree(&mut runner).unwrap().current() {
            let _ = play.run(command);
        }
        for name in play.world.names().into_iter().chain(shares::ends(&play.world)) {
            missing.remove(name);
        }
    }
    assert_eq!(missing, [].into());
}
