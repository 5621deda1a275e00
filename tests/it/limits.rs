//! How often anybody may ask: over HTTP, with a real Redis, without one, and with one that forgets.

mod admission;
mod connections;
mod peers;
mod sum;

use std::time::{Duration, Instant};

use ::api::http::limits::{Quota, Settings};
use axum::http::HeaderMap;
use kalel::serve::listen::{Bounds, serve};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::api::{Api, fresh_key, slot};

/// So high that it is never met.
const HIGH: Quota = Quota::new(600_000, 60, 100_000);

/// Nothing is limited but what a test says.
pub(crate) fn open() -> Settings {
    Settings {
        anonymous: HIGH,
        client: HIGH,
        staff: HIGH,
        service: HIGH,
        search: HIGH,
        holds: HIGH,
        exports: HIGH,
        webhooks_at_once: 100,
        trusted_proxies: Vec::new(),
    }
}

/// A process of the API with limits, on the log of another, behind the listener of `kalel serve`.
struct Limited {
    base: String,
    http: reqwest::Client,
    closing: CancellationToken,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Insists on a refusal of one policy, and answers after how many seconds to come back.
    fn too_many(&self, policy: &str) -> u64 {
        assert_eq!((self.status, self.body["code"].as_str()), (429, Some("request.too_many")), "{}", self.body);
        assert_eq!(self.body["retryable"], true);
        assert!(self.header("ratelimit").contains(&format!("\"{policy}\";r=0;t=")), "{}", self.header("ratelimit"));
        self.header("retry-after").parse().unwrap()
    }
}

