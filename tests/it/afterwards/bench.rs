//! A site, a client, the fakes of Wave and of the SMS gateway, and workers that are stepped by hand.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{TimeDelta, TimeZone, Utc};
use domain::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::{Aggregate, Loaded},
    client::{self, Language},
    contract::{Contract, Flow},
    decision::{Change, Decision, Read},
    event::Event,
    ids::*,
    interval::Interval,
    money::{Currency, Money},
    payment::{Method, Payment},
    phone::Phone,
    policy::Policy,
    quote::Price,
    refund::Refund,
    reservation::{Channel, Code, Pays, Place, Purpose, Reservation, Slot},
    sealed::field,
    site,
    text::{Name, Slug, Text},
};
use eventstore::{Append, AppendError, Keyring, Meta, Mode, Options, Store, inbox};
use serde_json::json;
use tokio_util::sync::{CancellationToken, DropGuard};
use workers::{
    Config, Context, Providers,
    act::Worker,
    inbox::Reader,
    process::{MANAGERS, Process},
    runtime::{Progress, Step},
};

use super::{
    rails::Kind,
    servers::{Fake, gateway, listen_for_webhooks, serve_mail, serve_sms},
};
use crate::world::World;

pub const PRICE: i64 = 30_000;
pub const DEPOSIT: i64 = 10_000;
pub const CLIENT: &str = "+221771234567";
pub const MANAGER: &str = "+221781234567";
pub const FINANCE: &str = "finances@kalel.sn";

/// Everything a test of the money side needs.
pub struct Bench {
    pub store: Store,
    pub ctx: Context,
    pub wave: Fake,
    /// By which payments are asked for, and its fake; Wave's unless the test says otherwise.
    pub kind: Kind,
    pub rail: Fake,
    added: Vec<Fake>,
    /// Under which reservations are placed.
    pub contract: Contract,
    pub sms: Fake,
    pub site: SiteId,
    pub pitch: PitchId,
    pub cell: CellId,
    pub client: ClientId,
    /// Terms of what is placed.
    pub policy: Policy,
    hooks: String,
    stop: CancellationToken,
    _stop: DropGuard,
    pub world: World,
}

pub fn at(hour: i64) -> Timestamp {
    Utc.with_ymd_and_hms(2027, 3, 1, 0, 0, 0).unwrap() + TimeDelta::hours(hour)
}

