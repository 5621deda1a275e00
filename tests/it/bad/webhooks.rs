//! Messages of providers, changed on their way: only what proves itself is kept, and whatever is kept writes nothing.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use kalel::seeded::Seeded;
use reqwest::Method;
use serde_json::json;
use sha2::{Digest, Sha256, Sha512};

use super::{
    house::{House, url_encoded},
    process::{PAYDUNYA_MASTER, PAYTECH_KEY, PAYTECH_SECRET, SONATEL_KEY, SONATEL_SIGNING},
    run::{Case, Must, Tally, drawn},
};
use crate::api::{FATOU_SECRET, WAVE_SECRET};

/// A genuine message.
#[derive(Clone)]
struct Message {
    path: &'static str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Every byte of the body is under the proof; else only these words.
    whole: bool,
    proven: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_changed_on_its_way_is_refused_and_leaves_no_trace() {
    let count = super::count(2_000, 50_000);
    let house = House::new().await;
    let mut seeded = Seeded(super::seed());
    let now = house.api.store.clock().outside().timestamp();
    let rails = rails(now);
    let head = house.api.store.head().await.unwrap();
    let mut tally = Tally::new("webhooks");
    let (mut forged, mut unproven) = (Vec::new(), Vec::new());
    for message in &rails {
        let mut cases = dropped(message);
        cases.extend(flips(message, &mut seeded));
        if message.whole {
            cases.extend(elsewhere(message, &rails));
            cases.extend(signatures(message, now));
        }
        while cases.len() < count / 6 {
            cases.push(spoiled(message, &mut seeded));
        }
        let (sure, open): (Vec<_>, Vec<_>) = cases.into_iter().partition(|case| case.must != Must::May);
        forged.push(sure);
        unproven.push(open);
    }
    unproven.retain(|cases| !cases.is_empty());
    let part = count / 4;
    for (message, forged) in rails.iter().zip(&mut forged).filter(|(message, _)| message.whole) {
        forged.extend((0..count / 4).map(|_| spoiled(message, &mut seeded)));
    }
    // First what proves nothing: none of it is kept.
    tally.try_all(&house, drawn(forged, count - part, &mut seeded)).await;
    let kept = kept(&house).await;
    if kept != 0 {
        tally.wrong(format!("{kept} messages that prove nothing were kept"));
    }
    tally.run(&house, &drawn(unproven, part, &mut seeded)).await;
    if house.api.store.head().await.unwrap() != head {
        tally.wrong("a message alone has written".into());
    }
    tally.report(Some(&house.process), count);
    // The genuine ones are taken, so that all of that was not refused for another reason.
    for message in rails.iter().filter(|message| message.whole || !message.proven.is_empty()) {
        let mut genuine = Tally::new("webhooks, genuine");
        genuine.run(&house, &[message.case("as it is", Must::Be(vec![200]))]).await;
        genuine.report(None, 1);
    }
}

async fn kept(house: &House) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM work.inbox").fetch_one(&house.api.world.pool).await.unwrap()
}

fn mac(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    hex::encode(mac.finalize().into_bytes())
}

