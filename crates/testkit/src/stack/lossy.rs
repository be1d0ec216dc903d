//! A simulated log that forgets everything at a moment the test chose.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use async_trait::async_trait;
use oms_messaging::{Log, LogError, PublishError, Record, Subscription, simulated::SimulatedLog};

/// Loses the whole log right after the n-th record was written. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct LossyLog {
    inner: SimulatedLog,
    lose_at: Option<u64>,
    written: Arc<AtomicU64>,
    lost: Arc<AtomicBool>,
}

impl LossyLog {
    pub(super) fn new(inner: SimulatedLog, lose_at: Option<u64>) -> Self {
        Self { inner, lose_at, written: Arc::default(), lost: Arc::default() }
    }

    pub(super) fn inner(&self) -> &SimulatedLog {
        &self.inner
    }

    pub(super) fn was_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Log for LossyLog {
    async fn publish(&self, records: Vec<Record>) -> Vec<Result<(), PublishError>> {
        let Some(lose_at) = self.lose_at else { return self.inner.publish(records).await };
        let mut reports = Vec::with_capacity(records.len());
        for record in records {
            reports.extend(self.inner.publish(vec![record]).await);
            if self.written.fetch_add(1, Ordering::SeqCst) + 1 == lose_at {
                self.inner.lose_all();
                self.lost.store(true, Ordering::SeqCst);
            }
        }
        reports
    }

    async fn subscribe(
        &self,
        group: &str,
        topics: &[&str],
    ) -> Result<Box<dyn Subscription>, LogError> {
        self.inner.subscribe(group, topics).await
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.inner.ping().await
    }
}
