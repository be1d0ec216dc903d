//! Who may call: nobody before the service is ready or while it drains, and not too many at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use crate::{health::Health, refusal::Refusal, tasks::Slot};

/// Stands before every call but health and reflection.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    health: Health,
    /// Set once the service has been ready: a database that goes away later is the calls' own
    /// concern, many of which may still be answered.
    opened: Arc<AtomicBool>,
    slots: Arc<Semaphore>,
    calls: TaskTracker,
}

/// A call that is being answered, until the last byte of its answer.
#[derive(Debug)]
pub(super) struct Admitted {
    slot: Option<Slot>,
    _call: TaskTrackerToken,
}

impl Admitted {
    /// The call's share of the concurrency, for what may outlive it.
    pub(super) fn slot(&self) -> Option<Slot> {
        self.slot.clone()
    }
}

impl Gate {
    pub(super) fn new(health: Health, concurrency_max: usize) -> Self {
        let slots = Arc::new(Semaphore::new(concurrency_max.min(Semaphore::MAX_PERMITS)));
        Self { health, opened: Arc::default(), slots, calls: TaskTracker::new() }
    }

    /// The service has been ready.
    pub(super) fn open(&self) {
        self.opened.store(true, Ordering::Release);
    }

    /// Lets a call in that is about the server itself: at any time, and any number.
    pub(super) fn admit_always(&self) -> Admitted {
        Admitted { slot: None, _call: self.calls.token() }
    }

    /// Resolves when no call is being answered any more.
    pub(super) async fn idle(&self) {
        self.calls.close();
        self.calls.wait().await;
    }

    /// Lets a call in.
    pub(super) fn admit(&self) -> Result<Admitted, Refusal> {
        if self.health.is_draining() {
            return Err(Refusal::unavailable("DRAINING", "the service is shutting down")
                .retry_after(Duration::from_secs(1)));
        }
        if !self.opened.load(Ordering::Acquire) {
            if !self.health.is_ready() {
                return Err(Refusal::unavailable("STARTING", "the service is starting"));
            }
            self.open();
        }
        let slot = self.slots.clone().try_acquire_owned().map_err(|_| {
            Refusal::unavailable("OVERLOADED", "too many calls at once")
                .retry_after(Duration::from_millis(200))
        })?;
        Ok(Admitted { slot: Some(Arc::new(slot)), _call: self.calls.token() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_still_come_in_while_it_drains_are_told_to_come_again() {
        let health = Health::default();
        let gate = Gate::new(health.clone(), 1);
        let running = gate.admit().unwrap();
        health.drain();
        let refusal = gate.admit().unwrap_err();
        assert_eq!((refusal.code, refusal.reason), (tonic::Code::Unavailable, "DRAINING"));
        assert!(refusal.retry_after.is_some());
        drop(running);
    }
}
