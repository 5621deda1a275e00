//! Text of every kind, wherever a text is taken: in bodies, in queries, in paths.

use ::api::http::operation::Kind;
use kalel::seeded::Seeded;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    document::with_raw,
    house::{Door, House, url_encoded},
    run::{Case, Must, Tally, drawn},
};
use crate::api::ground;

/// As they stand in JSON: what no text of ours may hold.
const REFUSED: [(&str, &str); 14] = [
    ("a NUL", r#""\u0000""#),
    ("a NUL inside", r#""a\u0000b""#),
    ("half a surrogate", r#""\ud800""#),
    ("surrogates the wrong way round", r#""\udc00\ud800""#),
    ("half an emoji", r#""ok \ud83d!""#),
    ("a line break and a header", r#""a\r\nx-injected: 1""#),
    ("a line of ours", r#""a\n{\"level\":\"INFO\"}""#),
    ("colours of a terminal", r#""\u001b[31mred\u001b[0m""#),
    ("a bell", r#""\u0007""#),
    ("delete", r#""a\u007f""#),
    ("a control character of Latin 1", r#""a\u0085b""#),
    ("from right to left from here", r#""a\u202efdp.exe""#),
    ("an isolate", r#""\u2066a\u2069""#),
    ("a line separator", r#""a\u2028b""#),
];

/// What a text may hold, where its form does not say otherwise.
const ODD: [(&str, &str); 26] = [
    ("nothing", ""),
    ("a blank", " "),
    ("a blank that is none", "\u{a0}"),
    ("no width", "\u{200b}"),
    ("Arabic", "ملعب كرة القدم"),
    ("Hebrew with points", "שָׁלוֹם"),
    ("a family joined", "👨‍👩‍👧‍👦"),
    ("a flag", "🇸🇳"),
    ("composed", "Caf\u{e9} Ndiaye"),
    ("decomposed", "Cafe\u{301} Ndiaye"),
    ("a tower of marks", "Z\u{351}\u{36b}\u{343}\u{36a}\u{302}\u{36b}\u{33d}\u{34f}\u{334}"),
    ("beyond the first plane", "𝕳𝖊𝖑𝖑𝖔"),
    ("full width", "Ｆｕｌｌ'；"),
    ("a replacement", "\u{fffd}"),
    ("no character", "\u{ffff}"),
    ("private use", "\u{e000}"),
    ("quotes", "'\"`´’"),
    ("SQL", "'; DROP TABLE event_log.events; --"),
    ("a format", "%s%s%n%x%99999d{}{0}"),
    ("a template", "{{7*7}}${7*7}<%= 7*7 %>#{7*7}"),
    ("a look-up", "${jndi:ldap://127.0.0.1:9/a}"),
    ("a path", "../../../../etc/passwd"),
    ("backslashes", "\\\\server\\share\\"),
    ("a word of JSON", "null"),
    ("a number", "1e309"),
    ("a tag", "<script>alert('kalel')</script>"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_of_every_kind_are_taken_whole_or_refused() {
    let count = super::count(1_000, 20_000);
    let house = House::new().await;
    let mut seeded = Seeded(super::seed());
    let mut groups: Vec<Vec<Case>> = Vec::new();
    for door in house.doors().await {
        if door.operation.body.is_some() {
            groups.push(in_a_body(&house, &door));
        }
        groups.push(in_a_query(&door));
        groups.push(in_a_path(&door));
    }
    groups.retain(|group| !group.is_empty());
    while groups.iter().map(Vec::len).sum::<usize>() < count {
        groups.push((0..500).map(|_| mixed(&house, &mut seeded)).collect());
    }
    let mut tally = Tally::new("strings");
    tally.try_all(&house, drawn(groups, count, &mut seeded)).await;
    twins(&house, &mut tally).await;
    // What was taken is in the views, and what is there can still be read.
    house.api.settle().await;
    for path in ["/v1/sites", "/v1/reservations", "/v1/promotions", "/v1/endpoints"] {
        let read = house.api.get("service", path).await;
        if read.status >= 500 {
            tally.wrong(format!("{path} cannot be read afterwards: {}", read.body));
        }
    }
    tally.report(Some(&house.process), count);
}

fn in_a_body(house: &House, door: &Door) -> Vec<Case> {
    let body = door.body.as_ref().unwrap();
    let mut cases = Vec::new();
    for member in house.document.members(door.operation, body) {
        if !house.document.types(member.schema).contains("string") {
            continue;
        }
        // Read only where it was asked for, and kept nowhere.
        let unread = door.operation.id == "challenge.ask" && member.name == "work";
        for (about, raw) in REFUSED.into_iter().filter(|_| !unread) {
            cases.push(door.case(format!("{}: {about}", member.pointer()), with_raw(body, &member, raw), Must::Refuse));
        }
        for (about, text) in ODD {
            let raw = json!(text).to_string();
            cases.push(door.case(format!("{}: {about}", member.pointer()), with_raw(body, &member, &raw), Must::May));
        }
        let mut long = |length: usize, letter: &str, must: Must| {
            let raw = json!(letter.repeat(length)).to_string();
            cases.push(door.case(
                format!("{}: {length} times {letter}", member.pointer()),
                with_raw(body, &member, &raw),
                must,
            ));
        };
        long(5_000, "a", Must::Refuse);
        long(60_000, "0", Must::Refuse);
        long(1 << 20, "a", Must::Be(vec![413]));
        long(100_000, "é", Must::Be(vec![413]));
    }
    cases
}

fn in_a_query(door: &Door) -> Vec<Case> {
    let mut cases = Vec::new();
    // Of a stream there would be no end.
    let endless = door.operation.path.ends_with("/stream");
    for param in door.operation.query {
        for (about, text) in ODD {
            if !endless {
                let query = door.query_with(param.name, text);
                cases.push(door.asking(format!("?{}: {about}", param.name), &query, Must::May));
            }
        }
        for (about, raw) in
            ["a%00b", "%ff%fe", "%", "%zz", "%0d%0ax-injected:%201", "%c0%af", "%ed%a0%80", "+++"].map(|raw| (raw, raw))
        {
            let must = if endless || (raw.contains("%00") && matches!(param.kind, Kind::Text)) {
                Must::Refuse
            } else {
                Must::May
            };
            let rest = door.query_without(param.name);
            let query = format!("{rest}{}{}={raw}", if rest.is_empty() { "" } else { "&" }, param.name);
            cases.push(door.asking(format!("?{}: {about}", param.name), &query, must));
        }
        let query = door.query_with(param.name, &"a".repeat(6_000));
        cases.push(door.asking(format!("?{}: very long", param.name), &query, Must::Be(vec![400])));
    }
    cases
}

fn in_a_path(door: &Door) -> Vec<Case> {
    if !door.operation.path.contains('{') || door.operation.path.ends_with("/stream") {
        return Vec::new();
    }
    let named = |text: &str| {
        let names = door.operation.path_names();
        names.fold(door.operation.path.to_owned(), |path, name| path.replace(&format!("{{{name}}}"), text))
    };
    let body = door.body.as_ref().map(Value::to_string).unwrap_or_default();
    let texts = ODD.iter().filter(|(_, text)| !text.is_empty()).map(|(about, text)| (*about, url_encoded(text)));
    let raws = ["%00", "%ff", "%0d%0a", "%2e%2e%2f%2e%2e", ".", "a;b=c", "%25%30%30", "0", "-1"]
        .map(|raw| (raw, raw.to_owned()));
    texts
        .chain(raws)
        .map(|(about, text)| {
            let mut case = door.case(format!("path: {about}"), body.clone(), Must::Refuse);
            case.path = format!("{}?{}", named(&text), door.query_without("")).trim_end_matches('?').to_owned();
            // It tells nobody whether there is such a device.
            if door.operation.id == "device.challenge" {
                case.must = Must::May;
            }
            case
        })
        .collect()
}

/// Two odd texts in one.
fn mixed(house: &House, seeded: &mut Seeded) -> Case {
    let (one, other) = (seeded.pick(&ODD).unwrap(), seeded.pick(&ODD).unwrap());
    let text = format!("{}{}", one.1, other.1);
    let path = format!("/v1/sites?q={}", url_encoded(&text));
    let who = house.bearers.keys().next().cloned();
    Case {
        about: format!("{} and {}", one.0, other.0),
        method: Method::GET,
        path,
        who,
        headers: Vec::new(),
        body: Vec::new(),
        must: Must::May,
    }
}

/// The same name composed and decomposed is one name, and nobody gets two of what there is one of.
async fn twins(house: &House, tally: &mut Tally) {
    let mut named = Vec::new();
    for (slug, name) in [("twin-a", "Caf\u{e9}"), ("twin-b", "Cafe\u{301}")] {
        let mut body = ground(slug, json!({}));
        body["profile"]["name"] = json!(name);
        let made = house.api.post("manager", "/v1/sites", body).await.is(201);
        named.push(made.body["name"].clone());
    }
    if named[0] != "Caf\u{e9}" || named[0] != named[1] {
        tally.wrong(format!("a name has two forms: {named:?}"));
    }
}
