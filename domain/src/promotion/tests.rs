//! The budget of a code in every order of things: nobody gets more of it than there is.

use chrono::{Duration, Weekday};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    actor::{Actor, Role},
    aggregate::Loaded,
    contract::Contract,
    decision::Read,
    ids::{ClientId, PaymentId, PromotionId, ReservationId},
    interval::Interval,
    money::{Currency, Money},
    payment::{Method, Payment, Row},
    policy::{BasisPoints, Policy},
    quote::Price,
    refusal::Refused,
    reservation::{CancelReason, Channel, Code, Pays, Place, Purpose, Reservation, Status},
    site::Format,
    spec::{
        story::{TOTAL, client, evening, manager, price, slot},
        world::{CLIENT, No, SITE, World, person},
    },
    text::Text,
};

fn terms() -> Terms {
    let now = World::new().now;
    Terms {
        code: PromoCode::new("match-10").unwrap(),
        currency: Currency::Xof,
        reduction: Reduction::Percent { basis_points: BasisPoints(1_000) },
        minimum_total: None,
        valid: Interval::new(now, now + Duration::days(30)).unwrap(),
        formats: Vec::new(),
        days: Vec::new(),
        budget: None,
        uses: None,
        uses_per_client: None,
    }
}

fn fit() -> Fit {
    Fit { site_id: SITE, format: Text::new("5x5").unwrap(), day: Weekday::Wed }
}

fn created(world: &mut World, terms: Terms) -> PromotionId {
    let new = Loaded::<Promotion>::new(world.id().into());
    let decision = create(&new, Create { site_id: Some(SITE), terms }, manager(), world.now);
    assert_eq!(world.write(decision), Ok(vec!["promotion.created"]));
    new.id
}

impl World {
    fn promotion(&self, id: PromotionId) -> Loaded<Promotion> {
        self.load(id)
    }

    fn quoted(&self, id: PromotionId, total: i64) -> Result<Price, &'static str> {
        let (promotion, price) = (self.promotion(id), price(evening(2), total, total));
        let redeem = Redeem {
            promotion: &promotion,
            fit: &fit(),
            price: &price,
            policy: &Policy::default(),
            client_id: Some(CLIENT),
            now: self.now,
        };
        redeem.quote().map_err(|refusal| refusal.code())
    }

    fn ends(&mut self, id: PromotionId, reservation: ReservationId) -> Vec<&'static str> {
        let decision = release(&self.promotion(id), &self.load(reservation), self.now);
        self.write(decision).unwrap()
    }
}

#[test]
fn a_code_is_read_in_capitals() {
    for (raw, code) in
        [("tabaski-10", Some("TABASKI-10")), (" Noël", None), ("ab", None), ("-abc", None), ("été", None)]
    {
        assert_eq!(PromoCode::new(raw).ok().as_ref().map(PromoCode::as_str), code, "{raw}");
    }
    assert!(PromoCode::new(&"A".repeat(33)).is_err());
}

#[test]
fn what_is_taken_off_is_rounded_down_and_the_deposit_is_of_the_rest() {
    let mut world = World::new();
    let tenth = created(&mut world, terms());
    let price = world.quoted(tenth, 39_999).unwrap();
    assert_eq!((price.total, price.discounts[0].amount), (Money::xof(36_000), Money::xof(-3_999)));
    // 30 % of 36 000.
    assert_eq!(price.deposit, Money::xof(10_800));
    assert_eq!(price.discounts[0].promotion_version, 1);
    assert_eq!(price.undiscounted(&Policy::default()).unwrap().total, Money::xof(39_999));
    let reduction = Reduction::Fixed { amount: Money::xof(50_000) };
    let code = PromoCode::new("ALL").unwrap();
    let all = created(&mut world, Terms { reduction, code, ..terms() });
    let price = world.quoted(all, 40_000).unwrap();
    assert_eq!((price.total, price.deposit), (Money::xof(0), Money::xof(0)), "never below nothing");
}

#[test]
fn a_code_counts_where_when_and_for_what_it_says() {
    let mut world = World::new();
    let formats: Vec<Format> = vec![Text::new("8x8").unwrap()];
    let least = Some(Money::xof(30_000));
    let codes = |word: &str| PromoCode::new(word).unwrap();
    let eight = created(&mut world, Terms { formats, code: codes("EIGHT"), ..terms() });
    assert_eq!(world.quoted(eight, TOTAL), Err("promotion.other_format"));
    let monday = created(&mut world, Terms { days: vec![Weekday::Mon], code: codes("MONDAY"), ..terms() });
    assert_eq!(world.quoted(monday, TOTAL), Err("promotion.other_day"));
    let dear = created(&mut world, Terms { minimum_total: least, code: codes("DEAR"), ..terms() });
    assert_eq!(world.quoted(dear, 29_999), Err("promotion.below_minimum"));
    assert!(world.quoted(dear, 30_000).is_ok());
    // Ended, not valid yet or any more, unknown: all the same.
    world.now += Duration::days(30);
    assert_eq!(world.quoted(dear, TOTAL), Err("promotion.invalid"));
    world.now -= Duration::days(29);
    let ending = end(&world.promotion(dear), None, manager(), world.now);
    assert_eq!(world.write(ending), Ok(vec!["promotion.ended"]));
    assert_eq!(world.quoted(dear, TOTAL), Err("promotion.invalid"));
    assert_eq!(world.quoted(PromotionId::new(Uuid::nil()), TOTAL), Err("promotion.invalid"));
    let again = end(&world.promotion(dear), None, manager(), world.now);
    assert_eq!(world.write(again), Ok(vec![]));
    // The word is free again.
    created(&mut world, Terms { code: codes("DEAR"), ..terms() });
    let new = Loaded::<Promotion>::new(world.id().into());
    let twice = create(&new, Create { site_id: Some(SITE), terms: terms() }, manager(), world.now);
    world.write(twice.clone()).unwrap();
    let other = Loaded::<Promotion>::new(world.id().into());
    let twice = create(&other, Create { site_id: Some(SITE), terms: terms() }, manager(), world.now);
    assert_eq!(world.write(twice), Err(No::NotUnique));
}

