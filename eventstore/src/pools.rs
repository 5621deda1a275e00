//! The connections of a process, and those of them that are kept for what must not wait (reliability.md F06).

use std::future::Future;

use sqlx::PgPool;

tokio::task_local! {
    /// What is done is urgent.
    static URGENT: ();
}

/// All connections but the lane's.
#[derive(Clone, Debug)]
pub(crate) struct Pools {
    pub(crate) everybody: PgPool,
    /// For what is urgent; when they are all in use, others will do.
    pub(crate) kept: Option<PgPool>,
}

impl Pools {
    /// Where whoever asks gets a connection.
    pub(crate) fn mine(&self) -> &PgPool {
        let Some(kept) = self.kept.as_ref().filter(|_| URGENT.try_with(|()| ()).is_ok()) else {
            return &self.everybody;
        };
        if kept.num_idle() == 0 && self.everybody.num_idle() > 0 { &self.everybody } else { kept }
    }

    pub(crate) async fn close(&self) {
        if let Some(kept) = &self.kept {
            kept.close().await;
        }
        self.everybody.close().await;
    }
}

/// Does something for which the kept connections may be used, as far as it does it itself and not in another task.
pub(crate) async fn urgently<F: Future>(work: F) -> F::Output {
    URGENT.scope((), work).await
}
