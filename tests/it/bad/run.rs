//! Sends cases, and judges what comes back: the same for every class.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use kalel::seeded::Seeded;
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::Value;

use super::{corpus, house::House, process::Process};

/// Requests on their way at the same time.
const AT_ONCE: usize = 8;
/// Requests between two looks at the head of the log.
const BATCH: usize = 40;
/// The goal is a second on a quiet machine; tests share theirs, so that here an answer must only come, and the slowest and the
/// median are printed.
const PATIENCE: Duration = Duration::from_secs(20);
/// What the process may grow by after its first third of a run, in KiB: pools, caches, and above all the 19 MiB that hashing a
/// PIN or a passphrase takes, which the allocator keeps for each thread that has done it.
const GROWTH: u64 = 96 * 1_024;
/// As often is something sent on a connection that is closed meanwhile.
const MOST_CUT_OFF: usize = 4;
/// There is no sealer here: what is new has no proof yet, and is asked for again.
const SEALED_LATER: &str = "audit.not_sealed_yet";
/// What nobody outside is told.
const INNARDS: [&str; 7] = ["sqlx", "postgres", "panicked", "stack backtrace", "SELECT ", "/src/", "RUST_"];

/// What must become of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Must {
    /// 4xx.
    Refuse,
    /// 400, as it is no such JSON.
    Form,
    /// One of these.
    Be(Vec<u16>),
    /// Anything below 500: it may be right.
    May,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub about: String,
    pub method: Method,
    pub path: String,
    /// With whose key or session.
    pub who: Option<String>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub must: Must,
}

impl Case {
    /// Whether a word that comes back is the caller's own.
    fn says(&self, word: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(word) || self.path.contains(word.trim())
    }
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub took: Duration,
}

impl Answer {
    /// What it is called in the log, if it was accepted.
    pub fn accepted(&self) -> Option<String> {
        let id = self.headers.get("request-id").filter(|_| (200..300).contains(&self.status))?;
        id.to_str().ok().map(str::to_owned)
    }

    pub fn code(&self) -> String {
        let problem: Value = serde_json::from_str(&self.text).unwrap_or(Value::Null);
        problem["code"].as_str().unwrap_or_default().to_owned()
    }

    /// What it says, from its beginning.
    pub fn says(&self) -> String {
        self.text.chars().take(300).collect()
    }
}

/// What came of a class.
pub struct Tally {
    class: &'static str,
    asked: usize,
    by_status: BTreeMap<u16, usize>,
    by_code: BTreeMap<String, usize>,
    took: Vec<Duration>,
    memory: Vec<u64>,
    busy: usize,
    wrong: Vec<String>,
    found: Vec<Value>,
    pages: BTreeSet<String>,
}

/// Whether a code is explained. A connection that was cut says nothing about that.
async fn has_a_page(house: &House, code: &str) -> bool {
    for _ in 0..5 {
        if let Ok(page) = house.api.http.get(format!("{}/problems/{code}", house.api.base)).send().await {
            return page.status() == StatusCode::OK;
        }
    }
    false
}

impl Tally {
    pub fn new(class: &'static str) -> Self {
        Self {
            class,
            asked: 0,
            by_status: BTreeMap::new(),
            by_code: BTreeMap::new(),
            took: Vec::new(),
            memory: Vec::new(),
            busy: 0,
            wrong: Vec::new(),
            found: Vec::new(),
            pages: BTreeSet::new(),
        }
    }

    /// Something that no single case is guilty of.
    pub fn wrong(&mut self, what: String) {
        self.wrong.push(what);
    }

    /// Counts what was asked in another way.
    pub fn count(&mut self, status: u16, took: Duration) {
        self.asked += 1;
        *self.by_status.entry(status).or_default() += 1;
        self.took.push(took);
    }

    /// How many so far.
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// What was wrong in a part that is counted otherwise.
    pub fn take_wrong(&mut self, part: Self) {
        self.wrong.extend(part.wrong);
        self.found.extend(part.found);
        for (code, times) in part.by_code {
            *self.by_code.entry(code).or_default() += times;
        }
    }

    /// Looks at the memory of the process.
    pub fn remember(&mut self, process: &Process) {
        self.memory.push(process.memory());
    }

