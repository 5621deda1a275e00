//! One command of a caller who is alone, settled without the lane's thread.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{runtime::Handle, sync::OwnedMutexGuard};

use super::{Command, Load, Verdict, session::Session};
use crate::append::AppendError;

type Answer = Result<Verdict, AppendError>;

/// Settles one command on a connection that nobody else uses.
pub(crate) fn settle(mut session: OwnedMutexGuard<Session>, load: Arc<Load>, command: Command) -> ToTheEnd {
    ToTheEnd(Some(Box::pin(async move {
        metrics::histogram!("lane_batch_commands").record(1.0);
        metrics::histogram!("lane_wait_seconds").record(0.0);
        let verdict = session.settle(&[&command]).await.pop().unwrap_or(Err(AppendError::Unknown));
        load.settled(1);
        metrics::histogram!("lane_batch_events").record(super::verdict::count(&verdict) as f64);
        verdict
    })))
}

/// Goes on by itself when the caller goes away: half a conversation would make the connection useless.
pub(crate) struct ToTheEnd(Option<Pin<Box<dyn Future<Output = Answer> + Send>>>);

impl Future for ToTheEnd {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let Some(future) = &mut self.0 else { return Poll::Ready(Err(AppendError::Unknown)) };
        let answer = std::task::ready!(future.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(answer)
    }
}

impl Drop for ToTheEnd {
    fn drop(&mut self) {
        if let (Some(future), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(future);
        }
    }
}
