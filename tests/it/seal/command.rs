//! `kalel audit` as a process: the way of an auditor, and everything that can be given to it by mistake.

use std::{
    path::Path,
    process::{Command, Output},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

use super::{docs, fill, outsiders};
use crate::{
    faults::served::Served,
    world::{KALEL, wait_until},
};

/// An engine with a sealer, and what its operator has at hand.
struct Place {
    served: Served,
    folder: tempfile::TempDir,
    /// The public half of the key.
    key: String,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("seal.key");
        let made = audit(&["key", "--origin", "kalel.test/command", "--out", secret.to_str().unwrap()]);
        let key = good(&made).trim().to_owned();
        let served = Served::new().await;
        let text = std::fs::read_to_string(served.config()).unwrap();
        std::fs::write(served.config(), format!("{text}[seal]\nkey_file = {secret:?}\n")).unwrap();
        Self { served, folder, key }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// `kalel audit` against the log.
    fn audit(&self, arguments: &[&str]) -> Output {
        Command::new(KALEL)
            .arg("audit")
            .args(arguments)
            .arg("--config")
            .arg(self.served.config())
            .env("DATABASE_URL", &self.served.world.database_url)
            .output()
            .unwrap()
    }

    fn verify(&self, arguments: &[&str]) -> Output {
        audit(&[&["verify"], arguments].concat())
    }
}

fn audit(arguments: &[&str]) -> Output {
    Command::new(KALEL).arg("audit").args(arguments).env_clear().output().unwrap()
}

fn good(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Exit code 1, one line that says this, and nothing else.
fn bad(output: &Output, what: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.starts_with("kalel: ") && said.lines().count() == 1 && said.contains(what),
        "not {what:?} but: {said}"
    );
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_keeps_a_checkpoint_exports_verifies_and_hands_out_a_receipt() {
    let place = Place::new().await;
    bad(&place.audit(&["checkpoint"]), "nothing of this log is sealed yet");
    bad(&place.audit(&["export", "--out", &place.path("early")]), "nothing of this log is sealed yet");
    place.served.start_as("api,sealer").await;
    fill(&place.served.world, 300).await;
    let kept = place.path("kept.note");
    wait_until("the first checkpoint", || place.audit(&["checkpoint"]).status.success());
    std::fs::write(&kept, good(&place.audit(&["checkpoint"]))).unwrap();
    let admin = place.served.secret("admin");
    assert!(admin.starts_with("kk_test_"));

    let (plain, gzip) = (place.path("log.ndjson"), place.path("log.ndjson.gz"));
    let said = good(&place.audit(&["export", "--out", &plain]));
    assert!(said.contains("positions    1 to "), "{said}");
    good(&place.audit(&["export", "--gzip", "--out", &gzip]));
    let first = std::fs::read(&plain).unwrap();
    assert!(std::fs::read(&gzip).unwrap().starts_with(&[0x1f, 0x8b]));
    for file in [&plain, &gzip] {
        let said = good(&place.verify(&[file, "--key", &place.key, "--checkpoint", &kept]));
        assert!(said.contains("every one as it was sealed") && said.contains("continues    the checkpoint"), "{said}");
        let json: Value = serde_json::from_str(&good(&place.verify(&[file, "--json"]))).unwrap();
        assert_eq!(
            (json["origin"].as_str(), json["keys_trusted"].as_bool()),
            (Some("kalel.test/command"), Some(false))
        );
    }
    let streamed = place.audit(&["export", "--out", "-", "--from", "1", "--to", "200"]);
    let part = place.path("part");
    std::fs::write(&part, good(&streamed)).unwrap();
    good(&place.verify(&[&part, "--key", &place.key]));

    // A file that is there is never written over; a place that is none, and a range that is none, write nothing.
    bad(&place.audit(&["export", "--out", &plain]), "is there already; nothing was written");
    assert_eq!(std::fs::read(&plain).unwrap(), first);
    bad(&place.audit(&["export", "--out", &place.path("no/such/folder")]), "cannot be written");
    for (from, to, what) in [("0", "5", "no range"), ("9", "5", "no range"), ("1", "999999", "not under a checkpoint")]
    {
        let out = place.path("never");
        bad(&place.audit(&["export", "--out", &out, "--from", from, "--to", to]), what);
        assert!(!Path::new(&out).exists());
    }
    let left = std::fs::read_dir(place.folder.path()).unwrap().flatten().map(|entry| entry.file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().starts_with(".tmp")), "nothing half is left");

    let nobody = "019ab2c4-5f00-7000-8000-0000000000b1";
    bad(&place.audit(&["prove", "--reservation", nobody, "--out", &place.path("r")]), "there is no reservation");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_edited_or_of_another_log_is_said_in_one_line_with_exit_code_1() {
    let place = Place::new().await;
    fill(&place.served.world, 300).await;
    place.served.start_as("api,sealer").await;
    wait_until("the first checkpoint", || place.audit(&["checkpoint"]).status.success());
    let file = place.path("log");
    good(&place.audit(&["export", "--out", &file]));
    let bytes = std::fs::read(&file).unwrap();
    let with = |name: &str, bytes: &[u8]| {
        std::fs::write(place.path(name), bytes).unwrap();
        place.path(name)
    };
    let cut = with("cut", &bytes[..bytes.len() * 2 / 3]);
    bad(&place.verify(&[&cut]), "it was cut");
    let text = String::from_utf8(bytes.clone()).unwrap();
    let edited = with("edited", text.replace("n° 123\"", "n° 124\"").as_bytes());
    bad(&place.verify(&[&edited]), "position 123: the event is not the one that was sealed");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    std::io::Write::write_all(&mut gzip, &bytes).unwrap();
    let zipped = gzip.finish().unwrap();
    bad(&place.verify(&[&with("cut.gz", &zipped[..zipped.len() / 2])]), "cut");
    for (name, bytes) in
        [("empty", &b""[..]), ("text", b"hello"), ("zeros", &[0; 4096]), ("brace", b"{\"export\":{}}\n")]
    {
        bad(&place.verify(&[&with(name, bytes)]), "not an export");
    }
    bad(&place.verify(&[&with("receipt", b"{\"receipt\": 1}")]), "not a receipt");
    bad(&place.verify(&["/nowhere"]), "/nowhere: ");
    bad(&place.verify(&[&file, "--checkpoint", "/nowhere"]), "/nowhere: no such file");
    bad(
        &place.verify(&[&file, "--checkpoint", &with("odd.note", b"odd")]),
        "the earlier checkpoint: this is not a signed note",
    );
    bad(&place.verify(&[&file, "--key", "odd"]), "--key: ");
    bad(&place.verify(&[&file, "--origin", "kalel.test/another"]), "not of kalel.test/another");
    let other = good(&audit(&["key", "--origin", "kalel.test/command", "--out", &place.path("other.key")]));
    bad(&place.verify(&[&file, "--key", other.trim()]), "not among those you trust");

    // The key file.
    bad(&audit(&["key", "--origin", "kalel.test/command", "--out", &place.path("other.key")]), "is there already");
    bad(&audit(&["key", "--origin", "with space", "--out", &place.path("odd.key")]), "cannot name a key");
    assert!(!Path::new(&place.path("odd.key")).exists());
}

/// docs/audit.md: what the page says can be done, done as it says.
#[tokio::test(flavor = "multi_thread")]
async fn the_signature_can_be_checked_with_openssl_as_the_page_says() {
    outsiders();
    let page = std::fs::read_to_string(docs("audit.md")).unwrap();
    let script = page.split("```sh checkpoint-with-openssl\n").nth(1).unwrap().split("```").next().unwrap();
    let place = Place::new().await;
    fill(&place.served.world, 3).await;
    place.served.start_as("api,sealer").await;
    wait_until("the first checkpoint", || place.audit(&["checkpoint"]).status.success());
    std::fs::write(place.path("checkpoint"), good(&place.audit(&["checkpoint"]))).unwrap();
    let run = |key: &str| {
        let script = format!("KEY='{key}'\n{script}");
        Command::new("bash").arg("-euc").arg(script).current_dir(place.folder.path()).output().unwrap()
    };
    let said = run(&place.key);
    assert!(
        said.status.success(),
        "{}{}",
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr)
    );
    let other = good(&audit(&["key", "--origin", "kalel.test/command", "--out", &place.path("other.key")]));
    assert!(!run(other.trim()).status.success());
}
