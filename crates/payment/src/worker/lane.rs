//! The worker itself: one step by hand, or the loop that never lets a slow call hold up another.

use std::{collections::HashSet, future::pending, sync::Arc, time::Duration};

use futures::future::join_all;
use oms_messaging::{Failure, Lease, Messaging};
use sea_orm::DatabaseConnection;
use tokio::{
    sync::Notify,
    task::{JoinError, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    call::{Answered, Caller},
    due::{self, Due},
    record::Recorder,
    settings::WorkerSettings,
};
use crate::{gateway::Gateway, metrics::PaymentMetrics};

/// The lease under which one process carries money.
const LEASE: &str = "gateway";

/// Calls and recordings are tasks, which go on while the loop waits for something else: a recording
/// holds the one connection SQLite writes through, and the loop wants it too.
type Calls = JoinSet<Answered>;
type Recordings = JoinSet<Recorded>;

/// Carries what is due through the gateway.
#[derive(Debug)]
pub struct Worker {
    caller: Caller,
    recorder: Recorder,
    read: DatabaseConnection,
    lease: Lease,
    wake: Arc<Notify>,
    settings: WorkerSettings,
    /// Keys asked about whose outcome is not recorded yet.
    under_way: HashSet<String>,
    scan_failed: bool,
    /// More was due than there was room for.
    more: bool,
}

impl Worker {
    /// A worker over payment's database, read through `read`; `wake` tells it that something has
    /// fallen due.
    #[must_use]
    pub fn new(
        messaging: Messaging,
        read: DatabaseConnection,
        gateway: Arc<dyn Gateway>,
        metrics: Arc<PaymentMetrics>,
        settings: WorkerSettings,
        wake: Arc<Notify>,
    ) -> Self {
        let caller = Caller {
            gateway,
            faults: messaging.seams().faults.clone(),
            metrics: metrics.clone(),
            timeout: Duration::from_millis(settings.gateway_timeout_ms),
        };
        Self {
            caller,
            lease: Lease::new(messaging.clone(), LEASE),
            recorder: Recorder { messaging, metrics, settings: settings.clone() },
            read,
            wake,
            settings,
            under_way: HashSet::new(),
            scan_failed: false,
            more: false,
        }
    }

    /// Asks the gateway about everything due now, up to `gateway_calls_max`, waits for all answers
    /// and records them together. Returns how many calls were made; 0 also while another process
    /// holds the lease.
    ///
    /// # Errors
    /// Any failure of the store; what was not recorded is asked again with the same key.
    pub async fn step(&mut self) -> Result<usize, Failure> {
        let due = self.take_due().await?;
        let calls = due.into_iter().map(|due| self.caller.clone().call(due));
        let answers = join_all(calls).await;
        self.under_way.clear();
        if !answers.is_empty() {
            self.recorder.record(&answers).await?;
        }
        Ok(answers.len())
    }

    /// Works until `stop`; then waits a little for calls under way, records what they brought, and
    /// gives the lease back. A call that is cut off is asked again with the same key.
    ///
    /// # Errors
    /// When a call or a recording panicked: a mistake of ours. All else is tried again.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Failure> {
        let mut sweep = interval(Duration::from_millis(self.settings.gateway_sweep_ms));
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut calls, mut recordings) = (Calls::new(), Recordings::new());
        let (mut ready, mut drained_by) = (Vec::new(), None);
        loop {
            if recordings.is_empty() && !ready.is_empty() {
                recordings.spawn(self.recording(std::mem::take(&mut ready)));
            }
            // Looked at first: whoever is told to stop begins nothing more.
            if drained_by.is_none() && stop.is_cancelled() {
                let patience = Duration::from_millis(self.settings.gateway_drain_ms_max);
                drained_by = Some(Instant::now() + patience);
            }
            if drained_by.is_some() && calls.is_empty() && recordings.is_empty() {
                break;
            }
            self.caller.metrics.in_flight(calls.len());
            tokio::select! {
                Some(answered) = calls.join_next() => {
                    ready.push(whole(answered)?);
                    while let Some(answered) = calls.try_join_next() {
                        ready.push(whole(answered)?);
                    }
                }
                Some(recorded) = recordings.join_next() => {
                    self.settle(whole(recorded)?, &mut calls, drained_by.is_some());
                }
                () = stop.cancelled(), if drained_by.is_none() => {}
                () = until(drained_by) => break,
                () = self.wake.notified(), if drained_by.is_none() => {
                    self.scan(&mut calls).await;
                }
                _ = sweep.tick(), if drained_by.is_none() => self.scan(&mut calls).await,
            }
        }
        self.lease.release().await;
        Ok(())
    }

    /// Calls the gateway about everything due that is not under way.
    async fn scan(&mut self, calls: &mut Calls) {
        match self.take_due().await {
            Ok(due) => {
                if std::mem::take(&mut self.scan_failed) {
                    tracing::info!("the worker sees what is due again");
                }
                for due in due {
                    calls.spawn(self.caller.clone().call(due));
                }
            }
            Err(failure) => {
                if !std::mem::replace(&mut self.scan_failed, true) {
                    tracing::warn!(%failure, "the worker cannot see what is due");
                }
            }
        }
    }

    /// What is due and not under way, while the lease is held and there is room; it counts as
    /// under way from here on.
    async fn take_due(&mut self) -> Result<Vec<Due>, Failure> {
        let room = self.settings.gateway_calls_max.saturating_sub(self.under_way.len());
        self.more = room == 0;
        if self.more || !self.lease.hold().await? {
            return Ok(Vec::new());
        }
        let now = self.recorder.messaging.seams().clock.now();
        // What is under way is due as well: look past it.
        let limit = room + self.under_way.len();
        let mut due = due::select(&self.read, now, limit).await?;
        self.more = due.len() == limit;
        due.retain(|due| !self.under_way.contains(&due.key()));
        due.truncate(room);
        self.under_way.extend(due.iter().map(Due::key));
        Ok(due)
    }

    fn recording(&self, answers: Vec<Answered>) -> impl Future<Output = Recorded> + use<> {
        let keys = answers.iter().map(|answer| answer.due.key()).collect();
        let recorder = self.recorder.clone();
        async move {
            let (failed, fell_due) = recorder.record_each(answers).await;
            Recorded { keys, failed, fell_due }
        }
    }

    /// After a recording: what was recorded is no longer under way; what was not comes back later,
    /// without another call.
    fn settle(&mut self, recorded: Recorded, calls: &mut Calls, stopping: bool) {
        let Recorded { keys, failed, fell_due } = recorded;
        let kept: HashSet<String> = failed.iter().map(|answer| answer.due.key()).collect();
        for key in keys.iter().filter(|key| !kept.contains(*key)) {
            self.under_way.remove(key);
        }
        if !stopping {
            for mut answered in failed {
                let delay = self.settings.retry_delay(answered.failures);
                answered.failures = answered.failures.saturating_add(1);
                calls.spawn(async move {
                    tokio::time::sleep(delay).await;
                    answered
                });
            }
        }
        if fell_due || self.more {
            self.wake.notify_one();
        }
    }
}

/// What a recording came to.
struct Recorded {
    keys: Vec<String>,
    failed: Vec<Answered>,
    fell_due: bool,
}

/// What a task brought, unless it panicked.
fn whole<T>(joined: Result<T, JoinError>) -> Result<T, Failure> {
    joined.map_err(|error| Failure::Unclassified(format!("the payment worker: {error}")))
}

/// Resolves at `deadline`; never without one.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}
