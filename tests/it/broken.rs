//! The promises that `.ci/broken` breaks on purpose: each patch still fits the code, says what it breaks, and names a check
//! that must find it.

use std::{fs, path::PathBuf};

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// File by file, the runs of lines that a patch expects to be there.
fn expected(patch: &str) -> Vec<(String, String)> {
    let (mut file, mut runs) = (String::new(), Vec::<(String, String)>::new());
    for line in patch.lines() {
        if let Some(name) = line.strip_prefix("--- a/") {
            file = name.to_owned();
        } else if line.starts_with("@@") {
            runs.push((file.clone(), String::new()));
        } else if let Some((_, run)) = runs.last_mut()
            && let Some(kept) =
                line.strip_prefix(' ').or_else(|| line.strip_prefix('-').filter(|_| !line.starts_with("--- ")))
        {
            run.push_str(kept);
            run.push('\n');
        }
    }
    runs
}

#[test]
fn every_promise_that_is_broken_on_purpose_is_still_there_to_be_broken() {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("tests/broken")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let patch = fs::read_to_string(entry.path()).unwrap();
        let by = patch.lines().find_map(|line| line.strip_prefix("Must be found by one of: "));
        assert!(by.is_some_and(|by| by.ends_with('.')), "{name} names no check");
        let runs = expected(&patch);
        assert!(!runs.is_empty(), "{name} changes nothing");
        for (file, run) in runs {
            let text = fs::read_to_string(root().join(&file)).unwrap();
            assert!(text.contains(&run), "{name} does not fit {file} any more:\n{run}");
        }
        names.push(name);
    }
    names.sort();
    let wanted = [
        "acknowledge-before-commit.patch",
        "checkpoint-outside-the-transaction.patch",
        "drop-the-exclusion-constraint.patch",
        "replay-an-effect.patch",
        "skip-a-gap.patch",
    ];
    assert_eq!(names, wanted);
}
