//! How fast the head of a request must come on a connection of HTTP/1.1, however long it rested before.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

/// The requests of one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Until all of the answer has been taken.
    pub in_hand: usize,
    /// Ever.
    pub ever: u64,
}

/// One request in hand, from the end of its head until all of its answer has been taken.
pub struct InHand(watch::Sender<Counts>);

impl InHand {
    pub fn new(counts: watch::Sender<Counts>) -> Self {
        counts.send_modify(|counts| {
            counts.in_hand = counts.in_hand.saturating_add(1);
            counts.ever = counts.ever.wrapping_add(1);
        });
        Self(counts)
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.send_modify(|counts| counts.in_hand = counts.in_hand.saturating_sub(1));
    }
}

/// Reads that fail when bytes come, no request is in hand, and for so long none follows from them.
pub struct Paced<R> {
    reading: R,
    counts: watch::Receiver<Counts>,
    head: Duration,
    begun: Option<Begun>,
}

/// A head of which some has come.
struct Begun {
    /// Requests there had been by then.
    ever: u64,
    until: Pin<Box<Sleep>>,
}

impl<R> Paced<R> {
    pub fn new(reading: R, counts: watch::Receiver<Counts>, head: Duration) -> Self {
        Self { reading, counts, head, begun: None }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Paced<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.reading).poll_read(cx, buf);
        let Counts { in_hand, ever } = *self.counts.borrow();
        if in_hand > 0 || self.begun.as_ref().is_some_and(|begun| begun.ever != ever) {
            self.begun = None;
        }
        if in_hand == 0 && self.begun.is_none() && buf.filled().len() > before {
            self.begun = Some(Begun { ever, until: Box::pin(sleep(self.head)) });
        }
        if let (Some(begun), Poll::Pending) = (&mut self.begun, &polled)
            && begun.until.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}
