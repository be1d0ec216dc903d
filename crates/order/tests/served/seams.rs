//! A clock that can be put forward, and a crash or a panic at a chosen point.

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

/// Crashes or panics once, at the point it is armed with.
#[derive(Debug, Default)]
pub(crate) struct Crash {
    point: Mutex<Option<(&'static str, How)>>,
    crashed: Notify,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Dies,
    Panics,
}

impl Crash {
    /// The process dies at this point.
    pub(crate) fn arm(&self, point: &'static str) {
        *self.point.lock().unwrap() = Some((point, How::Dies));
    }

    /// The code at this point panics: a bug.
    pub(crate) fn arm_a_panic(&self, point: &'static str) {
        *self.point.lock().unwrap() = Some((point, How::Panics));
    }

    /// Resolves when the crash has happened.
    pub(crate) async fn happened(self: &Arc<Self>) {
        self.crashed.notified().await;
    }
}

impl FaultPlan for Crash {
    fn reached(&self, point: &'static str) -> Verdict {
        let here = |armed: &mut (&'static str, How)| armed.0 == point;
        let how = self.point.lock().unwrap().take_if(here).map(|(_, how)| how);
        match how {
            None => Verdict::Proceed,
            Some(How::Panics) => panic!("a bug at {point}"),
            Some(How::Dies) => {
                self.crashed.notify_one();
                Verdict::Crash
            }
        }
    }
}
