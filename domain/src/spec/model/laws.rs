//! The table of what must hold: the specification that the tests of the code follow. `docs/model.md` is written from it.

use super::{Booking, checks, state::State};
use crate::{
    event::Event,
    payment,
    refund::{self, Reason, Route},
    reservation::{self, Status},
};

/// One property.
pub(super) struct Law {
    pub(super) id: &'static str,
    pub(super) says: &'static str,
    pub(super) holds: fn(&Booking, &State) -> bool,
    /// The tests of the code that follow it: of `domain/src` and `tests/it`.
    pub(super) tests: &'static [&'static str],
}

/// Must be true in every state that can be reached.
pub(super) const LAWS: &[Law] = &[
    Law {
        id: "one_holder",
        says: "The slot never has two holders, and a confirmed reservation has its cells.",
        holds: checks::one_holder,
        tests: &[
            "never_again_a_slot_whose_deposit_is_paid_is_sold_again",
            "row_3_hold_expired_cells_taken_refunds_at_once",
            "of_1000_clients_on_one_slot_one_wins",
        ],
    },
    Law {
        id: "confirmed_with_deposit",
        says: "A reservation is confirmed only when at least the deposit was received for it.",
        holds: checks::confirmed_with_deposit,
        tests: &["row_1_hold_alive_confirms", "never_again_a_manual_confirm_has_no_money_record"],
    },
    Law {
        id: "short_never_confirms",
        says: "While the provider has charged less than the deposit, nothing is confirmed, whatever anybody says.",
        holds: checks::short_never_confirms,
        tests: &[
            "row_4_underpayment_never_confirms_and_the_rest_can_follow",
            "row_4_an_underpayment_goes_back_when_the_hold_ends",
            "one_franc_too_little_does_not_confirm_and_goes_back_when_the_hold_ends",
        ],
    },
    Law {
        id: "each_franc_has_a_place",
        says: "What was captured is the reservation's, the client's credit or allotted to refunds: nothing else, nothing twice.",
        holds: checks::each_franc_has_a_place,
        tests: &[
            "whatever_everybody_does_the_books_are_right",
            "row_4_overpayment_is_allocated_as_far_as_it_fits_and_the_rest_is_credit",
        ],
    },
    Law {
        id: "no_charge_is_lost",
        says: "Once nothing is under way, every charge of the provider has landed.",
        holds: checks::no_charge_is_lost,
        tests: &[
            "a_webhook_that_never_comes_is_not_missed",
            "a_success_after_a_failure_is_still_money",
            "a_webhook_delayed_past_the_end_of_the_hold_gives_the_money_back_when_the_cells_are_taken",
        ],
    },
    Law {
        id: "one_key_a_payment",
        says: "A payment is opened under one key; not again while nobody has asked what became of the first; one address is told.",
        holds: checks::one_key_a_payment,
        tests: &[
            "a_worker_that_dies_between_the_call_and_the_record_charges_nobody_twice",
            "a_checkout_whose_answer_is_lost_is_found_again",
        ],
    },
    Law {
        id: "lands_once",
        says: "A charge lands once, however often and by whatever way it is told.",
        holds: checks::lands_once,
        tests: &[
            "never_again_a_webhook_delivered_again_moves_money_again",
            "never_again_one_transaction_pays_two_payments",
            "a_webhook_that_comes_after_the_money_was_found_is_a_duplicate",
        ],
    },
    Law {
        id: "only_what_the_provider_knows",
        says: "What lands is a charge of the provider, to the franc and for that payment; a message that is refused changes nothing.",
        holds: checks::only_what_the_provider_knows,
        tests: &["never_again_the_amount_of_a_webhook_is_unchecked", "other_money_is_no_state_change"],
    },
    Law {
        id: "success_stays",
        says: "No failure and no end that comes late undoes a success.",
        holds: checks::success_stays,
        tests: &[
            "a_failure_that_arrives_after_the_success_changes_nothing",
            "never_again_a_balance_failure_cancels_the_booking",
        ],
    },
    Law {
        id: "ended_means_ended",
        says: "A checkout that we consider ended cannot be paid, unless its provider cannot close it: then it is asked about on.",
        holds: checks::ended_means_ended,
        tests: &["an_unpaid_hold_ends_after_its_checkout_is_closed"],
    },
    Law {
        id: "closed_before_freed",
        says: "Until two minutes after its end a hold is not ended while a checkout of it may be paid.",
        holds: checks::closed_before_freed,
        tests: &[
            "a_hold_is_not_ended_on_old_news_of_its_checkout",
            "row_7_unknown_keeps_the_cells_to_the_grace_and_no_longer",
            "a_checkout_that_failed_leaves_the_other_one_its_grace",
        ],
    },
    Law {
        id: "holds_end",
        says: "Two minutes after its end a hold that was not paid blocks nobody.",
        holds: checks::holds_end,
        tests: &["never_again_holds_never_expire", "a_checkout_that_ends_gives_the_cells_back_at_the_end_of_the_hold"],
    },
    Law {
        id: "revived_only_by_late_money",
        says: "A reservation that ended lives again only when its hold had expired and late money finds the cells free.",
        holds: checks::revived_only_by_late_money,
        tests: &[
            "row_2_hold_expired_cells_free_claims_again_and_confirms_late_at_the_quoted_price",
            "never_again_a_late_success_revives_a_cancelled_booking_by_itself",
        ],
    },
    Law {
        id: "second_success_goes_back_once",
        says: "A second success for the same thing goes back whole, in one refund.",
        holds: checks::second_success_goes_back_once,
        tests: &[
            "row_5_second_success_of_the_same_checkout_is_refunded",
            "row_5_second_success_of_another_checkout_is_refunded",
            "a_second_payment_for_the_same_deposit_goes_back",
        ],
    },
    Law {
        id: "cancelled_by_the_policy",
        says: "Of a reservation that the client called off, the policy of the day it was made says what is kept, whenever the money came.",
        holds: checks::cancelled_by_the_policy,
        tests: &[
            "row_6_success_after_an_early_cancellation_goes_back_whole",
            "row_6_success_after_a_late_cancellation_keeps_the_deposit_and_gives_the_rest_back",
            "money_after_the_client_cancelled_follows_the_policy",
        ],
    },
    Law {
        id: "refunds_within_captured",
        says: "Never more goes back than came, of any transaction in our log, and of any payment in the provider's ledger.",
        holds: checks::refunds_within_captured,
        tests: &["never_again_a_refund_twice", "two_managers_cannot_both_refund_the_same_money"],
    },
    Law {
        id: "refunded_once",
        says: "A refund is paid once: one movement at the provider, or one credit, of its amount.",
        holds: checks::refunded_once,
        tests: &["a_whole_refund_without_an_answer_is_made_once", "cancelling_twice_refunds_once"],
    },
    Law {
        id: "unknown_keeps_its_key",
        says: "A refund has a new key only after its provider refused it or took it back; never while its outcome is unknown.",
        holds: checks::unknown_keeps_its_key,
        tests: &[
            "the_key_stays_the_same_until_the_outcome_is_known",
            "a_payout_without_an_answer_is_asked_about_and_never_sent_twice",
        ],
    },
    Law {
        id: "ledger_is_balanced",
        says: "Every event enters the ledger, and leaves its sum at nothing.",
        holds: checks::ledger_is_balanced,
        tests: &["whatever_everybody_does_the_books_are_right", "an_entry_that_is_not_balanced_is_none"],
    },
    Law {
        id: "ledgers_agree",
        says: "Once nothing is under way, our clearing account holds what the provider's own ledger holds.",
        holds: checks::ledgers_agree,
        tests: &["a_second_success_is_owed_until_it_is_paid_back", "a_reversed_refund_is_owed_again"],
    },
    Law {
        id: "quiet_is_settled",
        says: "Once nothing is under way, payments are final, refunds are paid or a person hands them out, and nothing is held.",
        holds: checks::quiet_is_settled,
        tests: &[
            "a_failed_refund_goes_the_same_way_again_then_another_then_credit",
            "a_refused_payout_is_tried_once_more_then_kept_as_credit",
        ],
    },
];

