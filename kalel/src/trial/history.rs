//! What was asked, answered and done to the servers, in the order in which it happened: what the judge goes by.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use eventstore::Clock;
use serde::Serialize;
use serde_json::Value;

/// How an attempt ended, as the client may believe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Done.
    Ok,
    /// Certainly not done.
    Fail,
    /// Nobody can say: it may have happened, or yet happen.
    Maybe,
}

/// What a client was told.
#[derive(Clone, Debug)]
pub struct Answer {
    pub ended: Ended,
    /// 0 when there was no answer.
    pub status: u16,
    /// Of a problem document.
    pub code: Option<String>,
    /// `Kalel-Position`.
    pub position: Option<i64>,
    /// SHA-256 of the body.
    pub sha: String,
    /// What of the body the judge compares.
    pub said: Value,
}

/// One attempt of a client.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    pub who: &'a str,
    pub op: &'static str,
    pub key: Option<&'a str>,
    pub about: &'a Value,
}

#[derive(Serialize)]
struct Line<'a> {
    n: u64,
    at_ms: u128,
    wall: String,
    who: &'a str,
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    op: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<&'a Value>,
}

struct Book {
    out: BufWriter<File>,
    lines: u64,
    broken: Option<std::io::Error>,
}

/// The file, one JSON object a line.
pub struct History {
    book: Mutex<Book>,
    calls: AtomicU64,
    answered: AtomicU64,
    began: Instant,
    clock: Clock,
}

impl History {
    /// Begins one.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        let out = BufWriter::new(File::create_new(path)?);
        Ok(Self {
            book: Mutex::new(Book { out, lines: 0, broken: None }),
            calls: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            began: Instant::now(),
            clock: Clock::system(),
        })
    }

    /// A client asks; the number of the call.
    pub fn invoke(&self, attempt: &Attempt<'_>) -> u64 {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        self.write(|line| {
            (line.who, line.what, line.call) = (attempt.who, "invoke", Some(call));
            (line.op, line.key, line.about) = (Some(attempt.op), attempt.key, Some(attempt.about));
        });
        call
    }

    /// And is answered, or not.
    pub fn answer(&self, attempt: &Attempt<'_>, call: u64, answer: &Answer) {
        let what = match answer.ended {
            Ended::Ok => "ok",
            Ended::Fail => "fail",
            Ended::Maybe => "maybe",
        };
        self.write(|line| {
            (line.who, line.what, line.call) = (attempt.who, what, Some(call));
            (line.op, line.key, line.status) = (Some(attempt.op), attempt.key, Some(answer.status));
            (line.code, line.position) = (answer.code.as_deref(), answer.position);
            (line.sha, line.said) = (Some(answer.sha.as_str()), Some(&answer.said));
        });
        if answer.ended == Ended::Ok {
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Something was done to a server or process.
    pub fn nemesis(&self, what: &str, target: &str) {
        self.write(|line| (line.what, line.target) = (what, Some(target)));
    }

    /// How many calls succeeded so far.
    pub fn successes(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn write<'a>(&self, fill: impl FnOnce(&mut Line<'a>)) {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.lines += 1;
        let wall = self.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let at_ms = self.began.elapsed().as_millis();
        let mut line = Line {
            n: book.lines,
            at_ms,
            wall,
            who: "nemesis",
            what: "",
            call: None,
            op: None,
            key: None,
            about: None,
            target: None,
            status: None,
            code: None,
            position: None,
            sha: None,
            said: None,
        };
        fill(&mut line);
        let written = serde_json::to_writer(&mut book.out, &line).map_err(std::io::Error::from);
        if let Err(error) = written.and_then(|()| book.out.write_all(b"\n")) {
            book.broken.get_or_insert(error);
        }
    }

    /// Everything is in the file.
    ///
    /// # Errors
    /// The first that went wrong while writing.
    pub fn close(&self) -> std::io::Result<()> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        match book.broken.take() {
            Some(error) => Err(error),
            None => book.out.flush(),
        }
    }
}