/// One of each that there is an account for.
fn rails(now: i64) -> Vec<Message> {
    let event = json!({ "id": "EV_BAD", "type": "checkout.session.completed", "data": { "id": "cos-1", "amount": "9000", "currency": "XOF",
        "checkout_status": "complete", "payment_status": "succeeded", "client_reference": "x", "transaction_id": "T_1" } })
    .to_string()
    .into_bytes();
    let wave = |path, secret: &str| Message {
        path,
        headers: vec![(
            "wave-signature".into(),
            format!("t={now},v1={}", mac(secret, &[now.to_string().as_bytes(), &event])),
        )],
        body: event.clone(),
        whole: true,
        proven: Vec::new(),
    };
    let row = json!({ "amount": { "unit": "XOF", "value": 9000 }, "reference": "AZqyxF8AcACAAAAAAAAABQ", "status": "SUCCESS", "type": "MERCHANT_PAYMENT",
                      "transactionId": "MP1" }).to_string().into_bytes();
    let signed = mac(SONATEL_SIGNING, &[now.to_string().as_bytes(), b",", &row]);
    let sonatel = Message {
        path: "/v1/provider-webhooks/sonatel",
        headers: vec![
            ("authorization".into(), format!("Basic {SONATEL_KEY}")),
            ("x-sonatel-signature".into(), format!("t={now},v1={signed}")),
        ],
        body: row,
        whole: true,
        proven: Vec::new(),
    };
    let (amount, reference) = ("9000", "AZqyxF8AcACAAAAAAAAABQ");
    let proof = mac(PAYTECH_SECRET, &[format!("{amount}|{reference}|{PAYTECH_KEY}").as_bytes()]);
    let ipn = json!({ "type_event": "sale_complete", "final_item_price": amount, "ref_command": reference, "env": "prod", "hmac_compute": proof });
    let paytech = |json: bool| Message {
        path: "/v1/provider-webhooks/paytech",
        headers: vec![(
            "content-type".into(),
            if json { "application/json" } else { "application/x-www-form-urlencoded" }.into(),
        )],
        body: if json {
            ipn.to_string()
        } else {
            form(ipn.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())))
        }
        .into_bytes(),
        whole: false,
        proven: vec![amount.into(), reference.into(), proof.clone()],
    };
    let hash = hex::encode(Sha512::digest(PAYDUNYA_MASTER));
    let paydunya = Message {
        path: "/v1/provider-webhooks/paydunya",
        headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
        body: form(
            [
                ("data[hash]", hash.as_str()),
                ("data[mode]", "live"),
                ("data[invoice][token]", "tok_1"),
                ("data[status]", "completed"),
            ]
            .into_iter(),
        )
        .into_bytes(),
        whole: false,
        proven: vec![hash],
    };
    vec![
        wave("/v1/provider-webhooks/wave", WAVE_SECRET),
        wave("/v1/provider-webhooks/wave/fatou", FATOU_SECRET),
        sonatel,
        paytech(true),
        paytech(false),
        paydunya,
    ]
}

fn form<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    fields.map(|(name, value)| format!("{}={}", url_encoded(name), url_encoded(value))).collect::<Vec<_>>().join("&")
}

impl Message {
    fn case(&self, about: impl Into<String>, must: Must) -> Case {
        let about = format!("{}: {}", self.path, about.into());
        let (headers, body) = (self.headers.clone(), self.body.clone());
        Case { about, method: Method::POST, path: self.path.to_owned(), who: None, headers, body, must }
    }

    /// Whether a byte of the body is under the proof.
    fn proves(&self, at: usize) -> bool {
        self.whole
            || self.proven.iter().any(|word| {
                let place = self.body.windows(word.len()).position(|part| part == word.as_bytes());
                place.is_some_and(|place| (place..place + word.len()).contains(&at))
            })
    }

    fn must(&self, at: usize) -> Must {
        // Whether the whole is still a form, or JSON, is asked first.
        if self.proves(at) { Must::Be(vec![400, 401]) } else { Must::May }
    }
}

/// Each byte of the body and of each header, with one bit of it turned.
fn flips(message: &Message, seeded: &mut Seeded) -> Vec<Case> {
    let mut cases = Vec::new();
    for at in 0..message.body.len() {
        let bit = 1 << seeded.below(8);
        let mut case = message.case(format!("bit {bit} of byte {at} of the body"), message.must(at));
        case.body[at] ^= bit;
        // An escaped letter is the letter.
        if !message.whole && case.body[at].eq_ignore_ascii_case(&message.body[at]) {
            case.must = Must::May;
        }
        cases.push(case);
    }
    if message.whole {
        for (number, (name, value)) in message.headers.iter().enumerate() {
            for at in 0..value.len() {
                let mut bytes = value.clone().into_bytes();
                bytes[at] ^= 1 << seeded.below(5);
                let flipped = String::from_utf8(bytes).unwrap();
                if flipped.bytes().all(|byte| byte.is_ascii_graphic()) {
                    let mut case = message.case(format!("byte {at} of {name}: {flipped}"), Must::Be(vec![401]));
                    case.headers[number].1 = flipped;
                    cases.push(case);
                }
            }
        }
    }
    cases
}

