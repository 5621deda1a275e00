//! What was found: committed as lines of JSON, ids of the fixtures by their names.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    house::House,
    run::{Case, Must},
};
use crate::api::fresh_key;

const FOLDER: &str = "../tests/corpus/bad";

/// What is kept of a class.
pub fn read(class: &str, house: &House) -> Vec<Case> {
    let Ok(text) = std::fs::read_to_string(format!("{FOLDER}/{class}.jsonl")) else { return Vec::new() };
    text.lines().filter(|line| !line.is_empty()).map(|line| case(&serde_json::from_str(line).unwrap(), house)).collect()
}

/// A case as it is kept.
pub fn line(house: &House, case: &Case) -> Value {
    let headers: Vec<_> = case.headers.iter().filter(|(name, _)| name != "idempotency-key").collect();
    let mut line = json!({
        "about": case.about, "method": case.method.as_str(), "path": portable(house, &case.path), "who": case.who,
        "headers": headers, "key": headers.len() != case.headers.len(),
        "must": match &case.must {
            Must::Refuse => json!("refuse"),
            Must::Form => json!("form"),
            Must::May => json!("may"),
            Must::Be(among) => json!(among),
        },
    });
    match std::str::from_utf8(&case.body) {
        Ok(text) => line["body"] = json!(portable(house, text)),
        Err(_) => line["base64"] = json!(STANDARD.encode(&case.body)),
    }
    line
}

fn case(line: &Value, house: &House) -> Case {
    let text = |name: &str| line[name].as_str().map(str::to_owned);
    let mut headers: Vec<(String, String)> = serde_json::from_value(line["headers"].clone()).unwrap();
    if line["key"] == true {
        headers.push(("idempotency-key".to_owned(), fresh_key()));
    }
    let body = match text("base64") {
        Some(encoded) => STANDARD.decode(encoded).unwrap(),
        None => local(house, &text("body").unwrap()).into_bytes(),
    };
    let must = match line["must"].as_str() {
        Some("refuse") => Must::Refuse,
        Some("form") => Must::Form,
        Some("may") => Must::May,
        _ => Must::Be(serde_json::from_value(line["must"].clone()).unwrap()),
    };
    Case {
        about: format!("kept: {}", text("about").unwrap()),
        method: Method::from_bytes(text("method").unwrap().as_bytes()).unwrap(),
        path: local(house, &text("path").unwrap()),
        who: text("who"),
        headers,
        body,
        must,
    }
}

fn portable(house: &House, text: &str) -> String {
    house
        .here
        .ids
        .iter()
        .filter(|(_, id)| id.len() > 12)
        .fold(text.to_owned(), |text, (name, id)| text.replace(id, &format!("<<{name}>>")))
}

fn local(house: &House, text: &str) -> String {
    house.here.ids.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("<<{name}>>"), id))
}
