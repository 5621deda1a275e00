//! Who wants what: sites with halves and whole pitches, clients in competition for them, what each of them has in mind.

use chrono::{Duration, DurationRound};
use uuid::Uuid;

use super::{Run, agenda::Happening, deeds::Deed, learn::Report};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    client::{self, Client, Language, Person},
    contract::{Contract, Flow},
    decision::Read,
    ids::{ClientId, PaymentId, ReservationId},
    interval::Interval,
    money::Money,
    payment::{Method, Payment},
    phone::PhoneHash,
    policy::{BasisPoints, Policy},
    quote::{Line, Price},
    reservation::{Channel, Code, Pays, Place, Purpose, Reservation, Slot},
    sealed::Sealed,
    spec::world::{SITE, person},
};

/// Sites with two halves and the whole each; a site has a cell for each half.
const SITES: u64 = 120;
const CLIENTS: u64 = 6_000;

/// When somebody means to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Never,
    /// So long after the page is there.
    In(Duration),
    /// At the end of the hold, or of its grace, give or take.
    AtEnd {
        grace: bool,
        off: Duration,
    },
    /// So long after the end of the hold.
    After(Duration),
    /// So long after it was called off.
    Cancelled(Duration),
}

/// What somebody has in mind with a payment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) when: When,
    /// More or less than was asked for.
    pub(super) more: i64,
    /// And once more in the same checkout.
    pub(super) twice: bool,
}

impl Wish {
    const fn pays(when: When) -> Self {
        Self { when, more: 0, twice: false }
    }
}

/// What becomes of a reservation if it goes as its client wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Pays,
    AtTheEnd,
    AtTheEndOfTheGrace,
    Late,
    TwoTabs,
    TwoProviders,
    Twice,
    TooMuch,
    TooLittle,
    CancelsFirst,
    Never,
    Shares,
}

impl Run {
    fn slot(&mut self) -> Slot {
        // Some sites are dearer to people than others.
        let site = self.random.below(SITES).min(self.random.below(SITES));
        let cell = |half: u64| Uuid::from_u128(0xCE11_0000 + u128::from(site * 2 + half)).into();
        let cells = match self.random.below(5) {
            0 => vec![cell(0), cell(1)],
            half => vec![cell(half % 2)],
        };
        let half_hours = self.random.below(90).min(self.random.below(90));
        let soon = self.now.duration_trunc(Duration::minutes(30)).unwrap() + Duration::minutes(60);
        let from = soon + Duration::minutes(30 * i64::try_from(half_hours).unwrap());
        let minutes = self.random.pick(&[60, 90, 90, 120]);
        let during = Interval::lasting(from, minutes).unwrap();
        let pitch_id = Uuid::from_u128(0x917C_0000 + u128::from(site)).into();
        Slot { site_id: SITE, pitch_id, cells, during, claims: during, time_zone: chrono_tz::Africa::Dakar }
    }

    fn price(&mut self, slot: &Slot) -> Price {
        let total = self.random.between(30, 130) * 500 * i64::try_from(slot.cells.len()).unwrap();
        let deposit = ((total * 3 / 10 + 99) / 100 * 100).max(5_000);
        let (tariff_id, tariff_version, during) = (Uuid::from_u128(0x7A).into(), 4, slot.during);
        let line = Line { tariff_id, tariff_version, during, amount: Money::xof(total) };
        Price {
            lines: vec![line],
            discounts: Vec::new(),
            total: Money::xof(total),
            deposit: Money::xof(deposit),
            site_version: 7,
        }
    }

    /// Known by their number.
    pub(super) fn somebody(&mut self) -> ClientId {
        let number = u128::from(self.random.below(CLIENTS));
        let id = ClientId::new(Uuid::from_u128((0xC << 96) + number));
        if !self.lane.clients.contains_key(&id) {
            let (phone_hash, phone) = (PhoneHash(format!("{number:064x}")), Sealed(String::new()));
            let person = Person { phone_hash, phone, name: None, language: Language::Fr };
            let known = client::register(&Loaded::<Client>::new(id), person, Actor::SYSTEM, self.now);
            let report = Report { of: Uuid::nil().into(), fence: None };
            self.append(&report, known.unwrap()).unwrap();
        }
        id
    }

