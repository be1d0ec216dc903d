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

/// How long a drain waits, after the last call, for streams to end. They are told at once; but a
/// stream whose caller reads no more is never asked for its next word, and cannot say that it ends.
const STREAMS_END_WITHIN: Duration = Duration::from_millis(500);

/// Stands before every call but health and reflection.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    health: Health,
    /// Set once the service has been ready: a database that goes away later is the calls' own
    /// concern, many of which may still be answered.
    opened: Arc<AtomicBool>,
    slots: Arc<Semaphore>,
    calls: TaskTracker,
    streams: TaskTracker,
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
        let (calls, streams) = (TaskTracker::new(), TaskTracker::new());
        Self { health, opened: Arc::default(), slots, calls, streams }
    }

    /// The service has been ready.
    pub(super) fn open(&self) {
        self.opened.store(true, Ordering::Release);
    }

    /// Lets a call in that is about the server itself: at any time, and any number.
    pub(super) fn admit_always(&self) -> Admitted {
        Admitted { slot: None, _call: self.calls.token() }
    }

    /// A call that goes on as a stream gives its place back: whoever follows something for hours
    /// must not keep calls out. How many there may be is the business of what is followed.
    pub(super) fn stream(&self, call: Admitted) -> Admitted {
        // Counted anew before the old count is given up, so that a drain sees it throughout.
        let stream = self.streams.token();
        drop(call);
        Admitted { slot: None, _call: stream }
    }

    /// Resolves when no call is being answered any more, and no stream that could be told to end.
    pub(super) async fn idle(&self) {
        self.calls.close();
        self.streams.close();
        self.calls.wait().await;
        let told = tokio::time::timeout(STREAMS_END_WITHIN, self.streams.wait()).await;
        if told.is_err() {
            tracing::info!(streams = self.streams.len(), "streams nobody reads are cut");
        }
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

    #[tokio::test]
    async fn a_stream_takes_no_place_and_a_drain_waits_for_it_only_shortly() {
        let health = Health::default();
        let gate = Gate::new(health, 1);
        let streams = [(); 3].map(|()| gate.stream(gate.admit().unwrap()));
        let call = gate.admit().unwrap();
        assert_eq!(gate.admit().unwrap_err().reason, "OVERLOADED");
        let mut idle = std::pin::pin!(gate.idle());
        assert!(futures::poll!(&mut idle).is_pending(), "a call is waited for");
        drop(call);
        tokio::time::timeout(Duration::from_secs(20), idle).await.unwrap();
        assert_eq!(gate.streams.len(), streams.len(), "cut, not ended");
    }
}
