//! The keeper: a small process between `up` (or the tests) and the servers they start.
//!
//! It lives in a process group of its own, so Ctrl-C in the terminal does not reach the servers. It starts what it is
//! told to on standard input (one JSON object per line), reports on standard output, and **when its standard input
//! closes it ends its children in reverse order**, however the parent ended: Ctrl-C, panic or `kill -9`. Should the
//! keeper itself be killed, the kernel ends the children (`setpriv --pdeathsig`).
//!
//! No async here: the death signal follows the *thread* that started a child, so that must be the main thread.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// What the parent asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Start this child; answered by [`Report::Started`] or [`Report::Failed`].
    Start(Run),
    /// End this child now; answered by its [`Report::Exited`].
    Stop { name: String },
}

/// A child to start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// Unique among the living.
    pub name: String,
    pub program: PathBuf,
    pub args: Vec<String>,
    /// Added to the keeper's own environment.
    pub env: Vec<(String, String)>,
    /// Run as this user (only root can).
    pub user: Option<String>,
    /// Where its output goes; appended to.
    pub log: PathBuf,
    pub stop: Stop,
}

/// How a child is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// Finish what is in hand (SIGTERM).
    Gently,
    /// Postgres: roll back, write a checkpoint, end (SIGINT).
    Fast,
    /// Throw-away data: end at once (SIGQUIT).
    AtOnce,
}

impl Stop {
    fn signal(self) -> Signal {
        match self {
            Self::Gently => Signal::SIGTERM,
            Self::Fast => Signal::SIGINT,
            Self::AtOnce => Signal::SIGQUIT,
        }
    }

    fn signal_name(self) -> &'static str {
        match self {
            Self::Gently => "TERM",
            Self::Fast => "INT",
            Self::AtOnce => "QUIT",
        }
    }

    /// How long before SIGKILL. Postgres may have a large checkpoint to write.
    fn patience(self) -> Duration {
        match self {
            Self::Gently => Duration::from_secs(15),
            Self::Fast => Duration::from_secs(60),
            Self::AtOnce => Duration::from_secs(5),
        }
    }
}

/// What the keeper says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// The folder's lock is ours; requests may come.
    Ready,
    /// Another keeper holds the folder, for the process `by` (0 when it is not known).
    Locked {
        by: i32,
    },
    Started {
        name: String,
        pid: i32,
    },
    Failed {
        name: String,
        error: String,
    },
    /// `clean`: it ended by itself without an error, or somebody asked it to end (SIGTERM, SIGINT, SIGHUP).
    Exited {
        name: String,
        clean: bool,
        status: String,
    },
}

struct Running {
    name: String,
    pid: Pid,
    stop: Stop,
    child: std::process::Child,
}

type Children = Arc<Mutex<Vec<Running>>>;

fn locked(children: &Children) -> MutexGuard<'_, Vec<Running>> {
    children.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A function, so that the lock is free again while the caller ends the child.
fn last(children: &Children) -> Option<String> {
    locked(children).last().map(|running| running.name.clone())
}

