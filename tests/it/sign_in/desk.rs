//! An API, the workers that send codes, the SMS gateway's fake, and telephones that sign.

use std::{net::Ipv4Addr, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    client::Client,
    decision::Decision,
    ids::{ClientId, KeyId, PrincipalId},
    key,
    text::Name,
};
use ed25519_dalek::{Signer, SigningKey};
use eventstore::{Append, Keyring, Meta, Mode, Options, Store, auth::Hashing};
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;
use workers::{
    Config, Context, Providers,
    act::Worker,
    codes::Codes,
    process::{MANAGERS, Process},
    runtime::{Progress, Step},
};

use crate::{
    afterwards::servers::{Fake, gateway, serve_mail, serve_sms},
    limits::open,
    world::World,
};

/// Cheap, so that guessing is what takes the time: the real cost is measured by `hashing`.
pub const CHEAP: Hashing = Hashing { memory: 8, passes: 1, at_once: 8 };
pub const PIN: &str = "739164";
pub const OTHER_PIN: &str = "804957";

pub struct Desk {
    pub store: Store,
    pub ctx: Context,
    pub sms: Fake,
    pub mail: Fake,
    pub base: String,
    pub http: reqwest::Client,
    stop: CancellationToken,
    _stop: DropGuard,
    pub world: World,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    pub fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.text);
        self
    }

    pub fn text(&self, member: &str) -> String {
        self.body[member].as_str().unwrap_or_else(|| panic!("no {member} in {}", self.text)).to_owned()
    }

    pub fn retry_after(&self) -> i64 {
        self.headers["retry-after"].to_str().unwrap().parse().unwrap()
    }
}

/// A telephone: a number, and a key pair for it.
#[derive(Clone)]
pub struct Phone {
    pub number: String,
    pub key: SigningKey,
    /// Whence it calls.
    pub address: String,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub client: Uuid,
    pub session: Uuid,
    pub device: Uuid,
    pub access: String,
    pub refresh: String,
}

impl SignedIn {
    pub fn of(answer: &Answer) -> Self {
        let id = |member: &str| answer.text(member).parse().unwrap();
        Self {
            client: id("subject_id"),
            session: id("id"),
            device: id("device_id"),
            access: answer.text("access_token"),
            refresh: answer.text("refresh_token"),
        }
    }
}

impl Phone {
    /// One of many: each has a number, a key and an address of its own.
    pub fn nth(n: u32) -> Self {
        let mut seed = [9; 32];
        seed[..4].copy_from_slice(&n.to_be_bytes());
        let address = Ipv4Addr::from(0x0A00_0000 + n * 256 + 1).to_string();
        Self { number: format!("+22177{:07}", 1_000_000 + n), key: SigningKey::from_bytes(&seed), address }
    }

    /// The same number in another telephone.
    pub fn another(&self, n: u8) -> Self {
        Self { key: SigningKey::from_bytes(&[n; 32]), ..self.clone() }
    }

    pub fn device_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes())
    }

    pub fn sign(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.key.sign(text.as_bytes()).to_bytes())
    }

    /// Over a challenge for signing in.
    pub fn answers(&self, challenge: &str) -> String {
        self.sign(&format!("kalel-sign-in-v1\n{challenge}\nsign_in"))
    }
}

impl Desk {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With settings of the test's own.
    pub async fn with(change: impl FnOnce(&mut ::api::Settings)) -> Self {
        let world = World::new().await;
        let store = store(&world).await;
        let stop = CancellationToken::new();
        let sms = serve_sms(stop.clone()).await;
        let (mail, relay) = serve_mail(stop.clone()).await;
        let mut config = Config::new("test");
        config.mail_domain = "kalel.sn".into();
        let ctx = Context::new(
            store.clone(),
            config,
            Providers { sms: Some(gateway(&sms).into()), email: Some(relay.into()), ..Providers::default() },
            Arc::new(|id| format!("https://kalel.sn/p/{id}")),
        );
        workers::enrol(&ctx).await.unwrap();
        let mut settings = ::api::Settings {
            redis_url: Some(world.redis_url.clone()),
            limits: Some(open()),
            ..::api::Settings::default()
        };
        change(&mut settings);
        let base = serve(&store, settings, &stop).await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { store, ctx, sms, mail, base, http, stop: stop.clone(), _stop: stop.drop_guard(), world }
    }

    pub async fn call(&self, method: Method, path: &str, bearer: Option<&str>, body: Option<&Value>) -> Answer {
        self.call_from("10.9.9.9", method, path, bearer, body).await
    }

