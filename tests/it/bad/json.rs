//! JSON that breaks the document, at every operation that takes some: made from the document, so that a new operation is
//! covered by itself.

use kalel::seeded::Seeded;
use serde_json::{Value, json};

use super::{
    document::{Document, Member, with, with_raw},
    house::{Door, House},
    run::{Case, Must, Tally, drawn, send},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_that_breaks_the_document_is_400_at_every_operation_and_writes_nothing() {
    let count = super::count(3_000, 50_000);
    let house = House::new().await;
    let mut seeded = Seeded(super::seed());
    let doors = house.doors_with_bodies().await;
    assert!(doors.len() > 50, "only {} operations take JSON", doors.len());
    let mut groups: Vec<Vec<Case>> = doors.iter().map(|door| cases(&house.document, door)).collect();
    while groups.iter().map(Vec::len).sum::<usize>() < count {
        for (door, group) in doors.iter().zip(&mut groups) {
            group.extend((0..20).map(|_| twice(&house.document, door, &mut seeded)));
        }
    }
    let mut tally = Tally::new("json");
    nobody_waits(&house, &doors, &mut tally).await;
    tally.try_all(&house, drawn(groups, count, &mut seeded)).await;
    tally.report(Some(&house.process), count);
}

/// What is no JSON is refused before a view is waited for: here they are late.
async fn nobody_waits(house: &House, doors: &[Door], tally: &mut Tally) {
    house.api.site().await;
    for door in doors {
        let case = door.case("no JSON, while views are late", "{", Must::Form);
        match send(house, &case).await {
            Ok((answer, 0)) if answer.status == 400 => {}
            Ok((answer, _)) => tally.blame(house, &case, &format!("{}: {}", answer.status, answer.says())),
            Err(error) => tally.blame(house, &case, &error),
        }
    }
    house.api.settle().await;
}

fn cases(document: &Document, door: &Door) -> Vec<Case> {
    let body = door.body.as_ref().unwrap();
    assert!(document.allows(door.operation, body), "{}: its example breaks the document: {body}", door.operation.id);
    let mut cases: Vec<Case> =
        broken(&body.to_string()).into_iter().map(|(about, body)| door.case(about, body, Must::Form)).collect();
    for other in [json!([]), json!(null), json!("{}"), json!(7), json!(true), json!([body])] {
        cases.push(door.case(format!("{other:.20} for a body"), other.to_string(), Must::Form));
    }
    for within in objects(body, "") {
        for name in ["colour", "__proto__", "", "$ref", "Minutes", "a\u{0}b"] {
            let extra = Member { within: within.clone(), name: name.into(), schema: &Value::Null };
            let about = format!("an unknown member {name:?} in {within:?}");
            cases.push(door.case(about, with(body, &extra, Some(json!(1))).to_string(), Must::Form));
        }
    }
    for member in document.members(door.operation, body) {
        for value in wrong_values() {
            let broken = with(body, &member, value.clone());
            if !document.allows(door.operation, &broken) {
                let about = format!("{} is {value:.40?}", member.pointer());
                // Of the right type, but another form or out of bounds: by the rules, too, or as a secret that is wrong.
                let must = if of_type(document, &member, value.as_ref()) { Must::Refuse } else { Must::Form };
                cases.push(door.case(about, broken.to_string(), must));
            }
        }
        for raw in [
            "NaN",
            "Infinity",
            "1e309",
            "-1e309",
            "01",
            "+1",
            ".5",
            "0x10",
            "'a'",
            "undefined",
            "\"\\ud800\"",
            "\"\\u00\"",
        ] {
            cases.push(door.case(format!("{} is {raw}", member.pointer()), with_raw(body, &member, raw), Must::Form));
        }
        let negative_zero = with_raw(body, &member, "-0");
        let must = if document.types(member.schema).contains("number") { Must::May } else { Must::Form };
        cases.push(door.case(format!("{} is -0", member.pointer()), negative_zero, must));
    }
    cases
}

fn of_type(document: &Document, member: &Member<'_>, value: Option<&Value>) -> bool {
    let types = document.types(member.schema);
    match value {
        Some(Value::String(_)) => types.contains("string"),
        Some(Value::Number(number)) => types.contains("number") || (types.contains("integer") && !number.is_f64()),
        Some(Value::Array(_)) => types.contains("array"),
        _ => false,
    }
}

/// In place of a member: nothing, null, and one of each type.
fn wrong_values() -> Vec<Option<Value>> {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(i64::MIN),
        json!(u64::MAX),
        json!("nothing of ours"),
        json!(""),
        json!([]),
        json!([[]]),
        json!([null]),
        json!({}),
        json!({ "a": 1 }),
    ];
    std::iter::once(None).chain(values.into_iter().map(Some)).collect()
}

