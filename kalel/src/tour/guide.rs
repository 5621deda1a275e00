//! Calls the server and tells what happens.

use std::{
    io::IsTerminal,
    path::Path,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

/// How long a step waits for what happens in the background.
const PATIENCE: Duration = Duration::from_secs(40);

/// What was not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum Off {
    #[error("{path} cannot be read ({source}): start `kalel up` first, or say --data")]
    NotUp { path: String, source: std::io::Error },
    #[error("up.json cannot be understood: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("{call}: {source}")]
    Unreachable { call: String, source: reqwest::Error },
    #[error("{call}: expected {expected}, got {got}\n{body}")]
    Status { call: String, expected: u16, got: u16, body: String },
    #[error("{0}")]
    Wrong(String),
}

/// Says what is wrong.
pub(super) fn wrong(text: impl Into<String>) -> Off {
    Off::Wrong(text.into())
}

#[derive(Deserialize)]
struct Up {
    base_url: String,
    keys: std::collections::BTreeMap<String, String>,
    fakes: std::collections::BTreeMap<String, String>,
}

/// An answer of the server.
pub(super) struct Answer {
    pub body: Value,
    pub bytes: Vec<u8>,
    pub replayed: bool,
    pub etag: String,
}

impl Answer {
    /// A field by JSON Pointer, as text.
    pub fn text(&self, pointer: &str) -> Result<String, Off> {
        match self.body.pointer(pointer) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Null) | None => Err(wrong(format!("the answer has no {pointer}: {}", self.body))),
            Some(other) => Ok(other.to_string()),
        }
    }
}

/// Leads through the tour.
pub(super) struct Guide {
    pub(super) http: reqwest::Client,
    up: Up,
    /// Tells this run's keys, slugs and numbers from all others.
    pub run: String,
    colour: bool,
    began: Instant,
    steps: u32,
    calls: u32,
    seen: i64,
    /// Of the last write: reads ask to see it.
    written: Option<String>,
    /// For the next PUT.
    if_match: Option<String>,
}

