//! Time and death as a test wants them.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, Utc};
use oms_seams::{Clock, FaultPlan, Faults, Seams, SystemIds, Verdict};
use tokio::sync::Notify;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(super) struct HandClock(AtomicI64);

impl HandClock {
    pub(super) fn advance_ms(&self, ms: u64) {
        self.0.fetch_add(i64::try_from(ms).unwrap() * 1_000, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Lets the process die when a fault point is reached for the n-th time.
#[derive(Debug, Default)]
pub(super) struct Plan {
    armed: Mutex<Option<(&'static str, u32)>>,
    died: Notify,
}

impl Plan {
    pub(super) fn arm(&self, point: &'static str, nth: u32) {
        *self.armed.lock().unwrap() = Some((point, nth));
    }

    /// Runs until done (true) or dead (false).
    pub(super) async fn survives<T>(&self, work: impl Future<Output = T>) -> bool {
        tokio::select! {
            biased;
            () = self.died.notified() => false,
            _ = work => true,
        }
    }
}

impl FaultPlan for Plan {
    fn reached(&self, point: &'static str) -> Verdict {
        let mut armed = self.armed.lock().unwrap();
        match &mut *armed {
            Some((wanted, nth)) if *wanted == point => {
                *nth -= 1;
                if *nth == 0 {
                    *armed = None;
                    self.died.notify_one();
                    return Verdict::Crash;
                }
                Verdict::Proceed
            }
            _ => Verdict::Proceed,
        }
    }
}

/// What one test controls.
#[derive(Clone, Debug)]
pub(super) struct Hands {
    pub(super) clock: Arc<HandClock>,
    pub(super) plan: Arc<Plan>,
}

impl Hands {
    pub(super) fn new() -> Self {
        let start = 1_800_000_000_000_000;
        let clock = Arc::new(HandClock(AtomicI64::new(start)));
        Self { clock, plan: Arc::default() }
    }

    pub(super) fn seams(&self) -> Seams {
        Seams {
            clock: self.clock.clone(),
            ids: Arc::new(SystemIds),
            faults: Faults::planned(self.plan.clone()),
        }
    }
}