#[test]
fn a_site_gives_what_is_its_own_and_finance_what_is_the_platforms() {
    let world = World::new();
    let new = Loaded::<Promotion>::new(PromotionId::new(Uuid::from_u128(1)));
    let may = |site_id, budget, by: Actor| {
        let wanted = Create { site_id, terms: Terms { budget, ..terms() } };
        create(&new, wanted, by, world.now).map(|_| ()).map_err(|refusal| refusal.code())
    };
    let some = Some(Money::xof(100_000));
    assert_eq!(may(None, some, person(Role::Finance, 1)), Ok(()));
    assert_eq!(may(None, None, person(Role::Finance, 1)), Err("promotion.out_of_range"));
    assert_eq!(may(Some(SITE), None, manager()), Ok(()));
    for role in [Role::Admin, Role::Client, Role::Cashier, Role::Support, Role::Auditor, Role::Manager] {
        assert_eq!(may(None, some, person(role, 1)), Err("promotion.role_not_allowed"), "{role:?}");
    }
    assert_eq!(may(Some(SITE), None, person(Role::Finance, 1)), Err("promotion.role_not_allowed"));
    assert_eq!(may(Some(SITE), None, Actor::SYSTEM), Err("promotion.role_not_allowed"));
    for wrong in [
        Terms { reduction: Reduction::Percent { basis_points: BasisPoints(0) }, ..terms() },
        Terms { reduction: Reduction::Percent { basis_points: BasisPoints(10_001) }, ..terms() },
        Terms { reduction: Reduction::Fixed { amount: Money::xof(0) }, ..terms() },
        Terms { budget: Some(Money::new(5, Currency::Eur)), ..terms() },
        Terms { uses: Some(0), ..terms() },
        Terms { uses_per_client: Some(0), ..terms() },
        Terms { minimum_total: Some(Money::xof(-1)), ..terms() },
    ] {
        let refused = create(&new, Create { site_id: Some(SITE), terms: wrong }, manager(), world.now);
        assert_eq!(refused.unwrap_err().code(), "promotion.out_of_range");
    }
}

#[test]
fn late_money_takes_the_discount_again_or_goes_back() {
    for taken_meanwhile in [false, true] {
        let mut world = World::new();
        let id = created(&mut world, Terms { uses: Some(1), ..terms() });
        let (first, payment) = world.hold_with(id, evening(2)).unwrap();
        world.pass(30);
        world.expire(first, &[payment]).unwrap();
        assert_eq!(world.ends(id, first), ["promotion.released"]);
        assert!(world.ends(id, first).is_empty(), "once");
        if taken_meanwhile {
            world.hold_with(id, evening(3)).unwrap();
        }
        let row = world.land(payment, "T1", world.reservation(first).deposit_due().amount).unwrap();
        let state = world.promotion(id).state;
        assert_eq!(state.uses(), 1);
        assert_eq!(row, if taken_meanwhile { Row::Orphaned } else { Row::ConfirmedLate });
        assert_eq!(state.redemptions.contains_key(&first), !taken_meanwhile);
    }
}

#[test]
fn what_is_called_off_with_everything_back_gives_its_part_back() {
    let mut world = World::new();
    let id = created(&mut world, Terms { uses: Some(1), ..terms() });
    let (first, payment) = world.hold_with(id, evening(2)).unwrap();
    assert_eq!(world.hold_with(id, evening(3)), Err(No::Refused("promotion.exhausted")));
    assert!(world.ends(id, first).is_empty(), "while it is held");
    world.land(payment, "T1", world.reservation(first).deposit_due().amount).unwrap();
    assert!(world.ends(id, first).is_empty(), "while it is confirmed");
    world.cancel(first, CancelReason::Client, client()).unwrap();
    assert_eq!(world.ends(id, first), ["promotion.released"]);
    // Too late: the deposit is kept, and so is the discount.
    let (second, payment) = world.hold_with(id, evening(2)).unwrap();
    world.land(payment, "T2", world.reservation(second).deposit_due().amount).unwrap();
    world.now = evening(2) - Duration::hours(1);
    world.cancel(second, CancelReason::Client, client()).unwrap();
    assert_eq!(world.reservation(second).status, Status::Cancelled);
    assert!(world.ends(id, second).is_empty());
}