    /// Somebody wants a slot; perhaps the very one that somebody else has.
    pub(super) fn wants(&mut self) {
        if self.asked < self.wanted {
            let next = self.millis(200, 4_200);
            self.at(self.now + next, Happening::Somebody);
        }
        let known = self.random.chance(2_500);
        let rival = known.then(|| self.slots.get(usize::try_from(self.random.below(64)).unwrap()).cloned()).flatten();
        let slot = match rival {
            Some(slot) if slot.during.from() > self.now + Duration::minutes(20) => slot,
            _ => self.slot(),
        };
        if self.random.chance(600) {
            self.by_hand(slot);
        } else {
            self.online(slot);
        }
    }

    /// At the desk or by telephone: with cash, mostly.
    pub(super) fn by_hand(&mut self, slot: Slot) {
        let (method, purpose) = self.random.pick(&[
            (Method::Cash, Purpose::Deposit),
            (Method::Cash, Purpose::Full),
            (Method::Transfer, Purpose::Full),
            (Method::OnAccount, Purpose::Full),
        ]);
        let client = self.random.chance(7_000).then(|| self.somebody());
        let manager = person(Role::Manager, 1);
        self.place(slot, client, Channel::Manual, manager, Some((method, purpose)));
    }

    fn online(&mut self, slot: Slot) {
        let plan = self.random.weighed(&[
            (430, Plan::Pays),
            (150, Plan::AtTheEnd),
            (30, Plan::AtTheEndOfTheGrace),
            (90, Plan::Late),
            (50, Plan::TwoTabs),
            (50, Plan::TwoProviders),
            (12, Plan::Twice),
            (25, Plan::TooMuch),
            (35, Plan::TooLittle),
            (40, Plan::CancelsFirst),
            (60, Plan::Never),
            (60, Plan::Shares),
        ]);
        let client = self.somebody();
        let purpose = if self.random.chance(3_000) { Purpose::Full } else { Purpose::Deposit };
        let method = self.method();
        let pays = (plan != Plan::Shares).then_some((method, purpose));
        let by = Actor::new(Role::Client, client.uuid().into());
        let Some((of, payment)) = self.place(slot.clone(), Some(client), Channel::Online, by, pays) else { return };
        self.remember(slot.clone());
        self.has_in_mind(plan, of, payment, method, &slot);
    }

    pub(super) fn method(&mut self) -> Method {
        self.random.weighed(&[(45, Method::Wave), (25, Method::OrangeMoney), (17, Method::Yas), (13, Method::Card)])
    }

    fn remember(&mut self, slot: Slot) {
        if self.slots.len() == 64 {
            self.slots.pop_front();
        }
        self.slots.push_back(slot);
    }