/// Must come about on every way, however it goes, when what breaks stops breaking.
pub(super) const COMES_TO_REST: &str = "comes_to_rest";

pub(super) fn rests(model: &Booking, state: &State) -> bool {
    checks::is_quiet(model, state) && checks::is_settled(state)
}

type Sight = (&'static str, fn(&Booking, &State) -> bool);

fn happened(state: &State, is: fn(&Event) -> bool) -> bool {
    state.lane.world.log.iter().any(|(_, event)| is(event))
}

fn refunded(state: &State, is: fn(&refund::Requested) -> bool) -> bool {
    state.lane.refunds.iter().any(|refund| refund.state.request.as_ref().is_some_and(is))
}

/// What a search must have come by, or its laws were never put to the test.
pub(super) const SIGHTS: &[Sight] = &[
    ("is confirmed", |_, state| state.lane.reservation.state.status == Status::Confirmed),
    ("is confirmed late", |_, state| {
        happened(
            state,
            |event| matches!(event, Event::Reservation(reservation::Event::Confirmed(confirmed)) if confirmed.reclaims.is_some()),
        )
    }),
    ("expires", |_, state| state.lane.reservation.state.status == Status::Expired),
    ("is cancelled", |_, state| state.lane.reservation.state.status == Status::Cancelled),
    ("keeps a deposit after the end", |_, state| {
        let reservation = &state.lane.reservation.state;
        reservation.status == Status::Cancelled && reservation.held_money().is_positive()
    }),
    ("goes back for a lost slot", |_, state| refunded(state, |asked| asked.reason == Reason::Orphaned)),
    ("goes back for too little", |_, state| refunded(state, |asked| asked.reason == Reason::Underpayment)),
    ("goes back for a second success", |_, state| refunded(state, |asked| asked.reason == Reason::Duplicate)),
    ("goes back for a cancellation", |_, state| refunded(state, |asked| asked.reason == Reason::Cancellation)),
    ("becomes credit", |_, state| happened(state, |event| matches!(event, Event::Client(_)))),
    ("a payment is unknown", |_, state| {
        state.lane.payments.iter().any(|payment| payment.state.status == payment::Status::Unknown)
    }),
    ("a payment fails", |_, state| {
        state.lane.payments.iter().any(|payment| payment.state.status == payment::Status::Failed)
    }),
    ("a refund is unknown", |_, state| {
        state.lane.refunds.iter().any(|refund| refund.state.status == refund::Status::Unknown)
    }),
    ("a refund is reversed", |_, state| {
        state.lane.refunds.iter().any(|refund| refund.state.status == refund::Status::Reversed)
    }),
    ("a refund is paid out", |_, state| {
        let paid = |refund: &crate::aggregate::Loaded<refund::Refund>| {
            let payout = refund.state.attempt.as_ref().is_some_and(|attempt| attempt.route == Route::Payout);
            payout && refund.state.status == refund::Status::Succeeded
        };
        state.lane.refunds.iter().any(paid)
    }),
    ("two checkouts under one reference", |_, state| {
        let checkouts = &state.provider.checkouts;
        checkouts.iter().enumerate().any(|(nth, one)| checkouts[..nth].iter().any(|other| other.key == one.key))
    }),
];
