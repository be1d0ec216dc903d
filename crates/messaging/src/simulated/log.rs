//! The log and its levers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use oms_seams::Clock;
use tokio::sync::Notify;

use super::{state::State, subscription::SimulatedSubscription};
use crate::{Delivery, Log, LogError, PublishError, Record, Subscription, log::Partition};

/// What Kafka takes by default, in bytes.
const RECORD_BYTES_MAX: usize = 1_000_000;

/// A log in memory. Clones are the same log.
#[derive(Clone, Debug)]
pub struct SimulatedLog {
    shared: Arc<Shared>,
    clock: Option<Arc<dyn Clock>>,
}

/// What the log and its subscriptions share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Told whenever a waiting poll might find something.
    pub(super) changed: Notify,
}

impl Shared {
    /// The state. Nothing is left half-changed when a holder panics.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimulatedLog {
    /// An empty log with these topics, by name and number of partitions. Its records carry no time
    /// of writing.
    #[must_use]
    pub fn new(topics: &[(&str, i32)]) -> Self {
        let state = Mutex::new(State::new(topics, RECORD_BYTES_MAX));
        Self { shared: Arc::new(Shared { state, changed: Notify::new() }), clock: None }
    }

    /// The same log, whose records carry the time of this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Every record of a topic, in the order they were appended.
    #[must_use]
    pub fn records(&self, topic: &str) -> Vec<Delivery> {
        self.shared.state().records(topic)
    }

    /// The offsets a group has committed.
    #[must_use]
    pub fn committed(&self, group: &str) -> BTreeMap<Partition, i64> {
        self.shared.state().group(group).committed()
    }

    /// Loses every record and every group's offsets, as a restart of the embedded broker does.
    pub fn lose_all(&self) {
        self.change(State::lose_all);
    }

    /// Loses the newest `count` records, as an unclean fail-over does. Groups keep their offsets; a
    /// member beyond the new end begins again, unless new records hide the gap from it.
    pub fn lose_tail(&self, count: usize) {
        self.change(|state| state.lose_tail(count));
    }

    /// Makes a group read again from an offset of every partition.
    pub fn redeliver(&self, group: &str, from: i64) {
        self.change(|state| state.reset(group, from));
    }

    /// Makes a group read the last `count` records of every partition again, as far as it had come.
    pub fn rewind(&self, group: &str, count: i64) {
        self.change(|state| state.group(group).rewind(count));
    }

    /// Commits what the members of a group have stored, as an adapter does in the background.
    pub fn commit_stored(&self, group: &str) {
        self.change(|state| state.group(group).commit_all());
    }

    /// Fails the next `count` records without appending them.
    pub fn fail_publishes(&self, count: u64) {
        self.change(|state| state.failing = count);
    }

    /// Appends the next `count` records and yet reports them as failed.
    pub fn swallow_acks(&self, count: u64) {
        self.change(|state| state.swallowing = count);
    }

    /// Refuses records with more bytes than this.
    pub fn limit_record_bytes(&self, max: usize) {
        self.change(|state| state.record_bytes_max = max);
    }

    /// Nothing answers any more.
    pub fn down(&self) {
        self.change(|state| state.down = true);
    }

    /// Everything answers again.
    pub fn up(&self) {
        self.change(|state| state.down = false);
    }

    fn change(&self, how: impl FnOnce(&mut State)) {
        how(&mut self.shared.state());
        self.shared.changed.notify_waiters();
    }
}

#[async_trait]
impl Log for SimulatedLog {
    async fn publish(&self, records: Vec<Record>) -> Vec<Result<(), PublishError>> {
        let now = self.clock.as_ref().map(|clock| clock.now());
        let reports = self.shared.state().publish(records, now);
        self.shared.changed.notify_waiters();
        reports
    }

    async fn subscribe(
        &self,
        group: &str,
        topics: &[&str],
    ) -> Result<Box<dyn Subscription>, LogError> {
        let member = self.shared.state().next_member();
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        Ok(Box::new(SimulatedSubscription::new(self.shared.clone(), group, member, topics)))
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.shared.state().reach()
    }
}