    fn has_in_mind(&mut self, plan: Plan, of: ReservationId, payment: PaymentId, method: Method, slot: &Slot) {
        let soon = When::In(self.millis(5_000, 480_000));
        let mut wish = Wish::pays(soon);
        match plan {
            Plan::Pays => {}
            Plan::AtTheEnd | Plan::AtTheEndOfTheGrace => {
                let off = if self.random.chance(2_500) { Duration::zero() } else { self.millis(-5, 5) };
                let grace = plan == Plan::AtTheEndOfTheGrace;
                wish.when = When::AtEnd { grace, off };
                self.racing.insert(of);
            }
            Plan::Late => wish.when = When::After(self.millis(1, 2_400_000)),
            Plan::TwoTabs | Plan::TwoProviders => {
                let other = if method == Method::Wave { Method::Yas } else { Method::Wave };
                let method = if plan == Plan::TwoTabs { method } else { other };
                let after = self.millis(1_000, 60_000);
                self.will(of, self.now + after, Deed::Another { method, purpose: Purpose::Deposit });
            }
            Plan::Twice => wish.twice = true,
            Plan::TooMuch => wish.more = self.random.between(1, 9_000),
            Plan::TooLittle => {
                wish.more = -self.random.between(1, 4_900);
                if self.random.chance(5_000) {
                    self.will(of, self.now + Duration::minutes(9), Deed::Another { method, purpose: Purpose::Deposit });
                }
            }
            Plan::CancelsFirst => {
                wish.when = When::Cancelled(self.millis(1, 900_000));
                let after = self.millis(20_000, 800_000);
                self.will(of, self.now + after, Deed::Cancel { reason: crate::reservation::CancelReason::Client });
            }
            Plan::Never => {
                wish.when = When::Never;
                let after = self.millis(20_000, 800_000);
                self.will(of, self.now + after, Deed::SpendCredit { purpose: Purpose::Deposit });
            }
            Plan::Shares => {
                let after = self.millis(1_000, 60_000);
                self.will(of, self.now + after, Deed::Split);
            }
        }
        let rivals = matches!(plan, Plan::AtTheEnd | Plan::AtTheEndOfTheGrace | Plan::Late | Plan::CancelsFirst);
        if rivals && self.random.chance(4_000) {
            let end = self.now + Duration::minutes(15);
            let after = self.random.pick(&[0, 1, 2, 1_000, 119_998, 120_000, 120_001, 180_000]);
            self.will(of, end + Duration::milliseconds(after), Deed::Rival { slot: Box::new(slot.clone()) });
        }
        self.wishes.insert(payment, wish);
    }

    /// Places it, if nobody else has the slot.
    pub(super) fn place(
        &mut self,
        slot: Slot,
        client_id: Option<ClientId>,
        channel: Channel,
        by: Actor,
        paying: Option<(Method, Purpose)>,
    ) -> Option<(ReservationId, PaymentId)> {
        let reservation = Loaded::<Reservation>::new(self.id(0xA).into());
        let payment = Loaded::<Payment>::new(self.id(0xB).into());
        let (price, code) = (self.price(&slot), Code::of(self.random.next()));
        let flow = if self.random.chance(2_500) { Flow::ManagerCollects } else { Flow::PlatformCollects };
        let commission = BasisPoints(self.random.pick(&[0, 333, 1_000, 1_500]));
        let contract = Contract { flow, commission, merchant_account: None };
        let policy = Policy { four_eyes_above: Money::xof(15_000), ..Policy::default() };
        let report = Report { of: reservation.id, fence: None };
        let placed = self.write(&report, |_, now| {
            let pays = match paying {
                None => Pays::Later,
                Some((method, purpose)) if method.has_provider() => Pays::Online { payment: &payment, method, purpose },
                Some((method, purpose)) => Pays::Recorded { payment: &payment, method, purpose },
            };
            let (slot, price, policy, code) = (slot.clone(), price.clone(), policy.clone(), code.clone());
            let contract = contract.clone();
            let site = Read { stream: SITE.into(), version: 7 };
            let reservation = &reservation;
            Place { reservation, slot, price, policy, contract, site, client_id, channel, code, pays, by, now }.decide()
        });
        if placed != Ok(true) {
            self.count("no slot");
            return None;
        }
        Some((reservation.id, payment.id))
    }

    /// What follows when a page is there, a reservation is confirmed, a refund wants somebody.
    pub(super) fn page_is_there(&mut self, of: ReservationId, payment: PaymentId) {
        let wish = self.wishes.get(&payment).copied();
        let after = self.millis(10_000, 400_000);
        let wish = wish.unwrap_or(Wish::pays(When::In(after)));
        let end = self.audit.hold_end(of);
        let at: Timestamp = match wish.when {
            When::Never => return,
            When::In(after) => self.now + after,
            When::AtEnd { grace, off } => end + off + if grace { Duration::minutes(2) } else { Duration::zero() },
            When::After(after) => end + after,
            When::Cancelled(after) => self.now + Duration::minutes(10) + after,
        };
        self.will(of, at.max(self.now), Deed::Pay { payment, more: wish.more, twice: wish.twice });
    }
}
