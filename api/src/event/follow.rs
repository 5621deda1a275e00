//! The log as it is written: server-sent events (WHATWG HTML, §9.2), resumed by position.
//!
//! Nothing is queued for a reader: each time it has room, the next events after its own position are taken from the tail
//! of the log, so that a slow reader costs what a fast one costs and holds nobody up.

use std::time::Duration;

use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use eventstore::Recorded;
use futures_util::{Stream, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    EventBody, READS,
    filter::Filter,
    list::{TYPE, sees},
    places::Place,
    tail::Following,
};
use crate::{
    http::{
        admission::Class,
        auth,
        call::Call,
        halt::Halt,
        operation::{Kind, Operation, Param, Shape, Success},
        reply::{EVENT_STREAM, Reply},
    },
    problem::Problem,
    reservation,
};

pub const FOLLOW: Operation = Operation {
    id: "event.follow",
    path: "/v1/events/stream",
    class: Class::Analytics,
    summary: "Events as they happen",
    about: "Server-sent events: `id` is the position, `event` the type, `data` the same object as in the list. Begins after \
            `Last-Event-ID` or `after`, without either with what happens from now on. Between events comes a sign of life, \
            and now and then an `id` alone: there was nothing for you up to there. Connect again whenever it ends, as \
            every EventSource does by itself; nothing is lost and nothing comes twice.",
    authz: READS,
    query: &[Param::new("after", Kind::Integer { min: 0, max: i64::MAX }, "Position; 0 for the beginning.", ""), TYPE],
    success: Success {
        media: EVENT_STREAM,
        shape: Some(Shape::of::<EventBody>()),
        about: "Messages whose `data` is such an object.",
        ..Operation::READ.success
    },
    refusals: &["event.too_many_streams"],
    run: |call| Box::pin(follow(call)),
    ..Operation::READ
};

/// How often a key is asked whether it is still good, beside when its own stream moves: for readers far behind that.
const RECHECK: Duration = Duration::from_secs(5);
/// Passed over without a word at most: then the reader is told how far it is.
const QUIET: i64 = 1_000;
/// Bytes handed over at once, but for a single event that is larger.
const PIECE: usize = 64 << 10;

async fn follow(call: Call) -> Result<Reply, Halt> {
    let wanted = Filter::of(&call.query);
    begin(call, wanted, Sight::Log).await
}

/// By whose eyes a stream is seen.
#[derive(Clone, Copy, Debug)]
pub enum Sight {
    /// As the log is read.
    Log,
    /// The reservations that the caller may read, and nothing else.
    Reservations,
}

/// Begins a stream.
///
/// # Errors
/// When it begins nowhere, or there are too many.
pub async fn begin(call: Call, wanted: Filter, sight: Sight) -> Result<Reply, Halt> {
    let app = call.app.clone();
    let head = app.store.head().await.map_err(Problem::from)?;
    let after = match last_event_id(&call)? {
        Some(position) => Some(position),
        None => call.query.integer("after"),
    };
    let position = after.unwrap_or(head);
    if position > head {
        return Err(Problem::new("position.beyond_head").member("head", head).into());
    }
    let key = call.caller.id().unwrap_or_default();
    let place = app.places_of_streams.take(key, app.settings.streams)?;
    let now = Instant::now();
    let principal = call.caller.principal();
    let follower = Follower {
        wanted,
        sight,
        tail: app.tail.follow(),
        ending: app.ending.clone(),
        heartbeat: app.settings.streams.heartbeat,
        call,
        position,
        told: position,
        spoke: now,
        checked: now,
        key,
        principal,
        suspect: false,
        _place: place,
    };
    Ok(Reply::flowing(follower.pieces()).position(head))
}

/// What a reader that comes back has seen. It goes before `after`, which its address still says.
fn last_event_id(call: &Call) -> Result<Option<i64>, Problem> {
    let Some(value) = call.headers.get("last-event-id").filter(|value| !value.is_empty()) else { return Ok(None) };
    let position = value.to_str().ok().and_then(|text| text.parse().ok()).filter(|position| *position >= 0);
    let said =
        || Problem::new("request.invalid_header").parameter("Last-Event-ID", "must be a position: a whole number");
    position.map(Some).ok_or_else(said)
}

