//! The clients of the benchmark: kept HTTP/1.1 connections with as little of their own in between as can be, because they
//! share the machine with the servers.

use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::bench::append::Problem;

/// A server that takes reservations, and how to ask it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Host and port.
    pub authority: String,
    /// Where reservations are posted.
    pub path: &'static str,
    /// What a client shows.
    pub headers: HeaderMap,
}

impl Target {
    pub fn new(authority: &str, path: &'static str, secret: Option<&str>) -> Result<Self, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(authority)?);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(secret) = secret {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {secret}"))?);
        }
        Ok(Self { authority: authority.to_owned(), path, headers })
    }
}

/// One client's connection.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    target: Target,
}

impl Connection {
    pub async fn open(target: &Target) -> Result<Self, Problem> {
        let stream = TcpStream::connect(&target.authority).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // An error of the connection is also one of the request on it.
        tokio::spawn(async move { connection.await.ok() });
        Ok(Self { sender, target: target.clone() })
    }

    /// Asks for a reservation with an idempotency key of its own.
    pub async fn post(&mut self, key: &str, body: &Value) -> Result<(StatusCode, Bytes), Problem> {
        let mut request = Request::post(self.target.path).body(Full::new(Bytes::from(serde_json::to_vec(body)?)))?;
        *request.headers_mut() = self.target.headers.clone();
        request.headers_mut().insert("idempotency-key", HeaderValue::from_str(key)?);
        self.send(request).await
    }

    pub async fn get(&mut self, path: &str) -> Result<(StatusCode, Bytes), Problem> {
        let mut request = Request::get(path).body(Full::default())?;
        *request.headers_mut() = self.target.headers.clone();
        self.send(request).await
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Problem> {
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}
