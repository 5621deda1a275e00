//! Nothing is left behind, however the parent ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use kalel::up::Problem;
use kalel::up::children::Keeper;
use kalel::up::keeper::{Run, Stop};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::world::{KALEL, gone, wait_until};

fn sleeper(name: &str, folder: &Path) -> Run {
    Run {
        name: name.into(),
        program: "/bin/sleep".into(),
        args: vec!["1000".into()],
        env: Vec::new(),
        user: None,
        log: folder.join("log"),
        stop: Stop::Gently,
    }
}

#[test]
fn children_end_when_the_keeper_s_input_closes_and_the_folder_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("of-all/data");
    std::fs::create_dir_all(&inside).unwrap();
    let keeper = Keeper::start(Path::new(KALEL), &inside.join("lock"), Some(&inside)).unwrap();
    let pids = ["one", "two"].map(|name| keeper.run(sleeper(name, &inside)).unwrap());
    assert!(pids.iter().all(|pid| !gone(*pid)));
    keeper.stop();
    assert!(pids.iter().all(|pid| gone(*pid)), "stop() returns when they have ended");
    assert!(!folder.path().join("of-all").exists());
}

#[test]
fn children_end_when_the_parent_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let run = serde_json::to_string(&kalel::up::keeper::Request::Start(sleeper("one", folder.path()))).unwrap();
    // A parent that can be killed: a shell that holds the keeper's input open.
    let script =
        format!("(echo '{run}'; exec sleep 1000) | {KALEL} keeper --lock {}/lock --parent $$", folder.path().display());
    let mut parent = Command::new("setsid").args(["sh", "-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut reports = BufReader::new(parent.stdout.take().unwrap()).lines();
    assert!(reports.next().unwrap().unwrap().contains("ready"));
    let started: serde_json::Value = serde_json::from_str(&reports.next().unwrap().unwrap()).unwrap();
    let pid = i32::try_from(started["started"]["pid"].as_i64().unwrap()).unwrap();
    assert!(!gone(pid));
    let writer = std::fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let line = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let group: i32 = stat.rsplit(')').next()?.split_whitespace().nth(2)?.parse().ok()?;
        let ours = group == i32::try_from(parent.id()).ok()? && line.starts_with("sleep\u{0}1000");
        if ours && entry.file_name().to_str()?.parse::<i32>().ok()? != pid {
            entry.file_name().to_str()?.parse().ok()
        } else {
            None
        }
    });
    kill(Pid::from_raw(writer.unwrap()), Signal::SIGKILL).unwrap();
    wait_until("the child has ended", || gone(pid));
    parent.wait().unwrap();
}

#[test]
fn children_end_when_the_keeper_itself_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = Keeper::start(Path::new(KALEL), &folder.path().join("lock"), None).unwrap();
    let pid = keeper.run(sleeper("one", folder.path())).unwrap();
    let comm = format!("/proc/{pid}/comm");
    wait_until("setpriv has become sleep", || std::fs::read_to_string(&comm).is_ok_and(|name| name == "sleep\n"));
    kill(Pid::from_raw(keeper.pid()), Signal::SIGKILL).unwrap();
    wait_until("the child has ended", || gone(pid));
}

#[test]
fn a_folder_has_one_keeper_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("lock");
    let first = Keeper::start(Path::new(KALEL), &lock, None).unwrap();
    let Err(Problem::InUse { by }) = Keeper::start(Path::new(KALEL), &lock, None) else { panic!("two keepers") };
    assert_eq!(u32::try_from(by).unwrap(), std::process::id());
    first.stop();
    Keeper::start(Path::new(KALEL), &lock, None).unwrap().stop();
}

#[test]
fn the_end_of_a_child_is_heard_of() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = Keeper::start(Path::new(KALEL), &folder.path().join("lock"), None).unwrap();
    let failing = Run { program: "/bin/false".into(), args: Vec::new(), ..sleeper("fails", folder.path()) };
    keeper.run(failing).unwrap();
    wait_until("the exit is reported", || keeper.exit_of("fails").is_some());
    assert!(!keeper.exit_of("fails").unwrap().clean);
    let pid = keeper.run(sleeper("asked", folder.path())).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    wait_until("the exit is reported", || keeper.exit_of("asked").is_some());
    assert!(keeper.exit_of("asked").unwrap().clean, "somebody asked it to end");
    keeper.stop();
}
