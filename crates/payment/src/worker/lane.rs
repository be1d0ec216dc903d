//! The worker itself: one step by hand, or the loop that never lets a slow call hold up another.

use std::{collections::HashSet, future::pending, sync::Arc, time::Duration};

use futures::{
    FutureExt, StreamExt,
    future::{BoxFuture, join_all},
    stream::FuturesUnordered,
};
use oms_messaging::{Failure, Lease, Messaging};
use sea_orm::DatabaseConnection;
use tokio::{
    sync::Notify,
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

type Call = BoxFuture<'static, Answered>;
type Recording = BoxFuture<'static, (Vec<Answered>, bool)>;

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
    /// None at present: what fails is tried again.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Failure> {
        let mut sweep = interval(Duration::from_millis(self.settings.gateway_sweep_ms));
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut calls: FuturesUnordered<Call> = FuturesUnordered::new();
        let (mut ready, mut recording) = (Vec::new(), None);
        let mut drained_by = None;
        loop {
            if recording.is_none() && !ready.is_empty() {
                recording = Some(self.begin_recording(std::mem::take(&mut ready)));
            }
            if drained_by.is_some() && calls.is_empty() && recording.is_none() {
                break;
            }
            self.caller.metrics.in_flight(calls.len());
            tokio::select! {
                Some(answered) = calls.next(), if !calls.is_empty() => {
                    ready.push(answered);
                    while let Some(Some(answered)) = calls.next().now_or_never() {
                        ready.push(answered);
                    }
                }
                recorded = finished(&mut recording) => {
                    recording = None;
                    self.settle(recorded, &calls, drained_by.is_some());
                }
                () = stop.cancelled(), if drained_by.is_none() => {
                    let patience = Duration::from_millis(self.settings.gateway_drain_ms_max);
                    drained_by = Some(Instant::now() + patience);
                }
                () = until(drained_by) => break,
                () = self.wake.notified(), if drained_by.is_none() => {
                    calls.extend(self.scan().await);
                }
                _ = sweep.tick(), if drained_by.is_none() => {
                    calls.extend(self.scan().await);
                }
            }
        }
        self.lease.release().await;
        Ok(())
    }

    /// A call for everything due that is not under way.
    async fn scan(&mut self) -> Vec<Call> {
        let failure = match self.take_due().await {
            Ok(due) => {
                if std::mem::take(&mut self.scan_failed) {
                    tracing::info!("the worker sees what is due again");
                }
                return due.into_iter().map(|due| self.caller.clone().call(due).boxed()).collect();
            }
            Err(failure) => failure,
        };
        if !std::mem::replace(&mut self.scan_failed, true) {
            tracing::warn!(%failure, "the worker cannot see what is due");
        }
        Vec::new()
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

    fn begin_recording(&self, answers: Vec<Answered>) -> (Vec<String>, Recording) {
        let keys = answers.iter().map(|answer| answer.due.key()).collect();
        let recorder = self.recorder.clone();
        (keys, async move { recorder.record_each(answers).await }.boxed())
    }

    /// After a recording: what was recorded is no longer under way; what was not comes back later,
    /// without another call.
    fn settle(&mut self, recorded: Recorded, calls: &FuturesUnordered<Call>, stopping: bool) {
        let Recorded { keys, failed, fell_due } = recorded;
        let kept: HashSet<String> = failed.iter().map(|answer| answer.due.key()).collect();
        for key in keys.iter().filter(|key| !kept.contains(*key)) {
            self.under_way.remove(key);
        }
        if !stopping {
            for mut answered in failed {
                let delay = self.settings.retry_delay(answered.failures);
                answered.failures = answered.failures.saturating_add(1);
                calls.push(tokio::time::sleep(delay).map(move |()| answered).boxed());
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

/// Resolves when the recording, if there is one, has ended.
async fn finished(recording: &mut Option<(Vec<String>, Recording)>) -> Recorded {
    match recording {
        Some((keys, future)) => {
            let (failed, fell_due) = future.await;
            Recorded { keys: std::mem::take(keys), failed, fell_due }
        }
        None => pending().await,
    }
}

/// Resolves at `deadline`; never without one.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}