/// Without a header, with it twice, or under another name; without a body.
fn dropped(message: &Message) -> Vec<Case> {
    let mut cases = Vec::new();
    let must = if message.whole { Must::Be(vec![401]) } else { Must::May };
    for number in 0..message.headers.len() {
        let mut without = message.case(format!("without {}", message.headers[number].0), must.clone());
        without.headers.remove(number);
        cases.push(without);
        let mut twice = message.case(format!("{} twice", message.headers[number].0), must.clone());
        twice.headers.push(message.headers[number].clone());
        cases.push(twice);
        let mut other = message.case(format!("x-{}", message.headers[number].0), must.clone());
        other.headers[number].0 = format!("x-{}", other.headers[number].0);
        cases.push(other);
    }
    for (about, body) in
        [("nothing", ""), ("{}", "{}"), ("[]", "[]"), ("null", "null"), ("a form", "a=b"), ("XML", "<a/>")]
    {
        let mut case =
            message.case(format!("{about} for a body"), if message.whole { Must::Be(vec![401]) } else { Must::May });
        case.body = body.into();
        cases.push(case);
    }
    cases
}

/// At another merchant's address, at another provider's, at nobody's.
fn elsewhere(message: &Message, rails: &[Message]) -> Vec<Case> {
    let paths = rails.iter().map(|other| other.path).filter(|path| *path != message.path && !path.contains("paydunya"));
    let strange = [
        "/v1/provider-webhooks/nobody",
        "/v1/provider-webhooks/wave/nobody",
        "/v1/provider-webhooks/WAVE",
        "/v1/provider-webhooks/wave%2ffatou",
        "/v1/provider-webhooks/wave/..",
        "/v1/provider-webhooks/sonatel/fatou",
        "/v1/provider-webhooks/webpay/x",
    ];
    paths
        .chain(strange)
        .map(|path| {
            let mut case = message.case(format!("at {path}"), Must::Refuse);
            case.path = path.to_owned();
            case
        })
        .collect()
}

