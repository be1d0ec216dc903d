//! How long a command waits.

use std::{future::Future, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a wait goes on once the service drains: the workers still run, so that most of what is
/// waited for ends in this time.
const DRAIN_WAIT: Duration = Duration::from_secs(3);

/// A command's patience: until its caller's deadline, until its caller has gone, or shortly after
/// the service began to drain.
#[derive(Clone, Debug)]
pub struct Patience {
    until: Instant,
    gone: CancellationToken,
    draining: CancellationToken,
}

impl Patience {
    /// Until `until`, while `gone` and `draining` are not cancelled.
    #[must_use]
    pub fn new(until: Instant, gone: CancellationToken, draining: CancellationToken) -> Self {
        Self { until, gone, draining }
    }

    /// Whether nobody wants the outcome any more.
    pub(super) fn caller_has_gone(&self) -> bool {
        self.gone.is_cancelled()
    }

    /// What `future` comes to; `None` when patience ends first.
    pub(super) async fn wait_for<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = future => Some(done),
            () = tokio::time::sleep_until(self.until) => None,
            () = self.gone.cancelled() => None,
            () = self.drained() => None,
        }
    }

    /// What `future` comes to, whether or not anybody still wants it; `None` when its caller's time
    /// ends first.
    pub(super) async fn in_time<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout_at(self.until, future).await.ok()
    }

    async fn drained(&self) {
        self.draining.cancelled().await;
        tokio::time::sleep(DRAIN_WAIT).await;
    }
}