/// Two members are wrong at once.
fn twice(document: &Document, door: &Door, seeded: &mut Seeded) -> Case {
    let mut body = door.body.clone().unwrap();
    let mut about = Vec::new();
    loop {
        let members = document.members(door.operation, &body);
        let (Some(member), Some(value)) = (seeded.pick(&members), seeded.pick(&wrong_values()).cloned()) else {
            return door.case("no member at all", "[]", Must::Form);
        };
        about.push(format!("{} is {value:.40?}", member.pointer()));
        body = with(&body, member, value);
        if about.len() > 1 && !document.allows(door.operation, &body) {
            return door.case(about.join(", "), body.to_string(), Must::Refuse);
        }
        if about.len() > 6 {
            return door.case("nested", "[".repeat(40), Must::Form);
        }
    }
}

/// The pointers of the objects in a body.
fn objects(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(members) => std::iter::once(at.to_owned())
            .chain(members.iter().flat_map(|(name, value)| objects(value, &format!("{at}/{name}"))))
            .collect(),
        Value::Array(values) => values.first().map(|value| objects(value, &format!("{at}/0"))).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// No JSON, or none of ours.
fn broken(body: &str) -> Vec<(String, Vec<u8>)> {
    let inner = body.trim_start_matches('{').trim_end_matches('}');
    let comma = if inner.is_empty() { "" } else { "," };
    let cut = body.len() / 2;
    let texts = [
        ("nothing", String::new()),
        ("blanks", " \t\r\n".to_owned()),
        ("cut off", body[..(0..=cut).rev().find(|at| body.is_char_boundary(*at)).unwrap()].to_owned()),
        ("a byte behind it", format!("{body}x")),
        ("a NUL behind it", format!("{body}\0")),
        ("twice", format!("{body}{body}")),
        ("a byte order mark", format!("\u{feff}{body}")),
        ("a comma at the end", format!("{{{inner},}}")),
        ("a comment", format!("/* */{body}")),
        ("single quotes", body.replace('"', "'").replace("{}", "{'a':1}")),
        ("a key twice", format!("{{\"a\":1,\"a\":1{comma}{inner}}}")),
        ("a key twice, once escaped", format!("{{\"a\":1,\"\\u0061\":1{comma}{inner}}}")),
        ("nested 10 000 lists", "[".repeat(10_000)),
        ("nested 10 000 lists, closed", format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        ("nested 10 000 objects", "{\"a\":".repeat(10_000)),
        ("nested 33", format!("{}1{}", "{\"a\":".repeat(33), "}".repeat(33))),
        ("a member nested 33", format!("{{\"a\":{}1{}{comma}{inner}}}", "[".repeat(33), "]".repeat(33))),
        ("a control character in a string", format!("{{\"a\":\"\u{1}\"{comma}{inner}}}")),
        ("YAML", "site_id: a\nminutes: 60\n".to_owned()),
        ("XML", "<?xml version=\"1.0\"?><a/>".to_owned()),
        ("a form", "site_id=a&minutes=60".to_owned()),
    ];
    let mut all: Vec<(String, Vec<u8>)> =
        texts.into_iter().map(|(about, text)| (about.to_owned(), text.into_bytes())).collect();
    all.push(("no UTF-8".into(), [b"{\"\xff\":1}".as_slice(), body.as_bytes()].concat()));
    all.push(("overlong UTF-8".into(), b"{\"\xc0\xaf\":1}".to_vec()));
    all.push(("UTF-16".into(), body.encode_utf16().flat_map(u16::to_le_bytes).collect()));
    all
}