impl Bench {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With settings of the test's own.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::build(Kind::Wave, change).await
    }

    /// Payments go by this rail; Wave is there beside it.
    pub async fn by(kind: Kind) -> Self {
        Self::build(kind, |_| {}).await
    }

    /// Adds another rail, and returns its fake.
    pub async fn add(&mut self, kind: Kind) -> Fake {
        let (fake, adapter) = kind.serve(&self.hooks, self.stop.clone()).await;
        self.ctx.providers.rails.insert(kind.method(), adapter.into());
        self.added.push(fake.clone());
        self.align().await;
        fake
    }

    /// Adds a manager's own account at a provider, with keys, secrets and a ledger of its own, and returns its fake.
    pub async fn add_account(&mut self, kind: Kind, name: &str) -> Fake {
        let (fake, adapter) = kind.serve_account(&self.hooks, name, self.stop.clone()).await;
        self.ctx.providers.accounts.insert((kind.method(), Slug::new(name).unwrap()), adapter.into());
        self.added.push(fake.clone());
        self.align().await;
        fake
    }

    /// From now on reservations are placed under a contract by which the manager collects, through this account.
    pub fn through(&mut self, account: Option<&str>) {
        let merchant_account = account.map(|name| Slug::new(name).unwrap());
        self.contract = Contract { flow: Flow::ManagerCollects, merchant_account, ..Contract::default() };
    }

    async fn build(kind: Kind, change: impl FnOnce(&mut Config)) -> Self {
        let world = World::new().await;
        let keyring = Keyring::new([1; 32], [2; 32]);
        let store = Store::open(Options::new(world.database_url.clone(), keyring, Mode::Test)).await.unwrap();
        // Every test begins on the same winter morning.
        store.clock().advance_to(at(8)).await.unwrap();
        let stop = CancellationToken::new();
        let hooks = listen_for_webhooks(store.clone(), stop.clone()).await;
        let (wave, by_wave) = Kind::Wave.serve(&hooks, stop.clone()).await;
        let mut rails = HashMap::from([(Method::Wave, by_wave.into())]);
        let mut rail = wave.clone();
        if kind != Kind::Wave {
            let (fake, adapter) = kind.serve(&hooks, stop.clone()).await;
            rails.insert(kind.method(), adapter.into());
            rail = fake;
        }
        let sms = serve_sms(stop.clone()).await;
        let mut config = Config::new("test");
        config.lease = Duration::from_secs(20);
        change(&mut config);
        let ctx = Context::new(
            store.clone(),
            config,
            Providers { rails, sms: Some(gateway(&sms).into()), ..Providers::default() },
            Arc::new(|id| format!("https://kalel.sn/p/{id}")),
        );
        workers::enrol(&ctx).await.unwrap();
        let clock = store.clock().clone();
        let bench = Self {
            site: clock.new_id().into(),
            pitch: clock.new_id().into(),
            cell: clock.new_id().into(),
            client: clock.new_id().into(),
            policy: Policy::default(),
            store,
            ctx,
            wave,
            kind,
            rail,
            added: Vec::new(),
            contract: Contract::default(),
            sms,
            hooks,
            stop: stop.clone(),
            _stop: stop.drop_guard(),
            world,
        };
        bench.register().await;
        bench.align().await;
        bench
    }

    /// From now on mail is sent, and somebody looks after the money.
    pub async fn mail(&mut self) -> Fake {
        let (fake, relay) = serve_mail(self.stop.clone()).await;
        self.ctx.providers.email = Some(relay.into());
        let config = Arc::make_mut(&mut self.ctx.config);
        (config.finance_email, config.mail_domain) = (Some(FINANCE.into()), "kalel.sn".into());
        fake
    }

    async fn register(&self) {
        let subject = PrincipalId::new(self.store.clock().new_id());
        let subjects = self.store.subjects();
        let phone = subjects.seal(subject.uuid(), field::PHONE, MANAGER).await.unwrap();
        let contact = site::ContactSet { site_id: self.site, subject, phone: Some(phone), email: None };
        self.write(self.site.uuid(), vec![self.registered(subject), self.ground(), contact.into()]).await;
        self.register_client(self.client, CLIENT).await;
    }

    pub async fn register_client(&self, client_id: ClientId, number: &str) {
        let subjects = self.store.subjects();
        let phone = subjects.seal(client_id.uuid(), field::PHONE, number).await.unwrap();
        let registered = client::Registered {
            client_id,
            phone_hash: subjects.hash_phone(&Phone::new(number).unwrap()),
            phone,
            name: None,
            language: Language::Fr,
            by: Actor::SYSTEM,
            at: self.store.clock().now(),
        };
        self.write(client_id.uuid(), vec![registered.into()]).await;
    }

    fn registered(&self, manager_id: PrincipalId) -> Event {
        let profile = site::Profile {
            name: Name::new("Temple du Foot").unwrap(),
            address: None,
            city: None,
            country: Text::new("SN").unwrap(),
            location: None,
            footprint: None,
            surface: None,
            area_m2: None,
            capacity_players: None,
            house_rules: Vec::new(),
            notes: Vec::new(),
            payment_methods: Vec::new(),
        };
        site::Registered {
            site_id: self.site,
            slug: Slug::new("temple-du-foot").unwrap(),
            manager_id,
            time_zone: chrono_tz::Africa::Dakar,
            currency: Currency::Xof,
            profile,
        }
        .into()
    }

    fn ground(&self) -> Event {
        let pitch = site::Pitch {
            id: self.pitch,
            slug: Slug::new("terrain-a").unwrap(),
            name: Name::new("Terrain A").unwrap(),
            format: Text::new("5x5").unwrap(),
            cells: vec![self.cell],
            buffer_minutes: 0,
        };
        let cell = site::Cell { id: self.cell, slug: Slug::new("a").unwrap() };
        site::GroundSet { site_id: self.site, cells: vec![cell], pitches: vec![pitch], modelled: false }.into()
    }

    /// Writes events of a new stream as they are.
    async fn write(&self, stream: uuid::Uuid, events: Vec<Event>) {
        let change = Change { stream: stream.into(), expected: 0, events };
        let decision = Decision { changes: vec![change], reads: Vec::new() };
        self.store.append(Append::new(decision, Meta::system())).await.unwrap();
    }

    pub async fn append(&self, decision: Decision) -> Result<(), AppendError> {
        self.store.append(Append::new(decision, Meta::system())).await.map(drop)
    }

    pub async fn load<A: Aggregate>(&self, id: A::Id) -> Loaded<A> {
        self.store.load(id).await.unwrap()
    }

    /// The client holds the pitch for an hour and wants to pay the deposit.
    pub async fn hold(&self, hour: i64) -> (ReservationId, PaymentId) {
        self.hold_for(self.client, hour).await.unwrap()
    }

    pub async fn hold_for(&self, client: ClientId, hour: i64) -> Result<(ReservationId, PaymentId), AppendError> {
        let by = Actor::new(Role::Client, client.uuid().into());
        self.hold_by(Some(client), Channel::Online, by, hour, true).await
    }

    /// The client holds it, and nothing is asked for yet.
    pub async fn hold_only(&self, hour: i64) -> ReservationId {
        let by = Actor::new(Role::Client, self.client.uuid().into());
        self.hold_by(Some(self.client), Channel::Online, by, hour, false).await.unwrap().0
    }

    /// The manager holds it for somebody who leaves no number, and who pays the deposit by the rail.
    pub async fn walk_in(&self, hour: i64) -> (ReservationId, PaymentId) {
        let by = Actor::new(Role::Manager, self.site.uuid().into());
        self.hold_by(None, Channel::Manual, by, hour, true).await.unwrap()
    }

    async fn hold_by(
        &self,
        client_id: Option<ClientId>,
        channel: Channel,
        by: Actor,
        hour: i64,
        pays: bool,
    ) -> Result<(ReservationId, PaymentId), AppendError> {
        let price = self.price().await;
        self.hold_at(price, |_| Decision::nothing(), (client_id, channel, by), hour, pays).await
    }

    /// What a game costs.
    pub async fn price(&self) -> Price {
        Price {
            lines: Vec::new(),
            discounts: Vec::new(),
            total: Money::xof(PRICE),
            deposit: Money::xof(DEPOSIT),
            site_version: self.load::<site::Site>(self.site).await.version,
        }
    }

    /// Held at a price, with what must be written beside it.
    pub async fn hold_at(
        &self,
        price: Price,
        beside: impl FnOnce(ReservationId) -> Decision,
        (client_id, channel, by): (Option<ClientId>, Channel, Actor),
        hour: i64,
        pays: bool,
    ) -> Result<(ReservationId, PaymentId), AppendError> {
        let clock = self.store.clock();
        let (reservation, payment) = (ReservationId::new(clock.new_id()), PaymentId::new(clock.new_id()));
        let during = Interval::new(at(hour), at(hour + 1)).unwrap();
        let slot = Slot {
            site_id: self.site,
            pitch_id: self.pitch,
            cells: vec![self.cell],
            during,
            claims: during,
            time_zone: chrono_tz::Africa::Dakar,
        };
        let version = self.load::<site::Site>(self.site).await.version;
        let new = Loaded::<Payment>::new(payment);
        let place = Place {
            reservation: &Loaded::new(reservation),
            slot,
            price,
            policy: self.policy.clone(),
            contract: self.contract.clone(),
            site: Read { stream: self.site.into(), version },
            client_id,
            channel,
            code: Code(code(reservation)),
            pays: match pays {
                true => Pays::Online { payment: &new, method: self.kind.method(), purpose: Purpose::Deposit },
                false => Pays::Later,
            },
            by,
            now: clock.now(),
        };
        self.append(place.decide().unwrap().and(beside(reservation))).await?;
        Ok((reservation, payment))
    }

    /// A hold whose deposit is paid and whose reservation is confirmed.
    pub async fn confirmed(&self, hour: i64) -> (ReservationId, PaymentId) {
        let (reservation, payment) = self.hold(hour).await;
        self.pump().await;
        self.pay(payment).await;
        self.pump().await;
        assert_eq!(self.status(reservation).await, "confirmed");
        (reservation, payment)
    }

    /// The payer pays, and the webhook (if one is sent) is delivered.
    pub async fn pay(&self, payment: PaymentId) {
        self.pay_amount(payment, None).await;
    }

    /// The payer pays at another rail than the bench's own.
    pub async fn pay_at(&self, fake: &Fake, kind: Kind, payment: PaymentId) {
        let reference = domain::payment::reference(payment.uuid(), 1).to_string();
        fake.control(kind.deed(&reference, "pay", None)).await;
        fake.control(json!({"do": "drain"})).await;
    }

    /// The payer pays another amount than was asked for.
    pub async fn pay_amount(&self, payment: PaymentId, amount: Option<i64>) {
        let reference = domain::payment::reference(payment.uuid(), 1).to_string();
        self.rail.control(self.kind.deed(&reference, "pay", amount)).await;
        self.rail.control(json!({"do": "drain"})).await;
    }

    pub async fn status(&self, reservation: ReservationId) -> &'static str {
        self.load::<Reservation>(reservation).await.state.status.as_str()
    }

    pub async fn payment(&self, payment: PaymentId) -> &'static str {
        self.load::<Payment>(payment).await.state.status.as_str()
    }

    /// The refunds of a payment: status and amount, in the order they were asked for.
    pub async fn refunds(&self, payment: PaymentId) -> Vec<(RefundId, &'static str, i64)> {
        let mut found = Vec::new();
        for allotment in self.load::<Payment>(payment).await.state.allotments {
            let refund: Loaded<Refund> = self.load(allotment.refund_id).await;
            found.push((allotment.refund_id, refund.state.status.as_str(), allotment.amount.amount));
        }
        found
    }

    /// Steps every worker until nothing is left to do at this time.
    pub async fn pump(&self) {
        pump(&self.ctx).await;
    }

    /// Lets time pass here and at the providers, then everything that fell due happens.
    pub async fn pass(&self, seconds: i64) {
        self.pass_quietly(seconds).await;
        self.pump().await;
    }

    pub async fn pass_quietly(&self, seconds: i64) {
        self.store.clock().advance(Duration::from_secs(u64::try_from(seconds).unwrap())).await.unwrap();
        self.align().await;
    }

    /// Lets time pass in steps: whoever waits for an earlier moment has it.
    pub async fn pass_in_steps(&self, steps: usize, seconds: i64) {
        for _ in 0..steps {
            self.pass(seconds).await;
        }
    }

    /// Moves the fakes' clocks to ours.
    async fn align(&self) {
        let rail = (self.kind != Kind::Wave).then_some(&self.rail);
        for fake in std::iter::once(&self.wave).chain(rail).chain(&self.added) {
            let ahead = align(fake, self.store.clock().now()).await;
            // The gateway goes by the same time as Wave.
            if ahead > 0 && fake.url == self.wave.url {
                self.sms.control(json!({"do": "advance", "seconds": ahead})).await;
            }
        }
    }

    /// The texts a number got, the oldest first.
    pub async fn texts(&self, number: &str) -> Vec<String> {
        let newest_first = self.sms.get("/__messages").await;
        let to = newest_first.as_array().unwrap().iter().rev().filter(|message| message["to"] == number);
        to.map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }

    /// State, kind and error of the effects of one kind.
    pub async fn effects(&self, kind: &str) -> Vec<(String, Option<String>)> {
        sqlx::query_as("SELECT state, last_error FROM work.effects WHERE kind = $1 ORDER BY id")
            .bind(kind)
            .fetch_all(self.store.pool())
            .await
            .unwrap()
    }

    /// Names of the events of a stream.
    pub async fn history(&self, stream: impl Into<uuid::Uuid>) -> Vec<String> {
        let events = self.store.read_stream(stream.into(), 0, 1_000).await.unwrap();
        events.into_iter().map(|event| event.name).collect()
    }

    /// How many webhooks ended how.
    pub async fn inbox(&self) -> Vec<(String, i64)> {
        let counted = inbox::count(&self.store).await.unwrap();
        counted
            .into_iter()
            .map(|(disposition, count)| (disposition.unwrap_or_else(|| "waiting".into()), count))
            .collect()
    }
}

/// Steps every worker until nothing is left to do at this time.
pub async fn pump(ctx: &Context) {
    for _ in 0..200 {
        let mut busy = false;
        for manager in MANAGERS {
            busy |= Process::new(ctx.clone(), manager).step().await.unwrap() == Progress::Busy;
        }
        busy |= Worker::new(ctx.clone()).step().await.unwrap() == Progress::Busy;
        busy |= Reader::new(ctx.clone()).step().await.unwrap() == Progress::Busy;
        if !busy {
            return;
        }
    }
    panic!("the workers find no rest");
}

/// Moves the clock of a fake forward to an instant; by how many seconds.
pub async fn align(fake: &Fake, now: Timestamp) -> i64 {
    let theirs = fake.control(json!({"do": "advance", "seconds": 0})).await;
    let theirs = theirs["now"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let ahead = (now - theirs).num_seconds();
    if ahead > 0 {
        fake.control(json!({"do": "advance", "seconds": ahead})).await;
    }
    ahead.max(0)
}

fn code(id: ReservationId) -> String {
    id.uuid().simple().to_string().to_uppercase()[26..].to_owned()
}
