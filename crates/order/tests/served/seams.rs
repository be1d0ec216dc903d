//! A clock that can be put forward, and a crash at a chosen point.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use oms_seams::{Clock, FaultPlan, SystemClock, Verdict};
use tokio::sync::Notify;

/// The machine's clock and so much more.
#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(Ordering::SeqCst))
    }
}

/// Crashes once, at the point it is armed with.
#[derive(Debug, Default)]
pub(crate) struct Crash {
    point: Mutex<Option<&'static str>>,
    crashed: Notify,
}

impl Crash {
    pub(crate) fn arm(&self, point: &'static str) {
        *self.point.lock().unwrap() = Some(point);
    }

    /// Resolves when the crash has happened.
    pub(crate) async fn happened(self: &Arc<Self>) {
        self.crashed.notified().await;
    }
}

impl FaultPlan for Crash {
    fn reached(&self, point: &'static str) -> Verdict {
        let mut armed = self.point.lock().unwrap();
        if *armed != Some(point) {
            return Verdict::Proceed;
        }
        *armed = None;
        self.crashed.notify_one();
        Verdict::Crash
    }
}
