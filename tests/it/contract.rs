//! The contract that is committed is the one that is served; what builds on it stays short.

use std::{fs, path::Path};

use reqwest::Method;
use serde_json::Value;

use crate::api::Api;

const COMMITTED: &str = "../docs/api/openapi.json";
/// Lines an example may have: what a newcomer reads at a glance.
const EXAMPLE_LINES_MAX: usize = 30;

/// A change of the contract is a change of this file, so that whoever reviews it sees it. To write it anew:
/// `KALEL_CONTRACT=1 cargo test --test it -- the_committed_contract_is_the_one_that_is_served`.
#[tokio::test]
async fn the_committed_contract_is_the_one_that_is_served() {
    let api = Api::new().await;
    let mut served = api.ask(Method::GET, "/openapi.json").send().await.is(200).body;
    let here = served["servers"][0]["url"].as_str().unwrap().to_owned();
    // Of no installation.
    let text = serde_json::to_string(&served).unwrap().replace(&here, "https://kalel.example");
    served = serde_json::from_str(&text).unwrap();
    let written = written(&served);
    if std::env::var_os("KALEL_CONTRACT").is_some() {
        fs::write(COMMITTED, &written).unwrap();
    }
    let committed = fs::read_to_string(COMMITTED).unwrap();
    for (number, (is, should)) in committed.lines().zip(written.lines()).enumerate() {
        assert_eq!(is, should, "docs/api/openapi.json:{}: write it anew, and look at what changes", number + 1);
    }
    assert_eq!(committed.len(), written.len(), "docs/api/openapi.json: write it anew, and look at what changes");
}

/// JSON to be compared line by line: what is short is on one line.
fn written(document: &Value) -> String {
    let mut text = String::new();
    write(document, 0, &mut text);
    text.push('\n');
    text
}

fn write(value: &Value, depth: usize, text: &mut String) {
    let short = value.to_string();
    let inner = depth + 1;
    if short.chars().count() <= 118 - depth.min(60) {
        return text.push_str(&short);
    }
    let lines: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (format!("\"{name}\": "), value)).collect(),
        Value::Array(values) => values.iter().map(|value| (String::new(), value)).collect(),
        _ => return text.push_str(&short),
    };
    let (open, close) = if value.is_object() { ('{', '}') } else { ('[', ']') };
    text.push(open);
    for (index, (name, value)) in lines.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&" ".repeat(inner));
        text.push_str(name);
        write(value, inner, text);
    }
    text.push('\n');
    text.push_str(&" ".repeat(depth));
    text.push(close);
}

#[test]
fn an_example_is_read_at_a_glance() {
    for example in ["typescript/book_and_pay.ts", "python/book_and_pay.py"] {
        let text = fs::read_to_string(Path::new("../examples").join(example)).unwrap();
        let lines = text.lines().count();
        assert!((10..=EXAMPLE_LINES_MAX).contains(&lines), "{example}: {lines} lines, at most {EXAMPLE_LINES_MAX}");
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(140), "{example}: a line of {longest:?} characters");
    }
}

/// Codes that the domain refuses with, or a handler names, are in the catalogue: their page is at their `type`.
#[tokio::test]
async fn every_code_has_a_page_in_three_languages() {
    let mut codes = std::collections::BTreeSet::new();
    for folder in ["../domain/src", "../api/src"] {
        named(Path::new(folder), &mut codes);
    }
    assert!(codes.len() > 200, "only {} codes were found", codes.len());
    let api = Api::new().await;
    for code in codes {
        let page = api.ask(Method::GET, &format!("/problems/{code}")).send().await;
        assert_eq!(page.status, 200, "{code} has no page");
        let page = String::from_utf8(page.bytes).unwrap();
        for language in ["fr", "en", "wo"] {
            assert!(page.contains(&format!("<section lang=\"{language}\">")), "{code} in {language}");
        }
    }
}

/// `=> "noun.code"` of a refusal, and `Problem::new("noun.code")`.
fn named(folder: &Path, codes: &mut std::collections::BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            named(&path, codes);
            continue;
        }
        let refusals = path.file_name().is_some_and(|name| name == "refusal.rs");
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for before in if refusals { &["=> \"", "Problem::new(\""][..] } else { &["Problem::new(\""][..] } {
            for found in text.split(before).skip(1) {
                let code = found.split('"').next().unwrap_or_default();
                if code.contains('.') && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'.') {
                    codes.insert(code.to_owned());
                }
            }
        }
    }
}
