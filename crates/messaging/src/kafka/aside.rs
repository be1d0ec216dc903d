//! Letting go of librdkafka's clients without stopping the async threads.

use std::future::Future;

use tokio::runtime::Handle;

use crate::LogError;

/// Drops a client whose destructor blocks (it joins threads and leaves groups) on a thread for
/// blocking work; outside of a runtime, here and now.
pub(super) fn drop_aside<T: Send + 'static>(client: T) {
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(move || drop(client))),
        Err(_) => drop(client),
    }
}

/// Runs a call that blocks on a thread for blocking work.
pub(super) fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Result<T, LogError>> + Send {
    let running = tokio::task::spawn_blocking(call);
    async move { running.await.map_err(|error| LogError(format!("interrupted: {error}"))) }
}