impl Guide {
    pub async fn open(data: &Path) -> Result<Self, Off> {
        let path = data.join("up.json");
        let text =
            std::fs::read_to_string(&path).map_err(|source| Off::NotUp { path: path.display().to_string(), source })?;
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(|error| wrong(format!("no randomness: {error}")))?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(20))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|source| Off::Unreachable { call: "client".into(), source })?;
        let mut guide = Self {
            http,
            up: serde_json::from_str(&text)?,
            run: hex::encode(random),
            colour: std::io::stdout().is_terminal(),
            began: Instant::now(),
            steps: 0,
            calls: 0,
            seen: 0,
            written: None,
            if_match: None,
        };
        let head = guide.quiet("auditor", Method::GET, "/v1/events?after=0&limit=1", None).await?;
        guide.seen = head.body["head"].as_i64().unwrap_or_default();
        guide.written = Some(guide.seen.to_string());
        Ok(guide)
    }

    pub fn chapter(&mut self, title: &str) {
        self.steps += 1;
        println!("\n{}", self.paint("1;36", &format!("{:>2}. {title}", self.steps)));
    }

    /// A line of explanation.
    pub fn say(&self, text: &str) {
        println!("    {text}");
    }

    /// Something that was checked and holds.
    pub fn holds(&self, text: &str) {
        println!("    {} {text}", self.paint("32", "✓"));
    }

    /// `name  value`, aligned.
    pub fn show(&self, name: &str, value: &str) {
        println!("      {} {value}", self.paint("2", &format!("{name:<18}")));
    }

    pub(super) fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A call of the API with a role's key; the answer must have this status.
    pub async fn call(
        &mut self,
        role: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
        expected: StatusCode,
    ) -> Result<Answer, Off> {
        let key = format!("tour-{}-{:04}-{}", self.run, self.calls, "x".repeat(8));
        self.call_with_key(role, method, path, body, expected, &key).await
    }

    /// As [`Guide::call`], under a given idempotency key.
    pub async fn call_with_key(
        &mut self,
        role: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
        expected: StatusCode,
        key: &str,
    ) -> Result<Answer, Off> {
        let call = format!("{method} {path}");
        let (status, answer) = self.send(role, method, path, body, Some(key)).await?;
        let code = self.paint(if status.is_success() { "32" } else { "33" }, status.as_str());
        println!("    {} {} {code}", self.paint("1", &call), self.paint("2", &format!("as {role} →")));
        if status != expected {
            let body = String::from_utf8_lossy(&answer.bytes).into_owned();
            return Err(Off::Status { call, expected: expected.as_u16(), got: status.as_u16(), body });
        }
        Ok(answer)
    }

    /// Replaces a setting as it was read.
    pub async fn set(&mut self, role: &str, path: &str, body: Value) -> Result<Answer, Off> {
        self.if_match = Some(self.quiet(role, Method::GET, path, None).await?.etag);
        self.call(role, Method::PUT, path, Some(body), StatusCode::OK).await
    }

    /// Somebody more has a key.
    pub fn meet(&mut self, role: &str, secret: String) {
        self.up.keys.insert(role.to_owned(), secret);
    }

    /// A call that is not worth a line; any success will do.
    pub async fn quiet(&mut self, role: &str, method: Method, path: &str, body: Option<Value>) -> Result<Answer, Off> {
        let call = format!("{method} {path}");
        let (status, answer) = self.send(role, method, path, body, None).await?;
        if status.is_success() {
            return Ok(answer);
        }
        let body = String::from_utf8_lossy(&answer.bytes).into_owned();
        Err(Off::Status { call, expected: 200, got: status.as_u16(), body })
    }

    async fn send(
        &mut self,
        role: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
        key: Option<&str>,
    ) -> Result<(StatusCode, Answer), Off> {
        self.calls += 1;
        let call = format!("{method} {path}");
        let unreachable = |source| Off::Unreachable { call: call.clone(), source };
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.up.base_url));
        if role != "anybody" {
            let secret = self.up.keys.get(role).ok_or_else(|| wrong(format!("up.json has no {role} key")))?;
            request = request.bearer_auth(secret);
        }
        if let (Some(key), true) = (key, method == Method::POST) {
            request = request.header("Idempotency-Key", key);
        }
        if method == Method::PUT
            && let Some(tag) = self.if_match.take()
        {
            request = request.header("If-Match", tag);
        }
        if let (Some(position), true) = (&self.written, method == Method::GET) {
            request = request.header("Kalel-Min-Position", position);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let position = response.headers().get("kalel-position").and_then(|value| value.to_str().ok());
        if let (Some(position), true) = (position, method != Method::GET) {
            self.written = Some(position.to_owned());
        }
        let replayed = response.headers().contains_key("idempotent-replayed");
        let etag = response.headers().get("etag").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let bytes = response.bytes().await.map_err(unreachable)?.to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok((status, Answer { body, bytes, replayed, etag }))
    }

    /// Tells a fake provider what to do, or asks it what happened.
    pub async fn fake(&self, fake: &str, path: &str, body: Option<Value>) -> Result<Value, Off> {
        let base = self.up.fakes.get(fake).ok_or_else(|| wrong(format!("up.json has no fake {fake}")))?;
        let url = format!("{base}{path}");
        let request = match body {
            Some(body) => self.http.post(&url).json(&body),
            None => self.http.get(&url),
        };
        let unreachable = |source| Off::Unreachable { call: url.clone(), source };
        request.send().await.map_err(unreachable)?.json().await.map_err(unreachable)
    }

    /// A POST to the API without any key: what a stranger can send.
    pub async fn stranger(&self, path: &str, headers: &[(&str, String)], body: String) -> Result<StatusCode, Off> {
        let url = format!("{}{path}", self.up.base_url);
        let mut request = self.http.post(&url).header("content-type", "application/json").body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await.map_err(|source| Off::Unreachable { call: url, source })?;
        Ok(answer.status())
    }

    /// Waits until a field of an object has a value.
    pub async fn until(&mut self, role: &str, path: &str, pointer: &str, wanted: &str) -> Result<Answer, Off> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.quiet(role, Method::GET, path, None).await?;
            let found = answer.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            if found == wanted {
                return Ok(answer);
            }
            if Instant::now() > deadline {
                return Err(wrong(format!("{path}: {pointer} is {found:?} and not {wanted:?} after {PATIENCE:?}")));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits for a text message to a number that contains this.
    pub async fn message(&self, to: &str, contains: &str) -> Result<String, Off> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let messages = self.fake("sms", &format!("/__messages?to={}", to.replace('+', "%2B")), None).await?;
            let texts: Vec<&str> =
                messages.as_array().into_iter().flatten().filter_map(|message| message["text"].as_str()).collect();
            if let Some(text) = texts.iter().find(|text| text.contains(contains)) {
                self.holds(&format!("SMS to {to}: {text}"));
                return Ok((*text).to_owned());
            }
            if Instant::now() > deadline {
                return Err(wrong(format!("no SMS to {to} with {contains:?} after {PATIENCE:?}; there are {texts:?}")));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Shows what was written since the last time.
    pub async fn events(&mut self) -> Result<(), Off> {
        loop {
            let path = format!("/v1/events?after={}&limit=100", self.seen);
            let page = self.quiet("auditor", Method::GET, &path, None).await?;
            for event in page.body["data"].as_array().into_iter().flatten() {
                let line = format!(
                    "#{} {} v{} by {}",
                    event["position"],
                    event["type"].as_str().unwrap_or("?"),
                    event["version"],
                    event["actor"]["role"].as_str().unwrap_or("?")
                );
                println!("      {}", self.paint("35", &format!("event {line}")));
            }
            self.seen = page.body["next_after"].as_i64().unwrap_or(self.seen).max(self.seen);
            if page.body["has_more"] != json!(true) {
                return Ok(());
            }
        }
    }

    /// The time of the test log.
    pub async fn now(&mut self) -> Result<DateTime<Utc>, Off> {
        let clock = self.quiet("anybody", Method::GET, "/v1/test-clock", None).await?;
        clock.text("/now")?.parse().map_err(|error| wrong(format!("the test clock: {error}")))
    }

    /// Lets time pass here and at the fake providers.
    pub async fn pass_until(&mut self, instant: DateTime<Utc>) -> Result<(), Off> {
        let to = instant.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        self.call("admin", Method::POST, "/v1/test-clock", Some(json!({ "to": to })), StatusCode::OK).await?;
        self.show("the clock shows", &to);
        self.align().await
    }

    /// The same, without a line.
    pub async fn pass_quietly(&mut self, instant: DateTime<Utc>) -> Result<(), Off> {
        let to = instant.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let key = format!("tour-{}-clock-{:06}", self.run, self.calls);
        self.send("admin", Method::POST, "/v1/test-clock", Some(json!({ "to": to })), Some(&key)).await?;
        self.align().await
    }

    /// The fake providers go by the time of the test log.
    pub async fn align(&mut self) -> Result<(), Off> {
        for fake in ["wave", "sonatel", "paytech", "paydunya"] {
            let ours = self.now().await?;
            let answer = self.fake(fake, "/__control", Some(json!({ "do": "advance", "seconds": 0 }))).await?;
            let theirs: DateTime<Utc> = answer["now"]
                .as_str()
                .unwrap_or_default()
                .parse()
                .map_err(|error| wrong(format!("the clock of {fake}: {error}: {answer}")))?;
            let behind = (ours - theirs).num_seconds();
            if behind > 1 {
                self.fake(fake, "/__control", Some(json!({ "do": "advance", "seconds": behind }))).await?;
            }
        }
        Ok(())
    }

    pub fn finish(&self) {
        let took = self.began.elapsed().as_secs_f32();
        println!(
            "\n{}",
            self.paint(
                "1;32",
                &format!("All as it should be: {} steps, {} calls, {took:.1} s.", self.steps, self.calls)
            )
        );
    }
}