fn say(report: &Report) {
    if let Ok(line) = serde_json::to_string(report) {
        // The parent may be gone; then nobody is listening and that is fine.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

/// Runs until standard input closes and every child has ended.
///
/// * `lock`: the file that says "this folder is in use"; it holds the parent's process id.
/// * `remove`: a folder to delete at the end (the tests' throw-away data).
///
/// Returns the process's exit code.
pub fn run(lock: &Path, parent: i32, remove: Option<&Path>) -> u8 {
    let _lock = match take(lock, parent) {
        Ok(file) => file,
        Err(by) => {
            say(&Report::Locked { by });
            return 1;
        }
    };
    say(&Report::Ready);
    let children: Children = Arc::default();
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        match serde_json::from_str(&line) {
            Ok(Request::Start(run)) => match start(&run, &children) {
                Ok(pid) => say(&Report::Started { name: run.name, pid: pid.as_raw() }),
                Err(error) => {
                    let error = format!("{}: {error}", run.program.display());
                    say(&Report::Failed { name: run.name, error });
                }
            },
            Ok(Request::Stop { name }) => end(&name, &children),
            Err(error) => say(&Report::Failed { name: String::new(), error: error.to_string() }),
        }
    }
    while let Some(name) = last(&children) {
        end(&name, &children);
    }
    if let Some(folder) = remove {
        let _ = std::fs::remove_dir_all(folder);
        // The folder of all such folders, when this was the last.
        let _ = folder.parent().map(std::fs::remove_dir);
    }
    0
}

/// Takes the folder's lock. When its holder's parent is gone, that keeper is just ending its children: wait for it.
fn take(path: &Path, parent: i32) -> Result<File, i32> {
    let Ok(mut file) = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path) else {
        return Err(0);
    };
    let deadline = Instant::now() + Duration::from_secs(75);
    while file.try_lock().is_err() {
        let by = std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        if alive(by) || Instant::now() > deadline {
            return Err(by);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let written = file.set_len(0).and_then(|()| writeln!(file, "{parent}"));
    written.map(|()| file).map_err(|_| 0)
}

fn alive(pid: i32) -> bool {
    pid > 0 && !matches!(kill(Pid::from_raw(pid), None), Err(nix::errno::Errno::ESRCH))
}

fn start(run: &Run, children: &Children) -> std::io::Result<Pid> {
    let log = OpenOptions::new().create(true).append(true).open(&run.log)?;
    let mut command = match which_setpriv() {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", run.stop.signal_name()]);
            if let Some(user) = &run.user {
                let group = nix::unistd::User::from_name(user)?
                    .ok_or_else(|| std::io::Error::other(format!("no user {user}")))?
                    .gid;
                command.args(["--reuid", user, "--regid", &group.to_string(), "--init-groups"]);
            }
            command.arg("--").arg(&run.program);
            command
        }
        None if run.user.is_some() => return Err(std::io::Error::other("setpriv (util-linux) is needed under root")),
        None => Command::new(&run.program),
    };
    command.args(&run.args).envs(run.env.iter().map(|(key, value)| (key, value)));
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).current_dir("/");
    let child = command.spawn()?;
    let pid = Pid::from_raw(i32::try_from(child.id()).map_err(std::io::Error::other)?);
    locked(children).push(Running { name: run.name.clone(), pid, stop: run.stop, child });
    let children = Arc::clone(children);
    std::thread::spawn(move || watch(pid, &children));
    Ok(pid)
}

fn which_setpriv() -> Option<&'static str> {
    ["/usr/bin/setpriv", "/bin/setpriv"].into_iter().find(|path| Path::new(path).exists())
}

/// Waits until the child has ended, and only then, under the lock, collects it: so nobody can signal a process id
/// that already belongs to somebody else.
fn watch(pid: Pid, children: &Children) {
    while let Err(nix::errno::Errno::EINTR) = waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {}
    let mut running = locked(children);
    let Some(index) = running.iter().position(|running| running.pid == pid) else { return };
    let mut gone = running.remove(index);
    drop(running);
    let (clean, status) = match gone.child.wait() {
        Ok(status) => {
            let asked =
                [1, 2, 15].map(Some).contains(&status.signal()) || [129, 130, 143].map(Some).contains(&status.code());
            (status.success() || asked, status.to_string())
        }
        Err(error) => (false, error.to_string()),
    };
    say(&Report::Exited { name: gone.name, clean, status });
}

/// Asks a child to end and waits for it; after its patience is over, SIGKILL.
fn end(name: &str, children: &Children) {
    let Some((pid, stop)) =
        locked(children).iter().find(|running| running.name == name).map(|running| (running.pid, running.stop))
    else {
        return;
    };
    let started = Instant::now();
    let mut next = stop.signal();
    loop {
        let deadline =
            started.elapsed() + if next == Signal::SIGKILL { Duration::from_secs(5) } else { stop.patience() };
        {
            let running = locked(children);
            if !running.iter().any(|running| running.pid == pid) {
                return;
            }
            let _ = kill(pid, next);
        }
        while started.elapsed() < deadline {
            if !locked(children).iter().any(|running| running.pid == pid) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if next == Signal::SIGKILL {
            // Not even that helped (a process stuck in the kernel): forget it rather than wait for ever.
            locked(children).retain(|running| running.pid != pid);
            return;
        }
        next = Signal::SIGKILL;
    }
}
