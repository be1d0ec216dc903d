//! A member of a simulated consumer group.

use std::{collections::BTreeSet, pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::{Instant, timeout_at};

use super::{group::Place, log::Shared};
use crate::{Delivery, LogError, Subscription, log::Partition};

/// A member of a simulated consumer group. It joins with its first poll; dropping it is a crash.
pub(super) struct SimulatedSubscription {
    shared: Arc<Shared>,
    group: String,
    member: u64,
    topics: BTreeSet<String>,
    served: Option<Partition>,
}

impl SimulatedSubscription {
    /// A member that has not joined yet.
    pub(super) fn new(
        shared: Arc<Shared>,
        group: &str,
        member: u64,
        topics: BTreeSet<String>,
    ) -> Self {
        Self { shared, group: group.to_owned(), member, topics, served: None }
    }

    /// One look, without waiting; none when partitions were taken away. What was stored before is
    /// committed by it.
    fn look(&mut self, max: usize) -> Result<Option<Vec<Delivery>>, LogError> {
        let mut state = self.shared.state();
        state.reach()?;
        if state.join(&self.group, self.member, &self.topics) {
            self.shared.changed.notify_waiters();
        }
        let group = state.group(&self.group);
        group.commit(self.member);
        if !group.show(self.member) {
            return Ok(None);
        }
        Ok(Some(state.take(&self.group, self.member, &mut self.served, max)))
    }

    fn change(
        &mut self,
        partition: &Partition,
        how: impl FnOnce(&mut Place),
    ) -> Result<(), LogError> {
        let mut state = self.shared.state();
        let place = state.group(&self.group).place(self.member, partition).ok_or_else(|| {
            LogError(format!("{}/{} is not assigned", partition.topic, partition.number))
        })?;
        how(place);
        Ok(())
    }
}

#[async_trait]
impl Subscription for SimulatedSubscription {
    async fn poll(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivery>, LogError> {
        let deadline = Instant::now() + wait;
        let shared = self.shared.clone();
        loop {
            let mut changed = pin!(shared.changed.notified());
            // From here on no change is missed, also not one between the look and the wait.
            changed.as_mut().enable();
            let Some(taken) = self.look(max)? else { return Ok(Vec::new()) };
            let enough = !taken.is_empty() || wait.is_zero();
            if enough || timeout_at(deadline, changed).await.is_err() {
                return Ok(taken);
            }
        }
    }

    fn store(&mut self, partition: &Partition, next: i64) -> Result<(), LogError> {
        self.change(partition, |place| place.stored = Some(next))
    }

    fn pause(&mut self, partition: &Partition) -> Result<(), LogError> {
        self.change(partition, |place| place.paused = true)
    }

    fn resume(&mut self, partition: &Partition) -> Result<(), LogError> {
        self.change(partition, |place| place.paused = false)
    }

    fn assigned(&self) -> Vec<Partition> {
        let mut state = self.shared.state();
        state.group(&self.group).held(self.member).map(|(partition, _)| partition.clone()).collect()
    }

    async fn lag(&mut self) -> Result<Option<Vec<(Partition, i64)>>, LogError> {
        let state = self.shared.state();
        state.reach()?;
        Ok(state.lag(&self.group, self.member))
    }

    async fn close(self: Box<Self>) -> Result<(), LogError> {
        let mut state = self.shared.state();
        state.reach()?;
        state.group(&self.group).commit(self.member);
        Ok(())
    }
}

/// Leaves the group. What was stored since the last poll is lost unless `close` came first.
impl Drop for SimulatedSubscription {
    fn drop(&mut self) {
        self.shared.state().leave(&self.group, self.member);
        self.shared.changed.notify_waiters();
    }
}
