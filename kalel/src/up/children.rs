//! The parent's side of the keeper: start children through it, hear of their end.
//!
//! Threads and blocking calls only, so that it belongs to no async runtime: the tests share one keeper among many.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use super::Problem;
use super::keeper::{Report, Request, Run};

/// A child that ended.
#[derive(Debug, Clone)]
pub struct Exit {
    pub name: String,
    /// It was asked to end, or ended without an error.
    pub clean: bool,
    /// As the system words it: `exit status: 1`, `signal: 9 (SIGKILL)`.
    pub status: String,
}

/// A running keeper. Dropping it closes its standard input, which ends every child.
pub struct Keeper {
    process: Mutex<Child>,
    stdin: Mutex<Option<ChildStdin>>,
    answers: Mutex<mpsc::Receiver<Result<i32, String>>>,
    exits: Arc<Mutex<Vec<Exit>>>,
    bell: tokio::sync::watch::Receiver<usize>,
    ran: AtomicBool,
}

impl Keeper {
    /// Starts `kalel keeper` (`program` is the kalel binary) for a folder.
    ///
    /// # Errors
    /// [`Problem::InUse`] when another live process uses the folder.
    pub fn start(program: &Path, lock: &Path, remove: Option<&Path>) -> Result<Self, Problem> {
        let mut command = Command::new(program);
        command.arg("keeper").arg("--lock").arg(lock).arg("--parent").arg(std::process::id().to_string());
        if let Some(folder) = remove {
            command.arg("--remove").arg(folder);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut process = command.spawn().map_err(|error| Problem::io(program, error))?;
        let stdin = process.stdin.take();
        let Some(stdout) = process.stdout.take() else {
            return Err(Problem::Keeper("it has no output".into()));
        };
        let mut stdout = BufReader::new(stdout);
        match next(&mut stdout) {
            Some(Report::Ready) => {}
            Some(Report::Locked { by }) => return Err(Problem::InUse { by }),
            _ => return Err(Problem::Keeper("it ended at once".into())),
        }
        let (answer, answers) = mpsc::channel();
        let exits = Arc::<Mutex<Vec<Exit>>>::default();
        let (ring, bell) = tokio::sync::watch::channel(0);
        let heard = Arc::clone(&exits);
        std::thread::spawn(move || {
            while let Some(report) = next(&mut stdout) {
                match report {
                    Report::Started { pid, .. } => drop(answer.send(Ok(pid))),
                    Report::Failed { error, .. } => drop(answer.send(Err(error))),
                    Report::Exited { name, clean, status } => {
                        heard.lock().unwrap_or_else(PoisonError::into_inner).push(Exit { name, clean, status });
                        ring.send_modify(|count| *count += 1);
                    }
                    Report::Ready | Report::Locked { .. } => {}
                }
            }
        });
        Ok(Self {
            process: Mutex::new(process),
            stdin: Mutex::new(stdin),
            answers: Mutex::new(answers),
            exits,
            bell,
            ran: AtomicBool::new(false),
        })
    }

    /// The keeper's process id.
    pub fn pid(&self) -> i32 {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        i32::try_from(process.id()).unwrap_or_default()
    }

    /// Whether it has ever started a child.
    pub fn has_run(&self) -> bool {
        self.ran.load(Ordering::Relaxed)
    }

    /// Starts a child and returns its process id.
    ///
    /// # Errors
    /// [`Problem::Keeper`] when the program cannot be started or the keeper is gone.
    pub fn run(&self, run: Run) -> Result<i32, Problem> {
        let name = run.name.clone();
        self.exits.lock().unwrap_or_else(PoisonError::into_inner).retain(|exit| exit.name != name);
        // One request at a time: the answers carry no number.
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        self.send(&Request::Start(run))?;
        match answers.recv_timeout(Duration::from_secs(10)) {
            Ok(Ok(pid)) => {
                self.ran.store(true, Ordering::Relaxed);
                Ok(pid)
            }
            Ok(Err(error)) => Err(Problem::Keeper(error)),
            Err(_) => Err(Problem::Keeper(format!("no answer about {name}"))),
        }
    }

    /// Asks for the end of one child; [`Keeper::exit_of`] tells when it is so.
    ///
    /// # Errors
    /// [`Problem::Keeper`] when the keeper is gone.
    pub fn end(&self, name: &str) -> Result<(), Problem> {
        self.send(&Request::Stop { name: name.into() })
    }

    fn send(&self, request: &Request) -> Result<(), Problem> {
        let mut line = serde_json::to_string(request).map_err(|error| Problem::Keeper(error.to_string()))?;
        line.push('\n');
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stdin) = stdin.as_mut() else { return Err(Problem::Keeper("it has been stopped".into())) };
        stdin.write_all(line.as_bytes()).map_err(|error| Problem::Keeper(error.to_string()))
    }

    /// How the child of this name ended, if it did since it was last started.
    pub fn exit_of(&self, name: &str) -> Option<Exit> {
        self.exits.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|exit| exit.name == name).cloned()
    }

    /// Waits until some child has ended, and returns every end not returned before.
    /// Pends for ever once the keeper is gone.
    pub async fn exits(&self, seen: &mut usize) -> Vec<Exit> {
        let mut bell = self.bell.clone();
        while *bell.borrow_and_update() == *seen {
            if bell.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        *seen = *bell.borrow();
        self.exits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends every child and waits for that. Blocks.
    pub fn stop(&self) {
        drop(self.stdin.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.process.lock().unwrap_or_else(PoisonError::into_inner).wait();
    }
}

fn next(stdout: &mut BufReader<ChildStdout>) -> Option<Report> {
    let mut line = String::new();
    match stdout.read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => serde_json::from_str(&line).ok(),
    }
}
