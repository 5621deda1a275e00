//! `docs/model.md` says what the table says, and names tests that there are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::laws;

fn root() -> PathBuf {
    // Tests run in the folder of their package.
    fs::canonicalize("..").unwrap()
}

/// The rows of the page.
fn rows() -> String {
    let row = |law: &laws::Law| {
        let tests: Vec<String> = law.tests.iter().map(|test| format!("`{test}`")).collect();
        format!("| `{}` | {} | {} |\n", law.id, law.says, tests.join(", "))
    };
    laws::LAWS.iter().map(row).collect()
}

#[test]
fn the_page_says_what_the_table_says() {
    let page = fs::read_to_string(root().join("docs/model.md")).unwrap();
    let rows = rows();
    assert!(page.contains(&rows), "docs/model.md should have these rows:\n{rows}");
    assert!(page.contains(&format!("`{}`", laws::COMES_TO_REST)));
}

#[test]
fn every_named_test_is_there() {
    let mut sources = String::new();
    for folder in ["domain/src", "tests/it"] {
        read(&root().join(folder), &mut sources);
    }
    let missing = |test: &&&str| !sources.contains(&format!("fn {test}("));
    let missing: Vec<_> = laws::LAWS.iter().flat_map(|law| law.tests).filter(missing).collect();
    assert_eq!(missing, [] as [&&str; 0]);
}

#[test]
fn every_law_has_an_id_of_its_own_and_a_test_that_follows_it() {
    for (nth, law) in laws::LAWS.iter().enumerate() {
        assert!(laws::LAWS[..nth].iter().all(|other| other.id != law.id), "{} twice", law.id);
        assert!(!law.tests.is_empty() && law.says.ends_with('.'), "{}", law.id);
    }
}

fn read(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            sources.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}
