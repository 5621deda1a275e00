//! Pages, as a person with a telephone uses them; and waiting for what follows from it.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode, header::LOCATION};
use serde_json::Value;

use super::guide::{Guide, Off, wrong};

/// How long a step waits for what happens in the background.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long something is waited for that may need more time to pass on the test clock.
const A_WHILE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

fn unreachable(url: &str) -> impl Fn(reqwest::Error) -> Off {
    let call = url.to_owned();
    move |source| Off::Unreachable { call: call.clone(), source }
}

impl Guide {
    /// Presses a button of a provider's page.
    pub async fn press(&self, url: &str, button: &str) -> Result<StatusCode, Off> {
        self.press_with(url, button, &[]).await
    }

    /// The same, having filled in some fields.
    pub async fn press_with(&self, url: &str, button: &str, fields: &[(&str, &str)]) -> Result<StatusCode, Off> {
        let page = self.http.get(url).send().await.map_err(unreachable(url))?.text().await.map_err(unreachable(url))?;
        if !page.contains(&format!("value={button}")) {
            return Err(wrong(format!("{url} shows no button {button}")));
        }
        println!("    {}", self.paint("1", &format!("POST {url} ({button})")));
        let form: Vec<(&str, &str)> = fields.iter().copied().chain([("action", button)]).collect();
        let pressed = self.http.post(url).form(&form).send().await.map_err(unreachable(url))?;
        Ok(pressed.status())
    }

    /// Chooses a method on our page of a share; the provider's page to which that leads.
    pub async fn choose(&self, link: &str, method: &str, phone: &str) -> Result<String, Off> {
        let page =
            self.http.get(link).send().await.map_err(unreachable(link))?.text().await.map_err(unreachable(link))?;
        if !page.contains(&format!("value=\"{method}\"")) {
            return Err(wrong(format!("{link} does not offer {method}: {page}")));
        }
        println!("    {}", self.paint("1", &format!("POST {link} ({method})")));
        let form = [("method", method), ("phone", phone)];
        let asked = self.http.post(link).form(&form).send().await.map_err(unreachable(link))?;
        let next = |answer: &reqwest::Response| {
            answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned)
        };
        let Some(waits) = next(&asked) else { return Err(wrong(format!("{link}: {}", asked.status()))) };
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let answer = self.http.get(&waits).send().await.map_err(unreachable(&waits))?;
            if let Some(provider) = next(&answer) {
                return Ok(provider);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Err(wrong(format!("{waits} leads to no provider after {PATIENCE:?}")))
    }

    /// Waits until a number of an object has a value.
    pub async fn until_number(&mut self, role: &str, path: &str, pointer: &str, wanted: i64) -> Result<(), Off> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.quiet(role, Method::GET, path, None).await?;
            let found = answer.body.pointer(pointer).and_then(Value::as_i64);
            if found == Some(wanted) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(wrong(format!("{path}: {pointer} is {found:?} and not {wanted} after {PATIENCE:?}")));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// A part of an object once it has moved on from a version, or has not for a while.
    pub async fn moved_on(&mut self, role: &str, path: &str, pointer: &str, from: i64) -> Result<Value, Off> {
        let deadline = Instant::now() + A_WHILE;
        loop {
            let answer = self.quiet(role, Method::GET, path, None).await?;
            let found = answer.body.pointer(pointer).cloned().unwrap_or_default();
            let settled = matches!(found["status"].as_str(), Some("failed" | "succeeded"));
            if settled && found["version"].as_i64() > Some(from) || Instant::now() > deadline {
                return Ok(found);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
