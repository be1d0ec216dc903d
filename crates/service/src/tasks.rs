//! The one place where tasks are spawned. It says what happens on error, on panic and on kill.

use std::{
    fmt::Display,
    future::{Future, pending},
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use futures::FutureExt;
use tokio::{sync::OwnedSemaphorePermit, task::futures::TaskLocalFuture, task_local};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

/// One call's share of the concurrency: free when the last clone is gone.
pub(crate) type Slot = Arc<OwnedSemaphorePermit>;

task_local! {
    static SLOT: Option<Slot>;
}

/// A call whose detached commands hold `slot` too: one that was given up still costs what it costs.
pub(crate) fn holding<F: Future>(slot: Option<Slot>, call: F) -> TaskLocalFuture<Option<Slot>, F> {
    SLOT.scope(slot, call)
}

/// Set once, by the first task of the process that fails. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Failed(Arc<FailedState>);

#[derive(Debug, Default)]
struct FailedState {
    token: CancellationToken,
    reason: Mutex<Option<String>>,
}

impl Failed {
    fn set(&self, reason: String) {
        let mut first = self.0.reason.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(reason);
        self.0.token.cancel();
    }

    /// Resolves with the reason once a task has failed.
    pub async fn wait(&self) -> String {
        self.0.token.cancelled().await;
        self.reason().unwrap_or_default()
    }

    /// Why the process must stop, if it must.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        self.0.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The tasks of one host, or of the process itself. Cheap to clone.
///
/// A task that fails or panics is logged once, here, and stops the whole process in order: half a
/// service is worse than none. A task that wants to outlive an error retries inside.
#[derive(Clone, Debug)]
pub struct Tasks {
    owner: &'static str,
    failed: Failed,
    killed: CancellationToken,
    /// What serves calls: ends with the intake.
    intake: TaskTracker,
    /// Everything else: ends with the workers.
    workers: TaskTracker,
}

impl Tasks {
    pub(crate) fn new(owner: &'static str, failed: Failed) -> Self {
        Self {
            owner,
            failed,
            killed: CancellationToken::new(),
            intake: TaskTracker::new(),
            workers: TaskTracker::new(),
        }
    }

    /// Runs a worker until it ends. `Err` or a panic stops the whole process; on drain the worker
    /// is expected to watch [`crate::Host::workers`] and end with `Ok`.
    pub fn spawn<F, E>(&self, name: &'static str, future: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send,
    {
        self.spawn_on(&self.workers, name, future);
    }

    /// Runs what serves calls; joined before the workers are told to stop.
    pub(crate) fn spawn_intake<F, E>(&self, name: &'static str, future: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send,
    {
        self.spawn_on(&self.intake, name, future);
    }

    /// Runs a command to its end even if the caller goes away meanwhile: the transport drops the
    /// handler of a cancelled call, and what was begun must not be left half done. The call's slot
    /// is held until then.
    pub async fn detach_from_caller<F, T>(&self, future: F) -> T
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        self.detach_with_caller(|_| future).await
    }

    /// As [`Tasks::detach_from_caller`], for a command that may wait before it begins anything: its
    /// token is cancelled when the caller has gone, and nobody wants what has not begun by then.
    pub async fn detach_with_caller<C, F, T>(&self, command: C) -> T
    where
        C: FnOnce(CancellationToken) -> F,
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let gone = CancellationToken::new();
        let future = command(gone.clone());
        let _caller = gone.drop_guard();
        let killed = self.killed.clone();
        let slot = SLOT.try_with(Clone::clone).ok().flatten();
        let task = async move {
            let done = tokio::select! {
                biased;
                () = killed.cancelled() => None,
                done = AssertUnwindSafe(future).catch_unwind() => Some(done),
            };
            drop(slot);
            done
        };
        #[allow(clippy::disallowed_methods, reason = "the one legal caller")]
        let handle = tokio::spawn(self.intake.track_future(task.in_current_span()));
        match handle.await {
            Ok(Some(Ok(done))) => done,
            Ok(Some(Err(panic))) => resume_unwind(panic),
            // Killed: as after kill -9, nobody is there to answer.
            Ok(None) | Err(_) => pending().await,
        }
    }

    fn spawn_on<F, E>(&self, tracker: &TaskTracker, name: &'static str, future: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send,
    {
        let (owner, failed, killed) = (self.owner, self.failed.clone(), self.killed.clone());
        let task = async move {
            let reason = tokio::select! {
                biased;
                () = killed.cancelled() => return,
                ended = AssertUnwindSafe(future).catch_unwind() => match ended {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => error.to_string(),
                    Err(panic) => format!("panicked: {}", panic_text(panic.as_ref())),
                },
            };
            tracing::error!(service = owner, task = name, error = %reason, "a task failed");
            failed.set(format!("{owner}: {name}: {reason}"));
        };
        #[allow(clippy::disallowed_methods, reason = "the one legal caller")]
        let _detached = tokio::spawn(tracker.track_future(task));
    }

    /// Resolves when everything that serves calls has ended.
    pub(crate) async fn join_intake(&self) {
        self.intake.close();
        self.intake.wait().await;
    }

    /// Resolves when every task has ended.
    pub(crate) async fn join_all(&self) {
        self.join_intake().await;
        self.workers.close();
        self.workers.wait().await;
    }

    pub(crate) fn kill(&self) {
        self.killed.cancel();
    }

    pub(crate) fn killed(&self) -> &CancellationToken {
        &self.killed
    }
}

/// What a panic said, where it said it in words.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