    pub fn slowest(&self) -> Duration {
        self.took.iter().max().copied().unwrap_or_default()
    }

    /// First what was found before, then these.
    pub async fn try_all(&mut self, house: &House, cases: Vec<Case>) {
        let known = corpus::read(self.class, house);
        // What is known is not counted.
        self.run(house, &known).await;
        self.asked = 0;
        self.run(house, &cases).await;
    }

    /// Sends them, in batches after which the log is looked at: what is new there was accepted.
    pub async fn run(&mut self, house: &House, cases: &[Case]) {
        for batch in cases.chunks(BATCH) {
            let before = house.api.store.head().await.unwrap();
            let pump = async {
                loop {
                    house.api.settle().await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            let all = stream::iter(batch).map(|case| async move { (case, send(house, case).await) });
            let answers: Vec<_> = tokio::select! {
                answers = all.buffer_unordered(AT_ONCE).collect() => answers,
                () = pump => Vec::new(),
            };
            let mut accepted = BTreeSet::new();
            for (case, answer) in answers {
                match answer {
                    Ok((answer, busy)) => {
                        self.busy += busy;
                        accepted.extend(answer.accepted());
                        self.judge(house, case, &answer).await;
                    }
                    Err(error) => self.blame(house, case, &format!("no answer: {error}")),
                }
            }
            self.written(house, before, &accepted, || batch.iter().map(|case| case.about.clone()).collect()).await;
            self.remember(&house.process);
        }
    }

    /// Whether all that was written since is what these requests asked for.
    pub async fn written(
        &mut self,
        house: &House,
        before: i64,
        accepted: &BTreeSet<String>,
        about: impl Fn() -> Vec<String>,
    ) {
        for event in house.api.store.read_after(before, 1_000_000).await.unwrap() {
            if !event.meta.request.as_ref().is_some_and(|request| accepted.contains(request)) {
                let (name, request) = (&event.name, &event.meta.request);
                self.wrong
                    .push(format!("{name} was written for {request:?}, which was not accepted: one of {:?}", about()));
            }
        }
    }

    pub async fn judge(&mut self, house: &House, case: &Case, answer: &Answer) {
        self.count(answer.status, answer.took);
        let problem: Value = serde_json::from_str(&answer.text).unwrap_or(Value::Null);
        let code = problem["code"].as_str().unwrap_or_default();
        if !code.is_empty() {
            *self.by_code.entry(code.to_owned()).or_default() += 1;
        }
        let refused = (400..500).contains(&answer.status);
        let as_it_must = match &case.must {
            Must::Refuse => refused,
            Must::Form => answer.status == 400 && ["request.malformed_json", "request.invalid_field"].contains(&code),
            Must::Be(among) => among.contains(&answer.status),
            Must::May => answer.status < 500 || code == SEALED_LATER,
        };
        if !as_it_must {
            let said = format!("{} instead of {:?}: {}", answer.status, case.must, answer.says());
            self.blame(house, case, &said);
        }
        if let Some(told) =
            INNARDS.iter().find(|word| answer.status >= 400 && answer.text.contains(**word) && !case.says(word))
        {
            self.blame(house, case, &format!("tells of {told:?}: {}", answer.text));
        }
        if answer.status < 400 {
            return;
        }
        let media = answer.headers.get("content-type").and_then(|media| media.to_str().ok()).unwrap_or_default();
        let whole = ["type", "title", "detail", "request_id", "outcome"].iter().all(|name| problem[name].is_string());
        if media != "application/problem+json" || !whole || problem["status"] != answer.status {
            self.blame(house, case, &format!("{} without a problem document: {media} {}", answer.status, answer.text));
        } else if self.pages.insert(code.to_owned()) && !has_a_page(house, code).await {
            self.blame(house, case, &format!("{code:?} has no page"));
        }
    }

    pub fn blame(&mut self, house: &House, case: &Case, why: &str) {
        self.found.push(corpus::line(house, case));
        let who = case.who.as_deref().unwrap_or("nobody");
        self.wrong.push(format!("{} ({} {} by {who}): {why}", case.about, case.method, case.path));
    }

    /// Says what came of it, where nothing captures it, and fails if anything was wrong.
    pub fn report(mut self, process: Option<&Process>, wanted: usize) {
        self.took.sort_unstable();
        let at =
            |part: usize| self.took.get(self.took.len().saturating_sub(1) * part / 100).copied().unwrap_or_default();
        let warm = self.memory.get(self.memory.len() / 3).copied().unwrap_or_default();
        let last = self.memory.last().copied().unwrap_or_default();
        let grown = last.saturating_sub(warm);
        let said = format!(
            "bad {}: {} cases, {} wrong, {:?}; median {:?}, slowest {:?}; {} MiB, {} KiB more than after a third; told to come \
             back {} times\n",
            self.class,
            self.asked,
            self.wrong.len(),
            self.by_status,
            at(50),
            at(100),
            last / 1_024,
            grown,
            self.busy
        );
        // Not captured: the counts are read in what a run prints.
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        println!("codes: {:?}", self.by_code);
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for wrong in &self.wrong {
            let why = wrong.split_once("): ").map_or(wrong.as_str(), |(_, why)| why);
            let times = kinds.entry(why.get(..70).unwrap_or(why)).or_default();
            *times += 1;
            if *times <= 3 {
                println!("  {wrong}");
            }
        }
        if !self.found.is_empty() {
            println!("to be kept in tests/corpus/bad/{}.jsonl when it is mended:", self.class);
            self.found.iter().take(20).for_each(|line| println!("{line}"));
        }
        let seed = super::seed();
        assert!(self.wrong.is_empty(), "{}: {} wrong with KALEL_BAD_SEED={seed}", self.class, self.wrong.len());
        assert_eq!(self.asked, wanted, "{}", self.class);
        let panicked = process.map(Process::log).unwrap_or_default().matches("panicked").count();
        assert_eq!(panicked, 0, "{}: the process panicked with KALEL_BAD_SEED={seed}", self.class);
        assert!(grown <= GROWTH, "{}: {grown} KiB more than after a third of the run", self.class);
    }
}

/// Once more when the process says that it is busy, or its views are late: tests share a machine, and pump the views.
pub async fn send(house: &House, case: &Case) -> Result<(Answer, usize), String> {
    let mut busy = 0;
    loop {
        let answer = once(house, case).await?;
        let passes = ["server.overloaded", "projection_behind"].contains(&answer.code().as_str());
        if answer.status != 503 || !passes || busy == 10 {
            return Ok((answer, busy));
        }
        busy += 1;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn once(house: &House, case: &Case) -> Result<Answer, String> {
    let mut request = house.api.http.request(case.method.clone(), format!("{}{}", house.api.base, case.path));
    if let Some(who) = &case.who {
        let bearer = house.bearers.get(who).ok_or_else(|| format!("nobody is called {who}"))?;
        request = request.bearer_auth(bearer);
    }
    for (name, value) in &case.headers {
        request = request.header(name, value);
    }
    let begun = Instant::now();
    // A body that is too long is not read to its end: the connection it came on is closed, also under the next request.
    let request = request.body(case.body.clone()).timeout(PATIENCE);
    let mut answer = Err(String::new());
    for _ in 0..MOST_CUT_OFF {
        let request = request.try_clone().ok_or("cannot be sent twice")?;
        match request.send().await {
            Ok(came) => {
                answer = Ok(came);
                break;
            }
            Err(error) => answer = Err(format!("{error:?}")),
        }
    }
    let answer = answer?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let endless = headers.get("content-type").is_some_and(|media| media == "text/event-stream");
    let text = if endless { String::new() } else { answer.text().await.map_err(|error| format!("{error:?}"))? };
    Ok(Answer { status, headers, text, took: begun.elapsed() })
}

/// So many of them: in turn from each group, each group in an order of the seed's.
pub fn drawn<T>(mut groups: Vec<Vec<T>>, count: usize, seeded: &mut Seeded) -> Vec<T> {
    let there: usize = groups.iter().map(Vec::len).sum();
    assert!(there >= count, "only {there} cases");
    let mut drawn = Vec::with_capacity(count);
    while drawn.len() < count {
        for group in &mut groups {
            if drawn.len() < count {
                drawn.extend(seeded.draw(group));
            }
        }
    }
    drawn
}
