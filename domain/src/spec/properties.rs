//! Random commands, legal and illegal, of everybody at once: whatever they do, the books are right (see `laws`).

mod reach;

use proptest::prelude::*;

use super::{
    fining::{Fining, any_fining},
    laws,
    people::{Person, any_person},
    sharing::{Sharing, any_sharing},
    story::{Booking, DEPOSIT, Paying, TOTAL, evening, manager, note},
    world::{No, World, person},
};
use crate::{
    actor::{Actor, Role},
    contract::{Contract, Flow},
    ids::{PaymentId, RefundId, ReservationId},
    money::Money,
    payment::{self, Method, Payment, ProviderId},
    policy::{BasisPoints, Policy},
    refund,
    reservation::{self, CancelReason, Purpose},
};

#[derive(Clone, Debug)]
enum Command {
    Pass(i64),
    /// It is time to play: what comes and goes afterwards is rare by chance.
    Arrive(usize),
    Place(u32, Placing, Contract),
    Request(usize, Purpose),
    Open(usize),
    Land(usize, u8, i64),
    Fail(usize),
    Close(usize),
    Unknown(usize),
    Expire(usize),
    ReturnMoney(usize),
    Cancel(usize, CancelReason, Person),
    Reschedule(usize, u32, i64, Person),
    CheckIn(usize),
    Finish(usize),
    Record(usize, Method, i64, Person),
    /// From what is held of the client's.
    Spend(usize, Purpose),
    Fine(usize, Fining),
    AskRefund(usize, Option<i64>, Person),
    Second(usize, bool, Person),
    Refund(usize, Step),
    Observe(usize, u8, i64),
    Share(usize, Sharing),
    /// What was asked for, and so much more.
    Pay(usize, u8, i64),
}

#[derive(Clone, Copy, Debug)]
enum Placing {
    Hold,
    Online(Purpose),
    WalkIn,
    Cash(Purpose),
    Credit(Purpose),
    OnAccount,
    Free,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Submit,
    Pending,
    Unknown,
    Succeed,
    Fail,
    Reverse,
    Retry,
    HandOut,
    /// One of three people of finance has looked for it at the provider.
    State {
        paid: bool,
        who: u128,
    },
}

fn any_amount() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => Just(DEPOSIT), 2 => Just(TOTAL), 2 => Just(TOTAL - DEPOSIT), 1 => Just(TOTAL + 700),
        1 => Just(1), 1 => Just(5_000), 1 => Just(0), 1 => -10..60_000i64,
    ]
}

/// Both flows, and the rates at which rounding shows.
fn any_contract() -> impl Strategy<Value = Contract> {
    let flow = prop_oneof![Just(Flow::PlatformCollects), Just(Flow::ManagerCollects)];
    let rate = prop::sample::select(vec![0, 1, 333, 1_000, 10_000]);
    (flow, rate).prop_map(|(flow, rate)| Contract { flow, commission: BasisPoints(rate), merchant_account: None })
}

fn any_command() -> impl Strategy<Value = Command> {
    use Command as C;
    let purpose =
        || prop_oneof![Just(Purpose::Deposit), Just(Purpose::Full), Just(Purpose::Balance), Just(Purpose::Difference)];
    let start = || prop_oneof![3 => Just(Purpose::Deposit), 1 => Just(Purpose::Full)];
    let placing = prop_oneof![
        Just(Placing::Hold),
        start().prop_map(Placing::Online),
        Just(Placing::WalkIn),
        start().prop_map(Placing::Cash),
        start().prop_map(Placing::Credit),
        Just(Placing::OnAccount),
        Just(Placing::Free),
    ];
    let reason = prop_oneof![
        3 => Just(CancelReason::Client), 1 => Just(CancelReason::Manager), 1 => Just(CancelReason::Weather),
    ];
    let method = prop_oneof![Just(Method::Cash), Just(Method::Transfer), Just(Method::OnAccount), Just(Method::Wave)];
    let step = prop_oneof![
        4 => Just(Step::Submit), 1 => Just(Step::Pending), 1 => Just(Step::Unknown), 2 => Just(Step::Succeed),
        2 => Just(Step::Fail), 2 => Just(Step::Reverse), 2 => Just(Step::Retry), 1 => Just(Step::HandOut),
        2 => (any::<bool>(), 20..23u128).prop_map(|(paid, who)| Step::State { paid, who }),
    ];
    let passing = prop_oneof![
        6 => 1..20i64, 2 => 20..400i64, 1 => 400..5_000i64
    ];
    let more = prop_oneof![6 => Just(0), 1 => Just(500), 1 => Just(-1), 1 => -9_000..9_000i64];
    let nth = prop_oneof![6 => Just(0usize), 2 => Just(1), 1 => 2..6usize];
    prop_oneof![
        6 => passing.prop_map(C::Pass),
        1 => nth.clone().prop_map(C::Arrive),
        4 => (0..3u32, placing, any_contract()).prop_map(|(day, how, contract)| C::Place(day, how, contract)),
        3 => (nth.clone(), purpose()).prop_map(|(r, purpose)| C::Request(r, purpose)),
        3 => nth.clone().prop_map(C::Open),
        8 => (nth.clone(), 0..6u8, any_amount()).prop_map(|(p, t, amount)| C::Land(p, t, amount)),
        1 => nth.clone().prop_map(C::Fail),
        1 => nth.clone().prop_map(C::Close),
        1 => nth.clone().prop_map(C::Unknown),
        2 => nth.clone().prop_map(C::Expire),
        2 => nth.clone().prop_map(C::ReturnMoney),
        3 => (nth.clone(), reason, any_person()).prop_map(|(r, reason, by)| C::Cancel(r, reason, by)),
        3 => (nth.clone(), 0..4u32, 20_000..60_000i64, any_person())
            .prop_map(|(r, day, total, by)| C::Reschedule(r, day, total, by)),
        3 => nth.clone().prop_map(C::CheckIn),
        2 => nth.clone().prop_map(C::Finish),
        2 => (nth.clone(), method, any_amount(), any_person()).prop_map(|(r, m, a, by)| C::Record(r, m, a, by)),
        4 => (nth.clone(), any_fining()).prop_map(|(r, fining)| C::Fine(r, fining)),
        4 => (nth.clone(), purpose()).prop_map(|(r, purpose)| C::Spend(r, purpose)),
        3 => (nth.clone(), proptest::option::of(any_amount()), any_person())
            .prop_map(|(p, amount, by)| C::AskRefund(p, amount, by)),
        2 => (nth.clone(), any::<bool>(), any_person()).prop_map(|(f, yes, by)| C::Second(f, yes, by)),
        7 => (nth.clone(), step).prop_map(|(f, step)| C::Refund(f, step)),
        1 => (nth.clone(), 0..6u8, any_amount()).prop_map(|(p, t, amount)| C::Observe(p, t, amount)),
        4 => (nth.clone(), 0..2u8, more).prop_map(|(p, t, more)| C::Pay(p, t, more)),
        9 => (nth, any_sharing()).prop_map(|(r, sharing)| C::Share(r, sharing)),
    ]
}