    pub async fn call_from(
        &self,
        address: &str,
        method: Method,
        path: &str,
        bearer: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).header("x-forwarded-for", address);
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, headers, body, text }
    }

    pub async fn get(&self, bearer: &str, path: &str) -> Answer {
        self.call(Method::GET, path, Some(bearer), None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, None, Some(body)).await
    }

    /// Asks for a code.
    pub async fn ask(&self, phone: &Phone) -> Answer {
        let body = json!({ "phone": phone.number, "device_key": phone.device_key() });
        self.call_from(&phone.address, Method::POST, "/v1/challenges", None, Some(&body)).await
    }

    /// Lets the workers send what is to be sent.
    pub async fn send(&self) {
        let (mut codes, mut effects) = (Codes::new(self.ctx.clone()), Worker::new(self.ctx.clone()));
        loop {
            let mut busy = codes.step().await.unwrap() == Progress::Busy;
            for manager in MANAGERS {
                busy |= Process::new(self.ctx.clone(), manager).step().await.unwrap() == Progress::Busy;
            }
            busy |= effects.step().await.unwrap() == Progress::Busy;
            if !busy {
                return;
            }
        }
    }

    /// What was sent to a number, the oldest first.
    pub async fn texts(&self, phone: &Phone) -> Vec<String> {
        let newest_first = self.sms.get(&format!("/__messages?to={}", phone.number.replace('+', "%2B"))).await;
        let texts = newest_first.as_array().unwrap().iter().rev();
        texts.map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }

    /// The code that was sent last.
    pub async fn code(&self, phone: &Phone) -> String {
        self.send().await;
        let text = self.texts(phone).await.pop().expect("a code was sent");
        text.split(|c: char| !c.is_ascii_digit()).find(|part| part.len() == 6).expect("six digits").to_owned()
    }

    pub async fn prove(&self, phone: &Phone, challenge: &str, code: &str) -> Answer {
        let body = json!({ "code": code, "signature": phone.answers(challenge) });
        let path = format!("/v1/challenges/{challenge}/proof");
        self.call_from(&phone.address, Method::POST, &path, None, Some(&body)).await
    }

    pub async fn open(&self, phone: &Phone, challenge: &str, pin: &str) -> Answer {
        let body = json!({
            "challenge_id": challenge, "signature": phone.answers(challenge), "pin": pin, "name": "Awa Ndiaye",
            "device_name": "Tecno",
        });
        self.call_from(&phone.address, Method::POST, "/v1/sessions", None, Some(&body)).await
    }

    /// A challenge whose code was given, and what comes next.
    pub async fn proven(&self, phone: &Phone) -> (String, String) {
        let challenge = self.ask(phone).await.is(202).text("id");
        let code = self.code(phone).await;
        let next = self.prove(phone, &challenge, &code).await.is(200).text("next");
        (challenge, next)
    }

    /// Code and PIN.
    pub async fn sign_in(&self, phone: &Phone, pin: &str) -> SignedIn {
        let (challenge, _) = self.proven(phone).await;
        SignedIn::of(&self.open(phone, &challenge, pin).await.is(201))
    }

    /// With a device that is known, and a PIN.
    pub async fn come_back(&self, phone: &Phone, device: Uuid, pin: &str) -> Answer {
        let path = format!("/v1/devices/{device}/challenges");
        let challenge = self.call_from(&phone.address, Method::POST, &path, None, None).await.is(201).text("id");
        self.open(phone, &challenge, pin).await
    }

    /// A POST that takes an idempotency key.
    pub async fn call_with_key(&self, who: &super::staff::Staff, path: &str, body: &Value) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&who.access);
        let response = request.header("idempotency-key", crate::api::fresh_key()).json(body).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
    }

    /// The API of another process on the same log.
    pub async fn another_process(&self) -> String {
        serve(&store(&self.world).await, ::api::Settings::default(), &self.stop).await
    }

    /// A key of somebody.
    pub async fn key(&self, role: Role, principal: &str) -> String {
        let secret = format!("kk_test_{}", self.store.clock().new_id().simple());
        let wanted = kalel::key::Wanted {
            id: KeyId::new(self.store.clock().new_id()),
            label: "test",
            role,
            principal: PrincipalId::new(principal.parse().unwrap()),
            secret: &secret,
            sites: None,
        };
        kalel::key::grant(&self.store, &wanted).await.unwrap();
        secret
    }

    /// Something to write.
    pub async fn anything(&self) -> Decision {
        let grant = key::Grant {
            label: Name::new("anything").unwrap(),
            secret_hash: key::SecretHash(self.store.clock().new_id().simple().to_string()),
            role: Role::Support,
            principal_id: PrincipalId::new(self.store.clock().new_id()),
            scopes: None,
            sites: None,
        };
        let id = KeyId::new(self.store.clock().new_id());
        key::grant(&Loaded::new(id), grant, Actor::SYSTEM, self.store.clock().now()).unwrap()
    }

    /// Writes it.
    pub async fn write_something(&self) {
        self.store.append(Append::new(self.anything().await, Meta::system())).await.unwrap();
    }

    /// Moves the clock of the log.
    pub async fn wait(&self, seconds: i64) {
        let then = self.store.clock().now() + chrono::TimeDelta::seconds(seconds);
        self.store.clock().advance_to(then).await.unwrap();
    }

    pub async fn client(&self, id: Uuid) -> Loaded<Client> {
        self.store.load(ClientId::new(id)).await.unwrap()
    }

    /// Names of the events of a client.
    pub async fn events(&self, id: Uuid) -> Vec<String> {
        let events = self.store.read_stream(id, 0, i64::MAX).await.unwrap();
        events.into_iter().map(|event| event.name).collect()
    }
}

/// A store of the world whose hashing is cheap.
pub async fn store(world: &World) -> Store {
    let mut options = Options::new(world.database_url.clone(), Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.hashing = CHEAP;
    Store::open(options).await.unwrap()
}

/// A process of the API.
pub async fn serve(store: &Store, mut settings: ::api::Settings, stop: &CancellationToken) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    if let Some(limits) = &mut settings.limits {
        limits.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    }
    settings.public_url.clone_from(&base);
    let app = ::api::App::new(::api::Options {
        watch: projections::Watch::new(store.clone()),
        store: store.clone(),
        settings,
        webhooks: crate::api::verifiers(),
    });
    let bounds = kalel::serve::listen::Bounds::default();
    tokio::spawn(kalel::serve::listen::serve(listener, ::api::door(app), bounds, stop.clone()));
    base
}
