//! Letting go of librdkafka's clients without stopping the async threads.

use std::{future::Future, thread};

use tokio::sync::oneshot;

use crate::LogError;

/// Drops a client whose destructor blocks (it joins threads and leaves groups) on a thread of its
/// own.
///
/// Not on a runtime's thread for blocking work: a runtime that ends waits for those without bound,
/// and librdkafka may wait for ever. A group member whose coordinator goes away while it gives its
/// partitions back can miss the answer to its last commit (seen with librdkafka 2.12.1: state
/// `query-coord`, join state `wait-unassign-to-complete`, one commit awaited). Nobody needs to wait
/// for that. Held by `a_client_that_takes_long_to_let_go_holds_up_nobody`.
pub(super) fn drop_aside<T: Send + 'static>(client: T) {
    drop(dropped(client));
}

/// The same, and resolves when it is done.
pub(super) fn dropped<T: Send + 'static>(client: T) -> impl Future<Output = ()> + Send {
    let (done, ended) = oneshot::channel();
    let letting_go = thread::Builder::new().name("kafka-close".to_owned()).spawn(move || {
        drop(client);
        // Whoever does not wait has dropped the other end.
        let _ = done.send(());
    });
    if let Err(error) = letting_go {
        // The closure is gone, and the client with it: it was dropped here.
        tracing::warn!(target: "kafka", %error, "no thread to close a client on");
    }
    async move {
        // An error means that it was dropped here, or that its destructor panicked: it is gone.
        let _ = ended.await;
    }
}

/// Runs a call that blocks for a bounded time on a runtime's thread for blocking work.
pub(super) fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Result<T, LogError>> + Send {
    let running = tokio::task::spawn_blocking(call);
    async move { running.await.map_err(|error| LogError(format!("interrupted: {error}"))) }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A client whose destructor ends when it is told to.
    struct Slow(mpsc::Receiver<()>, mpsc::Sender<()>);

    impl Drop for Slow {
        fn drop(&mut self) {
            let _ = self.0.recv();
            let _ = self.1.send(());
        }
    }

    #[test]
    fn a_client_that_takes_long_to_let_go_holds_up_nobody() {
        let (release, wait) = mpsc::channel();
        let (gone, seen) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { drop_aside(Slow(wait, gone)) });
        // Would never return if the runtime had to wait for the destructor.
        drop(runtime);
        release.send(()).unwrap();
        seen.recv().unwrap();
    }

    #[tokio::test]
    async fn who_waits_is_told_when_it_is_gone() {
        let (release, wait) = mpsc::channel();
        let (gone, seen) = mpsc::channel();
        let dropping = dropped(Slow(wait, gone));
        release.send(()).unwrap();
        dropping.await;
        seen.try_recv().unwrap();
    }
}
