//! What a hold took of the budget of a code comes back when it ends, by the workers, once.

use chrono::{TimeDelta, Weekday};
use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    ids::{PaymentId, PromotionId, ReservationId},
    interval::Interval,
    money::Currency,
    policy::{BasisPoints, Policy},
    promotion::{self, Create, Fit, PromoCode, Promotion, Redeem, Reduction, Terms},
    reservation::{Channel, Reservation},
    text::Text,
};

use super::bench::Bench;

async fn code(bench: &Bench) -> PromotionId {
    let clock = bench.store.clock();
    let new = Loaded::<Promotion>::new(PromotionId::new(clock.new_id()));
    let terms = Terms {
        code: PromoCode::new("UNE-FOIS").unwrap(),
        currency: Currency::Xof,
        reduction: Reduction::Percent { basis_points: BasisPoints(2_000) },
        minimum_total: None,
        valid: Interval::new(clock.now(), clock.now() + TimeDelta::days(30)).unwrap(),
        formats: Vec::new(),
        days: Vec::new(),
        budget: None,
        uses: Some(1),
        uses_per_client: None,
    };
    let manager = Actor::new(Role::Manager, bench.site.uuid().into());
    let created = promotion::create(&new, Create { site_id: Some(bench.site), terms }, manager, clock.now()).unwrap();
    bench.append(created).await.unwrap();
    new.id
}

async fn hold(bench: &Bench, id: PromotionId, hour: i64) -> Result<(ReservationId, PaymentId), promotion::Refusal> {
    let promotion = bench.load::<Promotion>(id).await;
    let price = bench.price().await;
    let fit = Fit { site_id: bench.site, format: Text::new("5x5").unwrap(), day: Weekday::Mon };
    let (policy, now) = (Policy::default(), bench.store.clock().now());
    let client_id = Some(bench.client);
    let redeem = Redeem { promotion: &promotion, fit: &fit, price: &price, policy: &policy, client_id, now };
    let reduced = redeem.quote()?;
    let by = Actor::new(Role::Client, bench.client.uuid().into());
    let beside = |reservation| redeem.decide(reservation).unwrap().1;
    Ok(bench.hold_at(reduced, beside, (client_id, Channel::Online, by), hour, true).await.unwrap())
}

#[tokio::test]
async fn a_hold_that_ends_unpaid_gives_its_part_of_the_budget_back() {
    let bench = Bench::new().await;
    let id = code(&bench).await;
    let (first, _) = hold(&bench, id, 20).await.unwrap();
    bench.pump().await;
    assert_eq!(hold(&bench, id, 21).await.unwrap_err(), promotion::Refusal::Exhausted);
    bench.pass(20 * 60).await;
    assert_eq!(bench.status(first).await, "expired");
    assert_eq!(bench.load::<Promotion>(id).await.state.uses(), 0);
    // Paid and kept: it stays.
    let (second, payment) = hold(&bench, id, 21).await.unwrap();
    bench.pump().await;
    bench.pay(payment).await;
    bench.pump().await;
    assert_eq!(bench.status(second).await, "confirmed");
    let terms = bench.load::<Reservation>(second).await.state.terms.unwrap();
    assert_eq!((terms.price.total.amount, terms.price.deposit.amount), (24_000, 7_200));
    assert_eq!(bench.load::<Promotion>(id).await.state.redemptions.keys().collect::<Vec<_>>(), [&second]);
    assert_eq!(
        bench.history(id).await,
        ["promotion.created", "promotion.redeemed", "promotion.released", "promotion.redeemed"]
    );
}
