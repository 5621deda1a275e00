//! What is asked for: one kind of request or more of each class but exports, prepared so that a client costs little.

use axum::http::{HeaderMap, HeaderValue, Method, Request, header};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{bench::append::Problem, seeded::Seeded};

/// What the fake Wave of this measurement signs with.
pub const WAVE_SECRET: &str = "wave_sn_WHS_bench_overload";
/// Hours that can be booked at each pitch, from tomorrow on.
const HOURS: u64 = 24 * 80;
/// Days that are looked at: whoever looks, looks at the next ones.
const DAYS: u64 = 14;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    TrialBalance,
    Search,
    Availability,
    Place,
    Show,
    Preview,
    Ticket,
    Webhook,
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::TrialBalance,
        Self::Search,
        Self::Availability,
        Self::Place,
        Self::Show,
        Self::Preview,
        Self::Ticket,
        Self::Webhook,
    ];

    /// Of a hundred requests of the mix.
    pub const fn share(self) -> u64 {
        match self {
            Self::TrialBalance => 2,
            Self::Search => 30,
            Self::Availability => 25,
            Self::Place => 18,
            Self::Show => 10,
            Self::Preview => 3,
            Self::Ticket => 6,
            Self::Webhook => 6,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::TrialBalance => "trial balance (analytics)",
            Self::Search => "search near a point with a free pitch (search)",
            Self::Availability => "availability of a day (search)",
            Self::Place => "reservation (hold)",
            Self::Show => "show a reservation (hold)",
            Self::Preview => "what a cancellation would give back (cancel)",
            Self::Ticket => "ticket (check_in)",
            Self::Webhook => "webhook (confirm)",
        }
    }
}

/// What the requests are about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scene {
    pub authority: String,
    /// Of the manager whose sites they are: what they take is confirmed.
    pub manager: String,
    pub finance: String,
    pub sites: Vec<String>,
    pub pitches: u64,
    /// The first day that can be booked.
    pub first: DateTime<Utc>,
    /// Reservations to look at.
    pub reservations: Vec<String>,
}

/// Makes requests.
pub struct Maker {
    scene: Scene,
    manager: HeaderMap,
    finance: HeaderMap,
    nobody: HeaderMap,
    random: Seeded,
    /// The next slot, key and message.
    pub next: u64,
}

impl Maker {
    pub fn new(scene: Scene, seed: u64, next: u64) -> Result<Self, Problem> {
        let mut nobody = HeaderMap::new();
        nobody.insert(header::HOST, HeaderValue::from_str(&scene.authority)?);
        nobody.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let with = |secret: &str| -> Result<HeaderMap, Problem> {
            let mut headers = nobody.clone();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {secret}"))?);
            Ok(headers)
        };
        let (manager, finance) = (with(&scene.manager)?, with(&scene.finance)?);
        Ok(Self { scene, manager, finance, nobody, random: Seeded(seed), next })
    }

    /// A kind by its share.
    pub fn kind(&mut self) -> Kind {
        let mut at = self.random.below(Kind::ALL.iter().map(|kind| kind.share()).sum());
        for kind in Kind::ALL {
            if at < kind.share() {
                return kind;
            }
            at -= kind.share();
        }
        Kind::Search
    }

    /// A number from 0 to 1, without both.
    pub fn share(&mut self) -> f64 {
        (self.random.below(1 << 30) as f64 + 0.5) / f64::from(1 << 30)
    }

    pub fn request(&mut self, kind: Kind) -> Result<Request<Full<Bytes>>, Problem> {
        let number = self.next;
        self.next += 1;
        let (method, path, headers, body) = match kind {
            Kind::TrialBalance => (Method::GET, "/v1/ledger/trial-balance".to_owned(), &self.finance, String::new()),
            Kind::Search => (Method::GET, self.search(), &self.manager, String::new()),
            Kind::Availability => (Method::GET, self.availability(), &self.manager, String::new()),
            Kind::Place => (Method::POST, "/v1/reservations".to_owned(), &self.manager, self.wish(number)),
            Kind::Show => (Method::GET, self.of_one(""), &self.manager, String::new()),
            Kind::Preview => (
                Method::POST,
                self.of_one("/cancellation?preview=true"),
                &self.manager,
                r#"{"reason":"weather"}"#.into(),
            ),
            Kind::Ticket => (Method::GET, self.of_one("/ticket"), &self.manager, String::new()),
            Kind::Webhook => (
                Method::POST,
                "/v1/provider-webhooks/wave".to_owned(),
                &self.nobody,
                format!(r#"{{"id":"EV_{number}","type":"merchant.bench","data":{{"id":"cos-{number}"}}}}"#),
            ),
        };
        let signature = (kind == Kind::Webhook).then(|| signed(&body)).transpose()?;
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse()?;
        *request.headers_mut() = headers.clone();
        if let Some(signature) = signature {
            request.headers_mut().insert("wave-signature", signature);
        }
        if matches!(kind, Kind::Place | Kind::Preview) {
            let key = format!("bench overload key number {number}");
            request.headers_mut().insert("idempotency-key", HeaderValue::from_str(&key)?);
        }
        Ok(request)
    }

    fn search(&mut self) -> String {
        let (north, east) = (14.66 + 0.12 * self.share(), -17.52 + 0.14 * self.share());
        let evening = self.scene.first + TimeDelta::hours(18);
        let evening = evening.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!("/v1/sites?near={north:.5},{east:.5}&radius_m=5000&format=5x5&minutes=60&starts_at={evening}")
    }

    fn availability(&mut self) -> String {
        let day = self.scene.first + TimeDelta::days(i64::try_from(self.random.below(DAYS)).unwrap_or(0));
        let site = self.random.pick(&self.scene.sites).map_or("", String::as_str);
        format!("/v1/sites/{site}/availability?date={}&minutes=60&format=5x5", day.format("%F"))
    }

    fn of_one(&mut self, what: &str) -> String {
        let one = self.random.pick(&self.scene.reservations).map_or("", String::as_str);
        format!("/v1/reservations/{one}{what}")
    }

    /// A slot that nobody has: sites first, then pitches, then hours.
    fn wish(&self, number: u64) -> String {
        let sites = self.scene.sites.len() as u64;
        let site = usize::try_from(number % sites.max(1)).unwrap_or(0);
        let pitch = number / sites.max(1) % self.scene.pitches;
        let hour = number / (sites.max(1) * self.scene.pitches) % HOURS;
        let at = self.scene.first + TimeDelta::hours(i64::try_from(hour).unwrap_or(0));
        let site = self.scene.sites.get(site).map_or("", String::as_str);
        let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!(
            r#"{{"client":{{"name":"Awa","phone":"+22177{:07}"}},"site_id":"{site}","pitch_id":"c{pitch}","minutes":60,"starts_at":"{at}","payment":{{"pays":"none"}}}}"#,
            number % 2_000
        )
    }
}

fn signed(body: &str) -> Result<HeaderValue, Problem> {
    let now = eventstore::Clock::system().now().timestamp();
    let mut mac = Hmac::<Sha256>::new_from_slice(WAVE_SECRET.as_bytes())?;
    mac.update(now.to_string().as_bytes());
    mac.update(body.as_bytes());
    Ok(HeaderValue::from_str(&format!("t={now},v1={}", hex::encode(mac.finalize().into_bytes())))?)
}