/// Other times, algorithms, encodings and separators; one franc more or less.
fn signatures(message: &Message, now: i64) -> Vec<Case> {
    let (secret, between, place) = match message.path {
        "/v1/provider-webhooks/wave" => (WAVE_SECRET, "", 0),
        "/v1/provider-webhooks/wave/fatou" => (FATOU_SECRET, "", 0),
        _ => (SONATEL_SIGNING, ",", 1),
    };
    let at = |time: &str, body: &[u8]| mac(secret, &[time.as_bytes(), between.as_bytes(), body]);
    let (right, t) = (at(&now.to_string(), &message.body), now.to_string());
    let mut all: Vec<(String, String)> = Vec::new();
    let times = [now - 301, now - 3_600, now + 3_600, now + 86_400 * 400, 0, -1, i64::MIN, i64::MAX, now * 1_000];
    for time in times
        .map(|time| time.to_string())
        .into_iter()
        .chain(["", "x", "1e9", "99999999999999999999", " 1"].map(str::to_owned))
    {
        all.push((format!("signed at {time:?}"), format!("t={time},v1={}", at(&time, &message.body))));
    }
    let raw = hex::decode(&right).unwrap();
    let sha512 = hex::encode(Sha512::digest([secret.as_bytes(), &message.body].concat()));
    let plain =
        hex::encode(Sha256::digest([secret.as_bytes(), t.as_bytes(), between.as_bytes(), &message.body].concat()));
    for (about, value) in [
        ("base64", STANDARD.encode(&raw)),
        ("half", right[..32].to_owned()),
        ("one letter less", right[..63].to_owned()),
        ("one letter more", format!("{right}0")),
        ("0x", format!("0x{right}")),
        ("in blanks", format!(" {right}x")),
        ("nothing", String::new()),
        ("zeros", "0".repeat(64)),
        ("another hash", sha512),
        ("no HMAC", plain),
        ("without the time", mac(secret, &[&message.body])),
        ("with a dot", mac(secret, &[t.as_bytes(), b".", &message.body])),
        ("of nothing", mac(secret, &[t.as_bytes(), between.as_bytes()])),
        ("with no secret", mac("", &[t.as_bytes(), between.as_bytes(), &message.body])),
        ("by somebody else", mac("wave_sn_WHS_forged", &[t.as_bytes(), between.as_bytes(), &message.body])),
    ] {
        all.push((about.to_owned(), format!("t={t},v1={value}")));
    }
    for (about, value) in [
        ("another version", format!("t={t},v2={right}")),
        ("no version", format!("t={t},{right}")),
        ("only the proof", right.clone()),
        ("no time", format!("v1={right}")),
        ("two times", format!("t={},t={t},v1={right}", now - 1_000)),
        ("semicolons", format!("t={t};v1={right}")),
        ("blanks", format!("t = {t} , v1 = {right}")),
        ("colons", format!("t:{t},v1:{right}")),
        ("no algorithm", format!("t={t},none={right}")),
        ("JSON", format!("{{\"t\":{t},\"v1\":\"{right}\"}}")),
        ("in quotes", format!("\"t={t},v1={right}\"")),
        ("separators alone", ",,,===,,,".to_owned()),
        ("a bearer", format!("Bearer {right}")),
        ("many proofs", format!("t={t}{}", format!(",v1={}", "0".repeat(64)).repeat(40))),
    ] {
        all.push((about.to_owned(), value));
    }
    let mut cases: Vec<Case> = all
        .into_iter()
        .map(|(about, value)| {
            let mut case = message.case(about, Must::Be(vec![401]));
            case.headers[place].1 = value;
            case
        })
        .collect();
    let text = String::from_utf8(message.body.clone()).unwrap();
    for amount in ["8999", "9001", "09000", "9000.0", "-9000", "90000"] {
        cases.push(Case {
            body: text.replacen("9000", amount, 1).into_bytes(),
            ..message.case(format!("{amount} francs"), Must::Be(vec![401]))
        });
    }
    for (about, body) in [
        ("a byte order mark", format!("\u{feff}{text}")),
        ("a line at the end", format!("{text}\n")),
        ("a blank before", format!(" {text}")),
        ("twice", format!("{text}{text}")),
        ("in capitals", text.to_uppercase()),
        ("written otherwise", text.replace(':', ": ")),
        ("a form around it", format!("data={}", url_encoded(&text))),
        ("in base64", STANDARD.encode(&text)),
        ("cut off", text[..text.len() - 1].to_owned()),
    ] {
        cases.push(Case { body: body.into_bytes(), ..message.case(about, Must::Be(vec![401])) });
    }
    cases
}

/// Several bytes changed, taken away or added.
fn spoiled(message: &Message, seeded: &mut Seeded) -> Case {
    let mut case = message.case("spoiled", if message.whole { Must::Be(vec![401]) } else { Must::May });
    for _ in 0..=seeded.below(6) {
        let at = usize::try_from(seeded.below(case.body.len() as u64)).unwrap();
        let byte = u8::try_from(seeded.below(256)).unwrap();
        match seeded.below(4) {
            0 if case.body.len() > 1 => drop(case.body.remove(at)),
            1 => case.body.insert(at, byte),
            2 => case.body.truncate(at.max(1)),
            _ => case.body[at] = byte,
        }
    }
    // By chance nothing has changed.
    if case.body == message.body {
        case.body.push(b'x');
    }
    case
}
