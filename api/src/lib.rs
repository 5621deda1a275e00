//! HTTP: bodies in, commands out; rows in, JSON out. No SQL here.
//!
//! One module per noun, one file per operation. Each operation is a row ([`http::operation::Operation`]) from which the
//! router, the rights and the OpenAPI document are made; [`http::pipeline`] is the way of every request.

pub mod account;
pub mod audit;
pub mod challenge;
pub mod client;
pub mod device;
pub mod endpoint;
pub mod event;
pub mod http;
pub mod invitation;
pub mod invoice;
pub mod key;
pub mod ledger;
pub mod payment;
pub mod payout;
pub mod problem;
pub mod promotion;
pub mod quote;
pub mod receipt;
pub mod reconciliation;
pub mod recovery;
pub mod refund;
mod refusal;
pub mod reservation;
mod router;
pub mod session;
pub mod shape;
pub mod site;
mod stop;
pub mod test_clock;
pub mod till;

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use eventstore::{Keyring, Mode, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

pub use router::{door, operations, router};

use crate::{
    http::{admission::Admission, auth::Keys, cache::Cache, idempotency::Turns, limits::Limits, redis::Redis},
    problem::Problem,
};

/// Requests in one process, worked on or waiting for something; more are told to come back.
const MOST_IN_HAND: usize = 4_096;

/// What the operator decides.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where clients reach this API, without a slash at the end. Pay links, problem types and providers' return
    /// addresses are made from it.
    pub public_url: String,
    /// Origins that browsers may call from; empty for none, `*` for all.
    pub allowed_origins: Vec<String>,
    /// The methods that a provider is configured for, in the order in which they are offered; a site may take fewer, in
    /// another order.
    pub methods: Vec<domain::payment::Method>,
    /// The merchant accounts of managers, by the names that contracts know them by, each with the methods it takes.
    pub accounts: BTreeMap<domain::text::Slug, Vec<domain::payment::Method>>,
    /// `redis://…`; without it every answer is computed, and each process counts calls by itself.
    pub redis_url: Option<String>,
    /// `host:port` of the message bus as readers outside reach it: said in the AsyncAPI document.
    pub bus: Option<String>,
    /// What was agreed with each provider: fees are compared with it.
    pub terms: std::collections::BTreeMap<domain::reconciliation::Provider, domain::reconciliation::Terms>,
    /// What streams of events may take.
    pub streams: event::Limits,
    /// Codes for signing in.
    pub sign_in: challenge::Settings,
    /// How often anybody may ask; `None`: as often as they like.
    pub limits: Option<http::limits::Settings>,
    /// The most that is worked on at once, however quick it seems; `None`: nobody is turned away before there are thousands.
    pub most_at_once: Option<usize>,
}

/// What the API is made of.
pub struct Options {
    pub store: Store,
    pub watch: projections::Watch,
    pub settings: Settings,
    /// Who may send webhooks, and how their signatures are checked.
    pub webhooks: payment::Verifiers,
}

/// The API of one process. Clones are the same API.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    pub store: Store,
    pub keyring: Keyring,
    pub watch: projections::Watch,
    pub settings: Settings,
    pub webhooks: payment::Verifiers,
    pub(crate) keys: Keys,
    pub(crate) health: payment::Health,
    pub(crate) turns: Turns,
    pub(crate) cache: Cache,
    pub(crate) limits: Limits,
    pub(crate) alternatives: reservation::Alternatives,
    pub(crate) tail: event::Tail,
    pub(crate) places_of_streams: event::Places,
    pub(crate) ending: CancellationToken,
    pub(crate) promotions: promotion::Turnstiles,
    pub(crate) owners: reservation::Owners,
    pub(crate) ticket_keys: reservation::TicketKeys,
    pub(crate) admission: Admission,
    in_hand: Arc<Semaphore>,
}

impl Settings {
    /// The methods that can be asked for at a merchant account; `None` is the platform's. At one that is not in the settings
    /// nothing can.
    pub fn methods_of(&self, account: Option<&domain::text::Slug>) -> &[domain::payment::Method] {
        match account {
            None => &self.methods,
            Some(account) => self.accounts.get(account).map(Vec::as_slice).unwrap_or_default(),
        }
    }
}

impl App {
    pub fn new(options: Options) -> Self {
        let Options { store, watch, settings, webhooks } = options;
        let keyring = store.keyring().clone();
        let redis = Arc::new(Redis::new(settings.redis_url.as_deref()));
        let log = store.log().id;
        let admission = Admission::new(settings.most_at_once);
        Self(Arc::new(Parts {
            ticket_keys: reservation::TicketKeys::of(&keyring, store.log().id),
            tail: event::Tail::new(store.clone()),
            places_of_streams: event::Places::default(),
            ending: CancellationToken::new(),
            cache: Cache::new(Arc::clone(&redis), log),
            limits: Limits::new(settings.limits.clone(), redis, log),
            store,
            keyring,
            watch,
            settings,
            webhooks,
            keys: Keys::default(),
            health: payment::Health::default(),
            turns: Turns::default(),
            alternatives: reservation::Alternatives::default(),
            promotions: promotion::Turnstiles::default(),
            owners: reservation::Owners::default(),
            admission,
            in_hand: Arc::new(Semaphore::new(MOST_IN_HAND)),
        }))
    }

    /// Whether the money of this log is not real.
    pub fn is_test(&self) -> bool {
        self.store.log().mode == Mode::Test
    }

    /// This process is asked to end: it is not ready for more (`/readyz`), and every stream of events ends, which would
    /// never be done; those that come later end at once. Requests are answered as long as they come.
    pub fn end(&self) {
        self.ending.cancel();
    }

    /// One more request, as long as what comes back is kept.
    pub(crate) fn take_in_hand(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.in_hand).try_acquire_owned().map_err(|_| Problem::new("server.overloaded").retry_after(1))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
