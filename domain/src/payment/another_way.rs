//! Pay by another method what was asked for by one that does not work: its provider is out of order, or said no.

use super::{Method, Payment, Refusal, Request, Status};
use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, reservation::Reservation};

/// A wish to change the method. What was asked for stays as it is: when both are paid the second goes back, and once the
/// reservation is confirmed what is still open is closed.
#[derive(Clone, Copy, Debug)]
pub struct AnotherWay<'a> {
    pub reservation: &'a Loaded<Reservation>,
    /// The payment that is given up.
    pub given_up: &'a Loaded<Payment>,
    /// A new stream.
    pub payment: &'a Loaded<Payment>,
    pub method: Method,
    pub by: Actor,
}

impl AnotherWay<'_> {
    /// # Errors
    /// [`Refusal`] when it is paid, or nobody can tell whether it is; while it is open for the same method; for a share,
    /// which has a page of its own; and as [`Request`] does.
    pub fn decide(self, now: Timestamp) -> Result<Decision, Refusal> {
        let Self { reservation, given_up, payment, method, by } = self;
        let Some(request) = &given_up.state.request else { return Err(Refusal::NotFound) };
        if request.reservation_id != reservation.id {
            return Err(Refusal::OtherReservation);
        }
        if request.share_id.is_some() {
            return Err(Refusal::Split);
        }
        match given_up.state.status {
            Status::Requested | Status::Pending if method == request.method => return Err(Refusal::AlreadyRequested),
            // Nobody was ever shown a page to pay on: the provider did not tell of one.
            Status::Unknown if given_up.state.provider_id().is_none() && method != request.method => {}
            Status::Unknown => return Err(Refusal::MayBePaid),
            Status::Requested | Status::Pending | Status::Failed | Status::Expired => {}
            status @ (Status::Absent | Status::Succeeded | Status::OnAccount) => return Err(Refusal::Ended { status }),
        }
        let request = Request { reservation, payment, method, purpose: request.purpose, by };
        Ok(request.decide(now)?.relying_on(given_up))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::PaymentId,
        payment::{fail, unknown},
        reservation::Purpose,
        spec::{
            story::{DEPOSIT, evening, note},
            world::World,
        },
    };

    fn other(world: &mut World, given_up: PaymentId, method: Method) -> Result<(PaymentId, Decision), Refusal> {
        let id = PaymentId::new(world.id());
        let way = AnotherWay {
            reservation: &world.paid_by(given_up),
            given_up: &world.load(given_up),
            payment: &Loaded::new(id),
            method,
            by: Actor::SYSTEM,
        };
        way.decide(world.now).map(|decision| (id, decision))
    }

    #[test]
    fn what_its_provider_does_not_open_is_paid_by_another_and_closed_once_confirmed() {
        let mut world = World::new();
        let (reservation, by_wave) = world.hold(evening(2));
        let (by_orange, decision) = other(&mut world, by_wave, Method::OrangeMoney).unwrap();
        assert_eq!(world.write(Ok::<_, Refusal>(decision)), Ok(vec!["payment.requested"]));
        let asked = world.payment(by_orange).request.unwrap();
        assert_eq!((asked.amount.amount, asked.method), (DEPOSIT, Method::OrangeMoney));
        world.land(by_orange, "MP1", DEPOSIT).unwrap();
        assert_eq!(world.reservation(reservation).status, crate::reservation::Status::Confirmed);
        // Both were paid: the second goes back.
        assert_eq!(world.land(by_wave, "T1", DEPOSIT), Ok(crate::payment::Row::Duplicate));
        assert_eq!(other(&mut world, by_wave, Method::Yas).unwrap_err(), Refusal::Ended { status: Status::Succeeded });
    }

    #[test]
    fn while_nobody_can_tell_whether_it_is_paid_there_is_no_other_way() {
        let mut world = World::new();
        let (reservation, _) = world.hold(evening(2));
        let payment = world.request(reservation, Purpose::Deposit).unwrap();
        let (loaded, of) = (world.load(payment), world.paid_by(payment));
        world.write(unknown(&loaded, &of, note("timed out"), world.now)).unwrap();
        // Nobody was shown a page: nothing can have been paid.
        assert!(other(&mut world, payment, Method::OrangeMoney).is_ok());
        assert_eq!(other(&mut world, payment, Method::Wave).unwrap_err(), Refusal::MayBePaid);
        world.open(payment).unwrap();
        assert!(other(&mut world, payment, Method::OrangeMoney).is_ok(), "whoever sees the page may change their mind");
        assert_eq!(other(&mut world, payment, Method::Wave).unwrap_err(), Refusal::AlreadyRequested);
        let (loaded, of) = (world.load(payment), world.paid_by(payment));
        world.write(unknown(&loaded, &of, note("timed out"), world.now)).unwrap();
        assert_eq!(other(&mut world, payment, Method::OrangeMoney).unwrap_err(), Refusal::MayBePaid);
    }

    #[test]
    fn what_failed_is_asked_for_again_by_any_method_while_the_hold_lives() {
        let mut world = World::new();
        let (_, payment) = world.hold(evening(2));
        let (loaded, of) = (world.load(payment), world.paid_by(payment));
        world.write(fail(&loaded, &of, &[], note("refused"), world.now)).unwrap();
        for method in Method::WITH_PROVIDER {
            assert!(other(&mut world, payment, method).is_ok(), "{method:?}");
        }
        assert_eq!(other(&mut world, payment, Method::Cash).unwrap_err(), Refusal::ByHand { method: Method::Cash });
        world.now += chrono::Duration::minutes(16);
        assert!(matches!(other(&mut world, payment, Method::Yas).unwrap_err(), Refusal::HoldExpired { .. }));
    }
}
