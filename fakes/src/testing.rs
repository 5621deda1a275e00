//! A running fake for the tests of this crate: random port, stopped when dropped.

use std::net::SocketAddr;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) struct Server {
    pub base: String,
    pub client: Client,
    stop: DropGuard,
    ended: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Runs what `start` makes of a listener.
    pub(crate) async fn start<F>(start: impl FnOnce(TcpListener, CancellationToken) -> F) -> Self
    where
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let (listener, address) = listen().await;
        let stop = CancellationToken::new();
        let ended = tokio::spawn(start(listener, stop.clone()));
        let client = crate::server::client().unwrap();
        Self { base: format!("http://{address}"), client, stop: stop.drop_guard(), ended }
    }

    /// Stops it and waits until it has.
    pub(crate) async fn end(self) {
        drop(self.stop);
        self.ended.await.unwrap().unwrap();
    }

    pub(crate) async fn control(&self, instructions: Value) -> Value {
        let (status, body) = send(self.client.post(self.at("/__control")).json(&instructions)).await;
        assert_eq!(status, 200, "{body}");
        body["results"].clone()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        send(self.client.get(self.at(path))).await.1
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Sends; a body that is not JSON comes back as a string.
pub(crate) async fn send(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
