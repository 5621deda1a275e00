//! The API's JSON: accepted exactly when it is JSON, no deeper than allowed, and says nothing twice.

#![no_main]

use kalel_fuzz::{
    strict_json::{DEEPEST, present, read, value},
    tree::Tree,
};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;

/// Shaped like the bodies of commands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read through its errors")]
struct Command {
    minutes: u32,
    #[serde(default, deserialize_with = "present")]
    amount: Option<i64>,
    client: Option<Client>,
    #[serde(default)]
    shares: Vec<Client>,
    pay: Option<Pay>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read through its errors")]
struct Client {
    name: String,
    phone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "read through its errors")]
enum Pay {
    Deposit,
    Part { amount: i64 },
}

fuzz_target!(|body: &[u8]| {
    let (tree, strict) = (Tree::read(body), value(body));
    let fine = tree.as_ref().is_some_and(|tree| tree.depth() <= DEEPEST && !tree.repeats());
    assert_eq!(strict.is_ok(), fine, "{strict:?}");
    if let (Some(tree), Ok(value)) = (&tree, &strict) {
        assert!(tree.is(value), "{tree:?} became {value:?}");
    }
    match (read::<Command>(body), strict.is_ok()) {
        (Ok(_), is_json) => assert!(is_json),
        (Err(problem), true) => assert_eq!(problem.code, "request.invalid_field", "{problem:?}"),
        (Err(problem), false) => assert_eq!(problem.code, "request.malformed_json", "{problem:?}"),
    }
});
