//! A folder as a trial writes it, and one from which something is missing.

use std::path::PathBuf;

use super::*;

/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("judge-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let folder = Self(path);
        for (file, text) in FILES {
            folder.write(file, text);
        }
        folder
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const FILES: [(&str, &str); 7] = [
    (
        "stage.json",
        r#"{"seed":7,"site_id":"00000000-0000-0000-0000-00000000517e","pitches":{"north":"00000000-0000-0000-0000-00000000009a"}}"#,
    ),
    (
        "history.ndjson",
        "{\"n\":1,\"at_ms\":0,\"wall\":\"2026-11-27T10:00:00Z\",\"who\":\"nemesis\",\"what\":\"kill\",\"target\":\"api-1\"}\n",
    ),
    (
        "wave.json",
        r#"{"currency":"XOF","balance":10,"entries":[{"number":1,"at":"2026-11-27T10:00:00Z","kind":"opening","transaction_id":"","gross":10,"fee":0,"net":10,"balance":10,"session_id":null,"payout_id":null,"client_reference":null,"counterparty_mobile":null}],"totals":{"charged":0,"refunded":0,"paid_out":0},"repeated":{"charges":[],"refunds":["r"],"payouts":[]}}"#,
    ),
    (
        "sms.json",
        r#"[{"id":"1","to":"+221","from":null,"text":"Bonjour","segments":1,"encoding":"GSM-7","time":"2026-11-27T10:00:00Z","status":"Sent"}]"#,
    ),
    (
        "rebuild.json",
        r#"[{"projector":"reservation","outcome":"compared","events":9,"seconds":0.1,"swapped_at":null,"position":9,"live_version":1,"version":1,"equal":false,"tables":[{"table":"reservations","equal":false,"live":{"rows":2,"sha256":"ab"},"rebuilt":{"rows":3,"sha256":"cd"},"differences":[{"kind":"only_rebuilt","rows":1,"keys":["x"]}]}]},{"projector":"site","outcome":"dropped","events":0,"seconds":0.0,"swapped_at":null}]"#,
    ),
    ("bus.json", r#"{"messages":9,"last_position":9}"#),
    ("verify.json", r#"{"ok":true,"said":"good"}"#),
];

#[test]
fn a_folder_is_read_as_it_is_written() {
    let folder = Folder::new("whole");
    let files = read(&folder.0).unwrap();
    assert_eq!((files.stage.seed, files.stage.pitches.len(), files.history.records.len()), (7, 1, 1));
    assert_eq!((files.wave.entries.len(), files.wave.repeated.refunds.as_slice()), (1, ["r".to_owned()].as_slice()));
    assert_eq!((files.sms.len(), files.rebuild.len(), files.bus.messages, files.verify.ok), (1, 2, 9, true));
    assert_eq!((files.rebuild[0].equal, files.rebuild[1].equal), (Some(false), None));
    assert_eq!(files.rebuild[0].tables[0].rebuilt.rows, 3);
}

#[test]
fn a_missing_or_malformed_file_is_named() {
    let folder = Folder::new("broken");
    folder.write("bus.json", "{}");
    assert!(matches!(read(&folder.0), Err(JudgeError::Shape { path, .. }) if path.ends_with("bus.json")));
    fs::remove_file(folder.0.join("wave.json")).unwrap();
    assert!(matches!(read(&folder.0), Err(JudgeError::File { path, .. }) if path.ends_with("wave.json")));
}

#[test]
fn a_history_torn_in_the_middle_of_a_character_is_torn() {
    let folder = Folder::new("torn");
    let mut bytes = fs::read(folder.0.join("history.ndjson")).unwrap();
    bytes.extend([b'{', b'"', 0xc3]);
    fs::write(folder.0.join("history.ndjson"), bytes).unwrap();
    let files = read(&folder.0).unwrap();
    assert!(files.history.torn && files.history.problems.is_empty());
}