/// The world and the ids that commands may name.
#[derive(Default)]
pub(super) struct Play {
    pub(super) world: World,
    pub(super) reservations: Vec<ReservationId>,
    pub(super) payments: Vec<PaymentId>,
}

fn pick<T: Copy>(all: &[T], nth: usize) -> Option<T> {
    // The latest first: that is where things happen.
    all.iter().rev().nth(nth).copied()
}

impl Play {
    fn refunds(&self) -> Vec<RefundId> {
        self.world.refunds().into_iter().map(|refund| refund.refund_id).collect()
    }

    fn place(&mut self, day: u32, how: Placing, contract: Contract) -> Result<(), No> {
        let online = Booking::online(evening(day));
        let four_eyes_above = Money::xof(15_000);
        let no_show_fine = Some(Money::xof(5_000));
        let policy = Policy { unpaid_holds_per_day: 50, four_eyes_above, no_show_fine, ..Policy::default() };
        let online = Booking { policy, contract, ..online };
        let manual = Booking { channel: reservation::Channel::Manual, by: manager(), ..online.clone() };
        let (booking, pays) = match how {
            Placing::Hold => (online, Paying::Later),
            Placing::Online(purpose) => (online, Paying::Online(Method::Wave, purpose)),
            Placing::WalkIn => (Booking { client: None, ..manual }, Paying::Online(Method::Wave, Purpose::Deposit)),
            Placing::Cash(purpose) => (manual, Paying::Recorded(Method::Cash, purpose)),
            Placing::Credit(purpose) => (online, Paying::Credit(purpose)),
            Placing::OnAccount => (manual, Paying::Recorded(Method::OnAccount, Purpose::Full)),
            Placing::Free => (Booking { deposit: 0, total: 0, ..online }, Paying::Later),
        };
        let (reservation, payment) = self.world.place(&booking, pays)?;
        self.reservations.push(reservation);
        if self.world.version(payment.into()) > 0 {
            self.payments.push(payment);
        }
        Ok(())
    }

