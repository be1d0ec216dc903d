//! Forgets the traces of CreateOrder without a key once they mean nothing any more.

use std::time::Duration;

use oms_messaging::Failure;
use tokio_util::sync::CancellationToken;

use crate::{commands::Context, store::forget_fingerprints};

/// Deletes expired fingerprints, a bounded batch at a time.
#[derive(Debug)]
pub struct Forgetting {
    context: Context,
}

impl Forgetting {
    /// A sweeper over the service's fingerprints.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// Deletes up to `repeat_batch_max` expired fingerprints. Returns how many.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn step(&mut self) -> Result<u64, Failure> {
        let messaging = &self.context.messaging;
        let now = messaging.seams().clock.now();
        forget_fingerprints(messaging.database(), now, self.context.settings.repeat_batch_max).await
    }

    /// Sweeps until `stop`.
    ///
    /// # Errors
    /// None today; a store that is away is waited for.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Failure> {
        let pause = Duration::from_millis(self.context.settings.repeat_sweep_ms);
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            loop {
                match self.step().await {
                    Ok(gone) if gone >= self.context.settings.repeat_batch_max => {}
                    Ok(_) => break,
                    Err(failure) => {
                        tracing::warn!(%failure, "expired fingerprints wait for the next sweep");
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}
