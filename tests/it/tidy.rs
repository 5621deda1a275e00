//! The architecture, as tests: who may use whom, where SQL lives, how long a file may be.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Lines a source file may have: what is read in one sitting.
const LINES_MAX: usize = 400;
/// Journeys are told at length.
const TEST_LINES_MAX: usize = 600;

/// Crates are directions: each may use only these of ours.
const ARROWS: [(&str, &[&str]); 9] = [
    ("domain", &[]),
    ("eventstore", &["domain"]),
    ("projections", &["domain", "eventstore"]),
    ("adapters", &["domain"]),
    ("fakes", &[]),
    ("judge", &[]),
    ("api", &["domain", "eventstore", "projections", "adapters"]),
    ("workers", &["domain", "eventstore", "projections", "adapters"]),
    ("kalel", &["domain", "eventstore", "projections", "adapters", "api", "workers", "fakes", "judge"]),
];

/// All that the rules may lean on: values, not effects.
const DOMAIN_MAY_USE: [&str; 7] =
    ["chrono", "chrono-tz", "serde", "serde_json", "thiserror", "unicode-normalization", "uuid"];

#[test]
fn dependencies_point_inward() {
    for (name, allowed) in ARROWS {
        let ours: BTreeSet<String> =
            dependencies(name).into_iter().filter(|used| ARROWS.iter().any(|(known, _)| known == used)).collect();
        let allowed: BTreeSet<String> = allowed.iter().map(ToString::to_string).collect();
        let wrong: Vec<_> = ours.difference(&allowed).collect();
        assert!(wrong.is_empty(), "{name} must not use {wrong:?}");
    }
}

#[test]
fn the_rules_are_pure() {
    let wrong: Vec<_> =
        dependencies("domain").into_iter().filter(|used| !DOMAIN_MAY_USE.contains(&used.as_str())).collect();
    assert!(wrong.is_empty(), "domain/Cargo.toml: {wrong:?}");
    for file in sources("domain") {
        let text = code_of(&file);
        for word in ["async fn", "tokio", "sqlx", "std::fs", "std::net", "std::env", "std::time", "Utc::now", "now_v7"]
        {
            assert!(!text.contains(word), "{}: `{word}` has no place in the rules", shown(&file));
        }
    }
}

#[test]
fn never_again_money_is_a_float() {
    // Where something is, and how large, is measured; nothing else in the rules is.
    let measured = |file: &Path, line: &str| file.ends_with("place.rs") || line.contains("area_m2");
    let mut files = 0;
    for file in sources("domain") {
        files += 1;
        for line in code_of(&file).lines().filter(|line| !measured(&file, line)) {
            let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let float = words.find(|word| matches!(*word, "f32" | "f64") || is_decimal(word));
            assert_eq!(float, None, "{}: {line}", shown(&file));
        }
    }
    assert!(files > 50, "only {files} files were read");
}

/// `1_000f64` or `2_f32`.
fn is_decimal(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) && (word.ends_with("f64") || word.ends_with("f32"))
}

#[test]
fn sql_stays_with_the_owner_of_the_table() {
    for name in ["domain", "api", "adapters", "fakes"] {
        for file in sources(name) {
            let text = code_of(&file);
            for word in ["query!(", "query_as!(", "query_scalar!(", "sqlx::query(", "QueryBuilder"] {
                assert!(
                    !text.contains(word),
                    "{}: `{word}` belongs to eventstore, projections or workers",
                    shown(&file)
                );
            }
        }
    }
    for name in ["eventstore", "projections", "workers", "judge", "kalel"] {
        for file in sources(name) {
            let composed = code_of(&file).contains("QueryBuilder");
            assert!(!composed || file.ends_with("search.rs"), "{}: composed SQL belongs in a search.rs", shown(&file));
        }
    }
}

#[test]
fn files_are_read_in_one_sitting_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for (name, _) in ARROWS {
        for file in sources(name) {
            check_file(&file, LINES_MAX, &mut wrong);
        }
    }
    for file in rust_files(&root().join("tests")) {
        check_file(&file, TEST_LINES_MAX, &mut wrong);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn check_file(file: &Path, most: usize, wrong: &mut Vec<String>) {
    let text = read(file);
    let most = if file.ends_with("tests.rs") { TEST_LINES_MAX } else { most };
    let lines = text.lines().count();
    if lines > most {
        wrong.push(format!("{}: {lines} lines, at most {most}: which idea is missing?", shown(file)));
    }
    if !text.starts_with("//!") {
        wrong.push(format!("{}: the first line must say what the file is (//!)", shown(file)));
    }
}

#[test]
fn every_dependency_was_chosen_and_the_choice_is_written_down() {
    let manifest: toml::Table = read(&root().join("Cargo.toml")).parse().expect("a manifest");
    let chosen = read(&root().join("docs/dependencies.md"));
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    let missing: Vec<_> = manifest["workspace"]["dependencies"]
        .as_table()
        .expect("dependencies")
        .keys()
        .filter(|name| !ours.contains(name.as_str()) && !chosen.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "docs/dependencies.md does not speak of {missing:?}");
}

#[test]
fn every_event_is_in_the_catalogue() {
    let catalogue = read(&root().join("docs/events.md"));
    for (name, schema) in domain::event::Event::types() {
        assert!(
            catalogue.contains(&format!("`{name}` v{schema}")),
            "docs/events.md does not speak of {name} v{schema}"
        );
    }
}

fn dependencies(name: &str) -> Vec<String> {
    let manifest: toml::Table = read(&root().join(name).join("Cargo.toml")).parse().expect("a manifest");
    manifest
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

/// The file without its test module: tests may do what the code may not.
fn code_of(file: &Path) -> String {
    if file.ends_with("tests.rs") || file.components().any(|part| part.as_os_str() == "tests") {
        return String::new();
    }
    let text = read(file);
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn sources(name: &str) -> Vec<PathBuf> {
    rust_files(&root().join(name).join("src"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

fn root() -> PathBuf {
    // Tests run in the folder of their package; a path fixed by the compiler may be that of another clone.
    std::fs::canonicalize("..").expect("the workspace")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}
