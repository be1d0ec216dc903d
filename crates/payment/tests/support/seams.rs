//! Time and crashes under test control.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU32, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use oms_seams::{Clock, FaultPlan, Verdict};
use tokio::sync::Notify;

/// A clock that stands still until it is told otherwise.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_800_000_000_000_000)))
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_microseconds().unwrap(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// The process dies when it reaches `point` for the `nth` time, counted from 1.
#[derive(Debug)]
pub(crate) struct CrashAt {
    point: &'static str,
    left: AtomicU32,
    crashed: Notify,
}

impl CrashAt {
    pub(crate) fn new(point: &'static str, nth: u32) -> Arc<Self> {
        Arc::new(Self { point, left: AtomicU32::new(nth), crashed: Notify::new() })
    }

    /// Runs `process` until it dies at the point, and drops it as a crash would.
    pub(crate) async fn kill<F: Future>(&self, process: F) {
        tokio::select! {
            _ = process => panic!("{} was never reached", self.point),
            () = self.crashed.notified() => {}
        }
    }
}

impl FaultPlan for CrashAt {
    fn reached(&self, point: &'static str) -> Verdict {
        if point != self.point || self.left.fetch_sub(1, Ordering::SeqCst) != 1 {
            return Verdict::Proceed;
        }
        self.crashed.notify_one();
        Verdict::Crash
    }
}