/// Whatever is done with a code.
#[derive(Clone, Debug)]
enum Step {
    Hold { client: u8, total: i64 },
    Give { nth: usize },
    Late { nth: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u8..4, 1_000_i64..60_000).prop_map(|(client, total)| Step::Hold { client, total }),
        2 => (0_usize..40).prop_map(|nth| Step::Give { nth }),
        1 => (0_usize..40).prop_map(|nth| Step::Late { nth }),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    /// In any order of redeeming and giving back: never more than the budget, never more uses, never more of one client, and
    /// what it says it gave is what stands.
    #[test]
    fn the_budget_is_never_exceeded(
        steps in steps(), budget in prop::option::of(1_i64..40_000), uses in prop::option::of(1_u32..8),
        each in prop::option::of(1_u32..4), points in 1_u16..=10_000,
    ) {
        let mut world = World::new();
        let reduction = Reduction::Percent { basis_points: BasisPoints(points) };
        let budget = budget.map(Money::xof);
        let id = created(&mut world, Terms { reduction, budget, uses, uses_per_client: each, ..terms() });
        let mut placed: Vec<(ReservationId, ClientId, Money)> = Vec::new();
        for step in steps {
            let promotion = world.promotion(id);
            match step {
                Step::Hold { client, total } => {
                    let client_id = ClientId::new(Uuid::from_u128(u128::from(client) + 1));
                    let price = price(evening(2), total, total);
                    let redeem = Redeem {
                        promotion: &promotion, fit: &fit(), price: &price, policy: &Policy::default(),
                        client_id: Some(client_id), now: world.now,
                    };
                    let reservation = ReservationId::new(world.id());
                    if let Ok((reduced, decision)) = redeem.decide(reservation) {
                        let off = price.total.minus(reduced.total).unwrap();
                        prop_assert!(reduced.total.amount >= 0 && reduced.deposit.amount <= reduced.total.amount);
                        // Decided on what has moved meanwhile: not written.
                        world.append(&decision).unwrap();
                        if !off.is_zero() {
                            prop_assert_eq!(world.append(&decision), Err(No::Conflict));
                        }
                        placed.push((reservation, client_id, off));
                    }
                }
                Step::Give { nth } => {
                    let Some((reservation, ..)) = placed.get(nth) else { continue };
                    let mut ended = Loaded::<Reservation>::new(*reservation);
                    ended.state.status = Status::Expired;
                    world.append(&release(&promotion, &ended, world.now).unwrap()).unwrap();
                }
                Step::Late { nth } => {
                    let Some((reservation, client_id, off)) = placed.get(nth).copied() else { continue };
                    if let Some(decision) = stands(&promotion, reservation, SITE, Some(client_id), off, world.now).unwrap() {
                        world.append(&decision).unwrap();
                    }
                }
            }
            let state = world.promotion(id).state;
            let given: i64 = state.redemptions.values().map(|redemption| redemption.discount.amount).sum();
            prop_assert_eq!(state.given(), Some(Money::xof(given)));
            prop_assert!(budget.is_none_or(|budget| given <= budget.amount));
            prop_assert!(uses.is_none_or(|most| state.uses() <= most));
            for client in 1..=4 {
                let client_id = ClientId::new(Uuid::from_u128(client));
                let of = state.redemptions.values().filter(|redemption| redemption.client_id == Some(client_id)).count();
                prop_assert_eq!(of, state.uses_of(client_id) as usize);
                prop_assert!(each.is_none_or(|most| of <= most as usize));
            }
        }
    }
}

impl World {
    /// Held online with the code, a Wave checkout open for the deposit.
    fn hold_with(&mut self, id: PromotionId, from: crate::Timestamp) -> Result<(ReservationId, PaymentId), No> {
        let promotion = self.promotion(id);
        let reservation = Loaded::<Reservation>::new(self.id().into());
        let payment = Loaded::<Payment>::new(self.id().into());
        let (policy, full) = (Policy::default(), price(from, TOTAL, TOTAL));
        let redeem = Redeem {
            promotion: &promotion,
            fit: &fit(),
            price: &full,
            policy: &policy,
            client_id: Some(CLIENT),
            now: self.now,
        };
        let (price, redeemed) = redeem.decide(reservation.id).map_err(|refusal| No::Refused(refusal.code()))?;
        let number = u64::try_from(reservation.id.uuid().as_u128() % 800_000_000).unwrap();
        let place = Place {
            reservation: &reservation,
            slot: slot(from),
            price,
            policy: policy.clone(),
            contract: Contract::default(),
            site: Read { stream: SITE.into(), version: 7 },
            client_id: Some(CLIENT),
            channel: Channel::Online,
            code: Code::of(number),
            pays: Pays::Online { payment: &payment, method: Method::Wave, purpose: Purpose::Deposit },
            by: client(),
            now: self.now,
        };
        self.append(&place.decide().unwrap().and(redeemed))?;
        self.open(payment.id).unwrap();
        Ok((reservation.id, payment.id))
    }
}