impl Limited {
    async fn new(api: &Api, settings: Settings, redis_url: Option<String>) -> Self {
        let store = api.world.store().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = ::api::App::new(::api::Options {
            watch: projections::Watch::new(store.clone()),
            store,
            settings: ::api::Settings {
                public_url: base.clone(),
                methods: vec![domain::payment::Method::Wave],
                redis_url,
                limits: Some(settings),
                ..Default::default()
            },
            webhooks: crate::api::verifiers(),
        });
        let closing = CancellationToken::new();
        tokio::spawn(serve(listener, ::api::router(app), Bounds::default(), closing.clone()));
        Self { base, http: reqwest::Client::new(), closing }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    async fn get(&self, secret: &str, path: &str) -> Answer {
        answered(self.ask(Method::GET, path).bearer_auth(secret)).await
    }

    async fn place(&self, secret: &str, key: &str, body: &Value) -> Answer {
        let ask = self.ask(Method::POST, "/v1/reservations").bearer_auth(secret).header("idempotency-key", key);
        answered(ask.header("content-type", "application/json").body(body.to_string())).await
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

async fn answered(ask: RequestBuilder) -> Answer {
    let answer = ask.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null);
    Answer { status, headers, body }
}

/// A good key of somebody's, or ever another one that is none: signing in is counted by where it comes from.
#[tokio::test]
async fn nobody_tries_to_sign_in_more_often_for_sending_a_key_along() {
    let api = Api::new().await;
    for bearers in [vec![api.secret("client"), api.secret("service"), api.secret("manager")], vec![]] {
        let here = Limited::new(&api, Settings { anonymous: Quota::new(60, 60, 3), ..open() }, None).await;
        let body = json!({ "email": "awa@kalel.sn", "passphrase": "quatre mots bien secrets", "totp": "123456" });
        let mut statuses = Vec::new();
        for n in 0..6 {
            let forged = format!("ks_test_{n}");
            let bearer = bearers.get(n % bearers.len().max(1)).copied().unwrap_or(&forged);
            let ask = here.ask(Method::POST, "/v1/sessions/staff").bearer_auth(bearer).json(&body);
            statuses.push(answered(ask).await.status);
        }
        assert_eq!(statuses, [401, 401, 401, 429, 429, 429]);
        // What only reads is counted under who reads.
        if let Some(client) = bearers.first() {
            assert_eq!(here.get(client, "/v1/payment-methods").await.status, 200);
        }
    }
}

#[tokio::test]
async fn every_limited_answer_says_where_the_caller_stands() {
    let api = Api::new().await;
    let here = Limited::new(&api, Settings { client: Quota::new(60, 60, 3), ..open() }, None).await;
    let mut left = Vec::new();
    let refused = loop {
        let answer = here.get(api.secret("client"), "/v1/reservations").await;
        if answer.status != 200 {
            break answer;
        }
        assert_eq!(answer.header("ratelimit-policy"), "\"client\";q=60;w=60");
        left.push(answer.header("ratelimit").split(';').nth(1).unwrap().to_owned());
        assert!(left.len() < 30, "nothing is limited");
    };
    assert_eq!(left.first().map(String::as_str), Some("r=2"));
    assert!(left.len() >= 3 && left.contains(&"r=0".to_owned()), "{left:?}");
    let wait = refused.too_many("client");
    assert_eq!(wait, 1);
    // An error of the caller's own counts, too, and says so; other callers do not mind.
    let other = here.get(api.secret("other_client"), "/v1/reservations?no=such").await;
    assert_eq!((other.status, other.header("ratelimit").starts_with("\"client\";r=2;")), (400, true));
    assert_eq!(
        here.get(api.secret("admin"), "/v1/reservations").await.header("ratelimit-policy"),
        "\"staff\";q=600000;w=60"
    );
    // Whoever comes when they were told is let in.
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(here.get(api.secret("client"), "/v1/reservations").await.status, 200);
    // What limits nobody says nothing.
    let free = answered(here.ask(Method::GET, "/livez")).await;
    assert_eq!((free.status, free.header("ratelimit")), (200, ""));
    assert_eq!(api.get("client", "/v1/reservations").await.is(200).header("ratelimit"), "");
}

#[tokio::test]
async fn a_call_too_many_is_explained_in_three_languages_and_to_browsers() {
    let api = Api::new().await;
    let here = Limited::new(&api, Settings { client: Quota::new(1, 3_600, 1), ..open() }, None).await;
    assert_eq!(here.get(api.secret("client"), "/v1/reservations").await.status, 200);
    let mut told = Vec::new();
    for language in ["fr", "en", "wo"] {
        let ask = here.ask(Method::GET, "/v1/reservations").bearer_auth(api.secret("client"));
        let answer = answered(ask.header("accept-language", language)).await;
        assert!((3_590..=3_600).contains(&answer.too_many("client")));
        told.push(answer.body["detail"].as_str().unwrap().to_owned());
        assert!(told.last().unwrap().contains(answer.header("retry-after")), "{told:?}");
    }
    told.dedup();
    assert_eq!(told.len(), 3);
    // Whether a repeated request was carried out before, a count cannot tell.
    let placed = here.place(api.secret("client"), &fresh_key(), &json!({})).await;
    placed.too_many("client");
    assert_eq!(placed.body["outcome"], "unknown");
    let document = api.ask(Method::GET, "/openapi.json").send().await.is(200).body;
    let described = &document["paths"]["/v1/reservations"]["post"]["responses"];
    let shared = described["429"]["$ref"].as_str().unwrap().trim_start_matches('#');
    let refused = document.pointer(shared).unwrap();
    assert!(refused.to_string().contains("request.too_many"));
    for header in ["RateLimit", "RateLimit-Policy", "Retry-After"] {
        assert!(!refused["headers"][header].is_null(), "{header}");
    }
    assert!(!described["201"]["headers"]["RateLimit"].is_null());
    let webhook = &document["paths"]["/v1/provider-webhooks/{provider}"]["post"];
    assert!(webhook["responses"]["429"].is_null() && webhook["x-limit"] == "webhook");
}

#[tokio::test]
async fn strangers_are_counted_by_the_address_that_a_trusted_proxy_names() {
    let api = Api::new().await;
    let ours = vec!["127.0.0.0/8".parse().unwrap()];
    let settings = Settings { search: Quota::new(1, 3_600, 2), trusted_proxies: ours, ..open() };
    let here = Limited::new(&api, settings.clone(), None).await;
    let from = async |here: &Limited, hops: &str| {
        let answer = answered(here.ask(Method::GET, "/v1/sites").header("x-forwarded-for", hops)).await;
        assert!(answer.header("ratelimit-policy").starts_with("\"search\";"), "{}", answer.header("ratelimit-policy"));
        answer.status
    };
    for hops in ["196.207.0.1", "1.1.1.1, 196.207.0.1"] {
        assert_eq!(from(&here, hops).await, 200);
    }
    // What the client writes before our proxy does changes nothing.
    assert_eq!(from(&here, "2.2.2.2, 196.207.0.1").await, 429);
    assert_eq!(from(&here, "196.207.0.2").await, 200);
    // A subscriber of IPv6 has 2^64 addresses and one limit.
    let addresses = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::2", "2001:db8:1:3::1"];
    let mut seen = Vec::new();
    for address in addresses {
        seen.push(from(&here, address).await);
    }
    assert_eq!(seen, [200, 200, 429, 200]);
    // Without a trusted proxy the peer counts, whatever it claims.
    let here = Limited::new(&api, Settings { trusted_proxies: Vec::new(), ..settings }, None).await;
    let seen = [from(&here, "3.3.3.1").await, from(&here, "3.3.3.2").await, from(&here, "3.3.3.3").await];
    assert_eq!(seen, [200, 200, 429]);
}

#[tokio::test]
async fn nobody_tries_keys_for_as_long_as_they_like() {
    let api = Api::new().await;
    let here = Limited::new(&api, Settings { anonymous: Quota::new(1, 3_600, 3), ..open() }, None).await;
    let mut seen = Vec::new();
    for number in 0..5 {
        seen.push(here.get(&format!("kk_test_{number:032}"), "/v1/reservations").await.status);
    }
    assert_eq!(seen, [401, 401, 401, 429, 429]);
    // A good key from the same address is another matter.
    assert_eq!(here.get(api.secret("client"), "/v1/reservations").await.status, 200);
    // So is a provider, who is counted by nobody.
    for _ in 0..5 {
        let answer = answered(here.ask(Method::POST, "/v1/provider-webhooks/wave").body("{}")).await;
        assert_eq!((answer.status, answer.header("ratelimit")), (401, ""));
    }
    // And a payer, of whom there are many at one address: page by page.
    let mut seen = Vec::new();
    for page in ["/pay/a", "/pay/a", "/pay/a", "/pay/a", "/pay/b"] {
        let answer = answered(here.ask(Method::GET, page)).await;
        assert!(answer.header("ratelimit").starts_with("\"page\";"));
        seen.push(answer.status);
    }
    assert_eq!(seen, [404, 404, 404, 429, 404]);
    let full = Limited::new(&api, Settings { webhooks_at_once: 0, ..open() }, None).await;
    let answer = answered(full.ask(Method::POST, "/v1/provider-webhooks/wave").body("{}")).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
}

#[tokio::test]
async fn slots_are_held_for_a_client_so_often_and_what_was_not_held_does_not_count() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let here = Limited::new(&api, Settings { holds: Quota::new(1, 3_600, 2), ..open() }, None).await;
    let wish = |hour: i64, phone: &str| {
        let mut wish = slot(&site, "nord", api.midday(3) + chrono::TimeDelta::hours(hour), 60);
        wish["client"] = json!({ "phone": phone, "name": "Awa" });
        wish
    };
    let service = api.secret("service");
    let (awa, modou) = ("77 123 45 67", "77 765 43 21");
    let (key, first) = (fresh_key(), wish(0, awa));
    let placed = here.place(service, &key, &first).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    assert_eq!(placed.header("ratelimit-policy"), "\"service\";q=600000;w=60, \"holds\";q=1;w=3600");
    // Taken: that is no hold, however often.
    for _ in 0..4 {
        assert_eq!(here.place(service, &fresh_key(), &first).await.status, 409);
    }
    // The first client was registered by the first hold; the second counts one more, and the third is too many.
    assert_eq!(here.place(service, &fresh_key(), &wish(1, awa)).await.status, 201);
    let third = here.place(service, &fresh_key(), &wish(2, awa)).await;
    third.too_many("holds");
    assert_eq!(third.body["outcome"], "not_done");
    assert_eq!(here.place(service, &fresh_key(), &wish(2, modou)).await.status, 201);
    // A repetition is answered as before, whatever is left.
    let again = here.place(service, &key, &first).await;
    assert_eq!((again.status, &again.body["id"]), (201, &placed.body["id"]));
    // A manager's are confirmed, not held.
    for hour in 3..8 {
        assert_eq!(here.place(api.secret("manager"), &fresh_key(), &wish(hour, awa)).await.status, 201);
    }
}

#[tokio::test]
async fn processes_count_together_in_redis() {
    let api = Api::new().await;
    let settings = Settings { client: Quota::new(1, 3_600, 4), ..open() };
    let one = Limited::new(&api, settings.clone(), Some(api.world.redis_url.clone())).await;
    let two = Limited::new(&api, settings, Some(api.world.redis_url.clone())).await;
    let mut seen = Vec::new();
    // A machine that stalls for 50 ms has no Redis for a while, and each process half of it.
    for client in ["client", "other_client"] {
        let mut admitted = 0;
        for _ in 0..6 {
            for process in [&one, &two] {
                admitted += usize::from(process.get(api.secret(client), "/v1/reservations").await.status == 200);
            }
        }
        seen.push(admitted);
        if admitted == 4 {
            return;
        }
    }
    panic!("each counts by itself: {seen:?}");
}

#[tokio::test]
async fn without_redis_half_of_it_goes_on_and_nobody_waits() {
    let api = Api::new().await;
    let settings = Settings { client: Quota::new(60, 3_600, 6), ..open() };
    let here = Limited::new(&api, settings, Some("redis://127.0.0.1:1/".into())).await;
    let begun = Instant::now();
    let mut admitted = 0;
    for _ in 0..12 {
        let answer = here.get(api.secret("client"), "/v1/reservations").await;
        assert_eq!(answer.header("ratelimit-policy"), "\"client\";q=30;w=3600");
        admitted += u32::from(answer.status == 200);
    }
    assert_eq!(admitted, 3);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_redis_that_forgets_lets_nobody_through_who_is_known_here_and_grants_nothing() {
    let api = Api::new().await;
    // A database of its own within the tests' Redis: the others' answers stay.
    let url = format!("{}/9", api.world.redis_url.trim_end_matches("/0"));
    let settings = Settings { client: Quota::new(1, 3_600, 4), ..open() };
    let here = Limited::new(&api, settings, Some(url.clone())).await;
    let mut redis = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let (mut admitted, mut refused) = (0, 0);
    for _ in 0..12 {
        match here.get(api.secret("client"), "/v1/reservations").await.status {
            200 => admitted += 1,
            429 => refused += 1,
            other => panic!("{other}"),
        }
        redis::cmd("FLUSHDB").exec_async(&mut redis).await.unwrap();
        // Rights are not decided there.
        assert_eq!(here.get(api.secret("client"), "/v1/ledger/trial-balance").await.status / 100, 4);
        assert_eq!(here.get("kk_test_nobodys", "/v1/reservations").await.status, 401);
    }
    assert!(admitted <= 4 && admitted + refused == 12, "{admitted} {refused}");
}

#[tokio::test]
async fn an_address_is_written_nowhere_in_the_clear() {
    let api = Api::new().await;
    let ours = vec!["127.0.0.0/8".parse().unwrap()];
    let url = format!("{}/10", api.world.redis_url.trim_end_matches("/0"));
    let here = Limited::new(&api, Settings { trusted_proxies: ours, ..open() }, Some(url.clone())).await;
    let mut redis = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut kept: Vec<String> = Vec::new();
    // Redis may be thought gone for a moment on a busy machine.
    for _ in 0..40 {
        let ask = here.ask(Method::GET, "/v1/sites").header("x-forwarded-for", "196.207.254.17");
        assert_eq!(answered(ask).await.status, 200);
        kept = redis::cmd("KEYS").arg("*:limit:*").query_async(&mut redis).await.unwrap();
        if !kept.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(
        !kept.is_empty() && kept.iter().all(|key| !key.contains("196.207") && key.contains(":limit:search:")),
        "{kept:?}"
    );
}