    fn run(&mut self, command: Command) -> Result<(), No> {
        use Command as C;
        match command {
            C::Pass(minutes) => self.world.pass(minutes),
            C::Arrive(r) => {
                let terms = pick(&self.reservations, r).and_then(|id| self.world.reservation(id).terms);
                self.world.now = terms.map_or(self.world.now, |terms| self.world.now.max(terms.slot.during.from()));
            }
            C::Place(day, how, contract) => self.place(day, how, contract)?,
            C::Request(r, purpose) => {
                if let Some(id) = pick(&self.reservations, r) {
                    let payment = self.world.request(id, purpose)?;
                    self.payments.push(payment);
                }
            }
            C::Share(r, ref sharing) => {
                if let Some(id) = pick(&self.reservations, r) {
                    self.share(id, sharing)?;
                }
            }
            C::Record(r, method, amount, by) => {
                if let Some(id) = pick(&self.reservations, r) {
                    let payment = self.world.record(id, method, amount, by.actor())?;
                    self.payments.push(payment);
                }
            }
            C::Fine(r, fining) => {
                if let Some(id) = pick(&self.reservations, r) {
                    self.fine(id, fining)?;
                }
            }
            C::Spend(r, purpose) => {
                if let Some(id) = pick(&self.reservations, r) {
                    let payment = self.world.spend(id, purpose, None, super::story::client())?;
                    self.payments.push(payment);
                }
            }
            C::Open(p)
            | C::Land(p, ..)
            | C::Pay(p, ..)
            | C::Fail(p)
            | C::Close(p)
            | C::Unknown(p)
            | C::AskRefund(p, ..)
            | C::Observe(p, ..) => {
                if let Some(id) = pick(&self.payments, p) {
                    self.run_payment(id, &command)?;
                }
            }
            C::Expire(r)
            | C::ReturnMoney(r)
            | C::Cancel(r, ..)
            | C::Reschedule(r, ..)
            | C::CheckIn(r)
            | C::Finish(r) => {
                if let Some(id) = pick(&self.reservations, r) {
                    self.run_reservation(id, &command)?;
                }
            }
            C::Second(f, yes, by) => {
                if let Some(id) = pick(&self.refunds(), f) {
                    self.world.second(id, yes, by.actor())?;
                }
            }
            C::Refund(f, step) => {
                if let Some(id) = pick(&self.refunds(), f) {
                    self.run_refund(id, step)?;
                }
            }
        }
        Ok(())
    }

    fn run_reservation(&mut self, id: ReservationId, command: &Command) -> Result<(), No> {
        let world = &mut self.world;
        match *command {
            Command::Expire(_) => world.expire(id, &self.payments)?,
            Command::ReturnMoney(_) => world.return_money(id)?,
            Command::Cancel(_, reason, by) => world.cancel(id, reason, by.actor())?,
            Command::Reschedule(_, day, total, by) => world.reschedule(id, evening(day), total, by.actor())?,
            Command::CheckIn(_) => world.check_in(id)?,
            _ => world.finish(id)?,
        };
        Ok(())
    }

    fn run_payment(&mut self, id: PaymentId, command: &Command) -> Result<(), No> {
        let world = &mut self.world;
        let (loaded, of, now) = (world.load::<Payment>(id), world.paid_by(id), world.now);
        match *command {
            Command::Open(_) => world.open(id)?,
            Command::Land(_, transaction, amount) => {
                world.land(id, &format!("T{transaction}"), amount)?;
                return Ok(());
            }
            Command::Pay(_, transaction, more) => {
                let asked = loaded.state.request.as_ref().unwrap().amount.amount;
                world.land(id, &format!("{id}-{transaction}"), asked + more)?;
                return Ok(());
            }
            Command::Fail(_) => world.write(payment::fail(&loaded, &of, &[], note("failed"), now))?,
            Command::Close(_) => world.write(payment::expire(&loaded, &of, &[], now))?,
            Command::Unknown(_) => world.write(payment::unknown(&loaded, &of, note("timed out"), now))?,
            Command::AskRefund(_, amount, by) => {
                world.ask_refund(id, amount, by.actor())?;
                return Ok(());
            }
            Command::Observe(_, transaction, amount) => {
                let transaction = ProviderId::new(&format!("T{transaction}")).unwrap();
                let provider = Actor { role: crate::actor::Role::Provider, id: None };
                world.observe(id, "pt-portal", amount, Some(transaction), provider)?
            }
            _ => Vec::new(),
        };
        Ok(())
    }

    fn run_refund(&mut self, id: RefundId, step: Step) -> Result<(), No> {
        let world = &mut self.world;
        let movement = || ProviderId::new("pt-1").unwrap();
        match step {
            Step::Submit => world.submit(id)?,
            Step::Pending => world.with_refund(id, |r, now| refund::pending(r, movement(), now))?,
            Step::State { paid, who } => {
                let stated = refund::Stated { paid, provider_id: None, note: note("seen") };
                world.with_refund(id, |r, now| refund::resolve(r, stated, person(Role::Finance, who), now))?
            }
            Step::Unknown => world.with_refund(id, |r, now| refund::unknown(r, note("cut"), now))?,
            Step::Succeed => world.with_refund(id, |r, now| refund::succeed(r, None, Actor::SYSTEM, now))?,
            Step::Fail => world.with_refund(id, |r, now| refund::fail(r, note("refused"), now))?,
            Step::Reverse => world.with_refund(id, |r, now| refund::reverse(r, note("taken back"), now))?,
            Step::Retry => world.retry(id)?,
            Step::HandOut => world.with_refund(id, |r, now| refund::hand_out(r, manager(), now))?,
        };
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_everybody_does_the_books_are_right(commands in proptest::collection::vec(any_command(), 1..100)) {
        let mut play = Play::default();
        for command in commands {
            let before = play.world.log.len();
            let result = play.run(command.clone());
            prop_assert!(result != Err(No::Conflict), "{command:?} was decided on what it had not read");
            if result.is_err() {
                prop_assert_eq!(before, play.world.log.len(), "refused, and written all the same");
            }
            laws::check(&play)?;
        }
    }
}
