//! Running fakes for contract tests: real HTTP on a random port, stopped when dropped.

use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot};

/// A provider that we can upset.
pub(crate) struct Fake {
    pub base: String,
    client: reqwest::Client,
    /// Dropped with the fake, which ends it.
    _stop: oneshot::Sender<()>,
}

impl Fake {
    pub(crate) async fn wave(config: fakes::wave::Config) -> Self {
        let (listener, base) = listen().await;
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(fakes::wave::serve(listener, config, ended(stopped)));
        Self::new(base, stop)
    }

    pub(crate) async fn paydunya(config: fakes::paydunya::Config) -> Self {
        let (listener, base) = listen().await;
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(fakes::paydunya::serve(listener, config, ended(stopped)));
        Self::new(base, stop)
    }

    pub(crate) async fn sonatel(config: fakes::sonatel::Config) -> Self {
        let (listener, base) = listen().await;
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(fakes::sonatel::serve(listener, config, ended(stopped)));
        Self::new(base, stop)
    }

    pub(crate) async fn paytech(config: fakes::paytech::Config) -> Self {
        let (listener, base) = listen().await;
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(fakes::paytech::serve(listener, config, ended(stopped)));
        Self::new(base, stop)
    }

    pub(crate) async fn webpay(config: fakes::webpay::Config) -> Self {
        let (listener, base) = listen().await;
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(fakes::webpay::serve(listener, config, ended(stopped)));
        Self::new(base, stop)
    }

    pub(crate) async fn sms(config: fakes::sms::Config) -> Self {
        let (listener, base) = listen().await;
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(fakes::sms::serve(listener, config, ended(stopped)));
        Self::new(base, stop)
    }

    /// The fake and its SMTP port.
    pub(crate) async fn email(config: fakes::email::Config) -> (Self, u16) {
        let ((smtp, address), (http, base)) = (listen().await, listen().await);
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(fakes::email::serve(smtp, http, config, ended(stopped)));
        let port = address.rsplit(':').next().unwrap().parse().unwrap();
        (Self::new(base, stop), port)
    }

    fn new(base: String, stop: oneshot::Sender<()>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { base, client: reqwest::Client::builder().no_proxy().build().unwrap(), _stop: stop }
    }

    pub(crate) async fn control(&self, instructions: Value) -> Value {
        let request = self.client.post(format!("{}/__control", self.base)).json(&instructions);
        let response = request.send().await.unwrap();
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        assert_eq!(status, 200, "{body}");
        body["results"].clone()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap().json().await.unwrap()
    }
}

pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    (listener, base)
}

async fn ended(stopped: oneshot::Receiver<()>) {
    // Either way it is over.
    let _ = stopped.await;
}