/// One reader.
struct Follower {
    call: Call,
    wanted: Filter,
    sight: Sight,
    tail: Following,
    ending: CancellationToken,
    heartbeat: Duration,
    /// Read up to here.
    position: i64,
    /// The reader knows that it is here.
    told: i64,
    /// When something was last said.
    spoke: Instant,
    /// When the key was last good.
    checked: Instant,
    /// The key or the session, and whose it is: the account of whoever works.
    key: Uuid,
    principal: Option<Uuid>,
    /// Something has happened to one of them.
    suspect: bool,
    _place: Place,
}

/// What comes next.
enum Piece {
    More(Bytes),
    /// Nothing after this.
    Last(String),
}

impl Follower {
    fn pieces(self) -> impl Stream<Item = Bytes> + Send + 'static {
        // Come back soon, and from here even when nothing happens until then.
        let greeting = Bytes::from(format!("retry: 2000\nid: {}\n\n", self.position));
        let pieces = stream::unfold(Some(self), |follower| async {
            let mut follower = follower?;
            Some(match follower.next().await {
                Piece::More(piece) => (piece, Some(follower)),
                Piece::Last(piece) => (Bytes::from(piece), None),
            })
        });
        futures_util::StreamExt::chain(stream::iter([greeting]), pieces)
    }

    async fn next(&mut self) -> Piece {
        loop {
            if self.ending.is_cancelled() {
                return Piece::Last(": this process ends; another one answers\nretry: 1000\n\n".to_owned());
            }
            if (self.suspect || self.checked.elapsed() >= RECHECK)
                && let Err(problem) = self.check().await
            {
                return Piece::Last(format!(": {}\nretry: 60000\n\n", problem.code()));
            }
            match self.read().await {
                Ok(Some(piece)) => {
                    self.spoke = Instant::now();
                    return Piece::More(piece);
                }
                Ok(None) if self.suspect => continue,
                Ok(None) => {}
                Err(problem) => return Piece::Last(format!(": {}\nretry: 5000\n\n", problem.code())),
            }
            tokio::select! {
                () = self.tail.beyond(self.position) => {}
                () = tokio::time::sleep_until(self.checked + RECHECK) => {}
                () = self.ending.cancelled() => {}
                () = tokio::time::sleep_until(self.spoke + self.heartbeat) => {
                    self.spoke = Instant::now();
                    return Piece::More(self.sign_of_life());
                }
            }
        }
    }

    /// Whether the key is still good, and what it may see now.
    async fn check(&mut self) -> Result<(), Problem> {
        if self.suspect {
            // What was believed a moment ago is not what happened since.
            self.call.app.keys.forget_all();
            self.suspect = false;
        }
        match auth::who_still(&self.call.app, self.call.operation, &self.call.headers).await {
            Ok(caller) => {
                auth::may_call(&self.call.app, self.call.operation, &caller)?;
                self.call.caller = caller;
            }
            Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => return Err(problem),
            // Nobody can tell at the moment, and while the log is away there is nothing to read either.
            Err(_) => {}
        }
        self.checked = Instant::now();
        Ok(())
    }

    /// The next piece of the log; `None` at its end.
    async fn read(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let next = self.tail.after(self.position).await?;
            if next.is_empty() {
                return Ok(None);
            }
            let mut piece = BytesMut::new();
            for told in next {
                let shown = self.wanted.takes(&told.recorded.name) && self.sees(&told.recorded).await?;
                self.position = told.recorded.position;
                self.suspect |= [Some(self.key), self.principal].contains(&Some(told.recorded.stream_id));
                if shown {
                    piece.extend_from_slice(&told.frame);
                    self.told = self.position;
                }
                if piece.len() >= PIECE || self.suspect {
                    break;
                }
            }
            if !piece.is_empty() {
                return Ok(Some(piece.freeze()));
            }
            if self.suspect {
                return Ok(None);
            }
            if self.position - self.told >= QUIET {
                return Ok(Some(self.whereabouts()));
            }
        }
    }

    async fn sees(&self, recorded: &Recorded) -> Result<bool, Problem> {
        match self.sight {
            Sight::Log => sees(&self.call, recorded).await,
            Sight::Reservations => reservation::sees(&self.call, recorded).await,
        }
    }

    /// Where the reader is, without an event: kept by it for when it comes back (an `id` without `data`).
    fn whereabouts(&mut self) -> Bytes {
        self.told = self.position;
        Bytes::from(format!("id: {}\n\n", self.position))
    }

    fn sign_of_life(&mut self) -> Bytes {
        if self.told == self.position { Bytes::from_static(b": still here\n\n") } else { self.whereabouts() }
    }
}
