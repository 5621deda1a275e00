//! One client: it asks, repeats with the same key while nobody can say what became of it, and writes both down.

use std::{sync::Arc, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::history::{Answer, Attempt, Ended, History};
use crate::seeded::Seeded;

/// Attempts with one key before a client gives up; it then never learns.
const TRIES: u32 = 12;

/// What every client shares.
pub struct World {
    pub http: reqwest::Client,
    pub bases: [String; 2],
    pub service: String,
    pub manager: String,
    pub history: Arc<History>,
}

/// A call to be made.
pub struct Ask<'a> {
    pub op: &'static str,
    pub method: Method,
    pub path: &'a str,
    pub bearer: Option<&'a str>,
    pub key: Option<&'a str>,
    pub body: Option<&'a Value>,
    pub about: &'a Value,
    /// What of a good answer the judge compares.
    pub said: fn(&Value, Option<i64>) -> Value,
}

/// Whoever makes calls.
pub struct Client {
    pub world: Arc<World>,
    pub name: String,
    pub random: Seeded,
    /// The furthest position it was told of.
    pub seen: i64,
    keys: u64,
}

impl Client {
    pub fn new(world: Arc<World>, number: u64, seed: u64) -> Self {
        let random = Seeded(seed ^ (number + 1).wrapping_mul(0x9E37_79B9));
        Self { world, name: format!("client-{number}"), random, seen: 0, keys: 0 }
    }

    /// A key that nobody has used.
    pub fn fresh_key(&mut self) -> String {
        self.keys += 1;
        format!("trial-{}-{:06}", self.name, self.keys)
    }

    /// Asks until it knows, or has tried often enough. The last answer, and the body when it was a good one.
    pub async fn insist(&mut self, ask: &Ask<'_>) -> (Answer, Value) {
        let mut at = usize::try_from(self.random.below(2)).unwrap_or(0);
        for attempt in 1.. {
            let (answer, body) = self.once(ask, at).await;
            let certain = match answer.ended {
                Ended::Ok => true,
                // A refusal is one; "not now, and nothing was done" is none.
                Ended::Fail => answer.status < 500,
                Ended::Maybe => false,
            };
            if answer.ended == Ended::Ok && ask.key.is_some() && self.random.below(5) == 0 {
                // Once more, as after an answer that was lost on the way: it must be the same.
                self.once(ask, 1 - at).await;
            }
            if certain || attempt >= TRIES {
                return (answer, body);
            }
            // To the other one, as a balancer would; not at once.
            at = 1 - at;
            self.rest(40, 400).await;
        }
        unreachable_answer()
    }

    /// Asks once.
    pub async fn once(&mut self, ask: &Ask<'_>, at: usize) -> (Answer, Value) {
        let world = Arc::clone(&self.world);
        let attempt = Attempt { who: &self.name, op: ask.op, key: ask.key, about: ask.about };
        let call = world.history.invoke(&attempt);
        let base = world.bases.get(at).map_or("", String::as_str);
        let mut request = world.http.request(ask.method.clone(), format!("{base}{}", ask.path));
        if let Some(bearer) = ask.bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(key) = ask.key {
            request = request.header("idempotency-key", key);
        }
        if ask.method == Method::GET && self.seen > 0 {
            request = request.header("kalel-min-position", self.seen.to_string());
        }
        if let Some(body) = ask.body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let (answer, body) = match read(request).await {
            Some((status, position, bytes)) => {
                let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
                let ended = judge(status, &body);
                let said = if ended == Ended::Ok { (ask.said)(&body, position) } else { Value::Null };
                let code = body["code"].as_str().filter(|_| ended != Ended::Ok).map(str::to_owned);
                let sha = hex::encode(Sha256::digest(&bytes));
                (Answer { ended, status, code, position, sha, said }, body)
            }
            None => unreachable_answer(),
        };
        world.history.answer(&attempt, call, &answer);
        if answer.ended == Ended::Ok {
            self.seen = self.seen.max(answer.position.unwrap_or(0));
        }
        (answer, body)
    }

    /// A while, not always the same.
    pub async fn rest(&mut self, least_ms: u64, most_ms: u64) {
        let ms = least_ms + self.random.below(most_ms.saturating_sub(least_ms));
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// Nothing came back.
fn unreachable_answer() -> (Answer, Value) {
    let answer =
        Answer { ended: Ended::Maybe, status: 0, code: None, position: None, sha: String::new(), said: Value::Null };
    (answer, Value::Null)
}

/// Status, position and body; `None` when any of it is missing.
async fn read(request: reqwest::RequestBuilder) -> Option<(u16, Option<i64>, Vec<u8>)> {
    let answer = request.send().await.ok()?;
    let position = answer.headers().get("kalel-position").and_then(|value| value.to_str().ok()?.parse().ok());
    let status = answer.status().as_u16();
    Some((status, position, answer.bytes().await.ok()?.to_vec()))
}

/// What a client may believe: a problem says whether it was done.
fn judge(status: u16, body: &Value) -> Ended {
    match status {
        200..300 => Ended::Ok,
        _ => match body["outcome"].as_str() {
            Some("not_done") => Ended::Fail,
            Some(_) => Ended::Maybe,
            None if (400..500).contains(&status) => Ended::Fail,
            None => Ended::Maybe,
        },
    }
}

/// Presses a button on the provider's page, as a person with a telephone does.
pub async fn press(client: &mut Client, url: &str, about: &Value) -> Ended {
    let world = Arc::clone(&client.world);
    let attempt = Attempt { who: &client.name, op: "pay", key: None, about };
    let call = world.history.invoke(&attempt);
    let pressed = world.http.post(url).form(&[("action", "pay")]).send().await;
    let (ended, status) = match &pressed {
        Ok(answer) if answer.status().is_success() || answer.status().is_redirection() => {
            (Ended::Ok, answer.status().as_u16())
        }
        Ok(answer) if answer.status().is_client_error() => (Ended::Fail, answer.status().as_u16()),
        Ok(answer) => (Ended::Maybe, answer.status().as_u16()),
        Err(_) => (Ended::Maybe, 0),
    };
    let answer = Answer { ended, status, code: None, position: None, sha: String::new(), said: json!({}) };
    world.history.answer(&attempt, call, &answer);
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_so_is_not_done() {
        let not_done = json!({ "outcome": "not_done" });
        assert_eq!(judge(201, &Value::Null), Ended::Ok);
        assert_eq!(judge(409, &not_done), Ended::Fail);
        assert_eq!(judge(503, &not_done), Ended::Fail);
        assert_eq!(judge(409, &json!({ "outcome": "unknown" })), Ended::Maybe);
        assert_eq!(judge(503, &json!({ "outcome": "unknown" })), Ended::Maybe);
        assert_eq!(judge(500, &Value::Null), Ended::Maybe);
        assert_eq!(judge(502, &Value::Null), Ended::Maybe);
        assert_eq!(judge(404, &Value::Null), Ended::Fail);
    }
}
