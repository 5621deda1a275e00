//! The fakes of the providers as servers on random ports, and the endpoint that takes their webhooks.

use adapters::{email, secret::Secret, sms};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
    routing::post,
};
use eventstore::{Store, inbox};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::rails::Kind;

/// A fake server, as a test talks to it.
#[derive(Clone)]
pub struct Fake {
    pub url: String,
    http: reqwest::Client,
}

impl Fake {
    pub fn new(url: String) -> Self {
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

/// The gateway that sends SMS by a fake.
pub fn gateway(sms: &Fake) -> sms::Gateway {
    let config = sms::Config {
        base_url: sms.url.clone(),
        username: "sandbox".into(),
        api_key: Secret::new("atsk_fake").unwrap(),
        sender: None,
        timeouts: adapters::call::Timeouts { connect_ms: 500, total_ms: 1_000 },
    };
    sms::Gateway::AfricasTalking(sms::AfricasTalking::new(&config).unwrap())
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

/// As the API does it: verify in memory, store, answer. Each provider has its own path below the address.
pub async fn listen_for_webhooks(store: Store, stop: CancellationToken) -> String {
    async fn receive(
        State(store): State<Store>,
        Path(path): Path<String>,
        headers: HeaderMap,
        body: Bytes,
    ) -> axum::http::StatusCode {
        let (provider, account) = path.split_once('/').unwrap_or((&path, ""));
        let Some(origin) = Kind::origin(provider, account) else { return axum::http::StatusCode::NOT_FOUND };
        if origin.verify(&headers, &body, store.clock().now()).is_err() {
            return axum::http::StatusCode::UNAUTHORIZED;
        }
        if let Some(page) = origin.page(&body)
            && inbox::payment_of_page(&store, &page).await.unwrap().is_none()
        {
            return axum::http::StatusCode::OK;
        }
        let id = origin.event_id(&headers, &body).unwrap_or_else(|| hex::encode(Sha256::digest(&body)));
        let webhook = inbox::Webhook { provider, account, event_id: &id, body: &body };
        inbox::store(&store, webhook).await.unwrap();
        axum::http::StatusCode::OK
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = Router::new().route("/hook/{*path}", post(receive)).with_state(store);
    tokio::spawn(
        async move { axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await.unwrap() },
    );
    url
}
