//! The fakes of the providers as servers on random ports, and the endpoint that takes their webhooks.

use adapters::{
    email,
    payments::{Rail, Wave, wave},
    secret::Secret,
    sms,
};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use domain::payment::Method;
use eventstore::{Store, inbox};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use workers::Providers;

const WHS: &str = "wave_sn_WHS_secret";

/// A fake server, as a test talks to it.
#[derive(Clone)]
pub struct Fake {
    pub url: String,
    http: reqwest::Client,
}

impl Fake {
    fn new(url: String) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { url, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// `POST /__control`.
    pub async fn control(&self, what: Value) -> Value {
        let answer = self.http.post(format!("{}/__control", self.url)).json(&what).send().await.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{what}: {status} {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub async fn get(&self, path: &str) -> Value {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }

    /// How often a call was made.
    pub async fn calls(&self, name: &str) -> usize {
        let calls = self.get("/__calls").await;
        calls["calls"].as_array().unwrap().iter().filter(|call| call["call"] == name).count()
    }
}

pub fn providers(wave: &Fake, sms: &Fake) -> Providers {
    let timeouts = adapters::call::Timeouts { connect_ms: 500, total_ms: 1_000 };
    let config =
        wave::Config { base_url: wave.url.clone(), api_key: Secret::new("wave_sn_prod_fake").unwrap(), timeouts };
    let rail = Rail::Wave(Wave::new(&config).unwrap());
    let config = sms::Config {
        base_url: sms.url.clone(),
        username: "sandbox".into(),
        api_key: Secret::new("atsk_fake").unwrap(),
        sender: None,
        timeouts,
    };
    let gateway = sms::Gateway::AfricasTalking(sms::AfricasTalking::new(&config).unwrap());
    Providers { rails: [(Method::Wave, rail.into())].into(), sms: Some(gateway.into()), email: None }
}

pub async fn serve_wave(hooks: String, stop: CancellationToken) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = Fake::new(format!("http://{}", listener.local_addr().unwrap()));
    let endpoint = fakes::wave::Endpoint { url: hooks, strategy: fakes::wave::Strategy::Signing, secret: WHS.into() };
    let config = fakes::wave::Config { webhooks: vec![endpoint], ..fakes::wave::Config::default() };
    tokio::spawn(async move { fakes::wave::serve(listener, config, stop.cancelled_owned()).await.unwrap() });
    fake
}

pub async fn serve_sms(stop: CancellationToken) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = Fake::new(format!("http://{}", listener.local_addr().unwrap()));
    let config = fakes::sms::Config::default();
    tokio::spawn(async move { fakes::sms::serve(listener, config, stop.cancelled_owned()).await.unwrap() });
    fake
}

/// A mail server, and the relay that sends through it.
pub async fn serve_mail(stop: CancellationToken) -> (Fake, email::Relay) {
    let (smtp, http) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let fake = Fake::new(format!("http://{}", http.local_addr().unwrap()));
    let config = email::Config {
        host: "127.0.0.1".into(),
        port: Some(smtp.local_addr().unwrap().port()),
        security: email::Security::Plain,
        username: None,
        password: None,
        from: "Kalel <ne-pas-repondre@kalel.sn>".into(),
        timeout_ms: 5_000,
    };
    let kept = fakes::email::Config::default();
    tokio::spawn(async move { fakes::email::serve(smtp, http, kept, stop.cancelled_owned()).await.unwrap() });
    (fake, email::Relay::new(&config).unwrap())
}

/// As the API does it: verify in memory, store, answer.
pub async fn listen_for_webhooks(store: Store, stop: CancellationToken) -> String {
    async fn receive(State(store): State<Store>, headers: HeaderMap, body: Bytes) -> axum::http::StatusCode {
        let secrets = [wave::webhook::WebhookSecret::Signing(Secret::new(WHS).unwrap())];
        if wave::webhook::verify(&secrets, &headers, &body, store.clock().now()).is_err() {
            return axum::http::StatusCode::UNAUTHORIZED;
        }
        let id = wave::webhook::parse(&body).map_or_else(|_| "unreadable".to_owned(), |event| event.id);
        let webhook = inbox::Webhook { provider: "wave", account: "", event_id: &id, body: &body };
        inbox::store(&store, webhook).await.unwrap();
        axum::http::StatusCode::OK
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", post(receive)).with_state(store);
    tokio::spawn(
        async move { axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await.unwrap() },
    );
    url
}
