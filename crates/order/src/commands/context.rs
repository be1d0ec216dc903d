//! What every command needs.

use std::sync::Arc;

use oms_messaging::{Failure, Messaging, Tx};
use oms_service::idempotency::Answer;
use sea_orm::DatabaseConnection;
use tokio_util::sync::CancellationToken;

use super::{CommandError, Reply};
use crate::{
    changes::Changes, config::OrderSettings, domain::Cause, metrics::OrderMetrics, store::Changed,
};

/// What every command needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    /// Transactions, and the outbox.
    pub messaging: Messaging,
    /// For looking without a lock.
    pub read: DatabaseConnection,
    /// Wakes calls that wait.
    pub changes: Changes,
    /// What is counted.
    pub metrics: Arc<OrderMetrics>,
    /// Bounds and times.
    pub settings: Arc<OrderSettings>,
    /// Cancelled when the service takes no more calls.
    pub draining: CancellationToken,
}

impl Context {
    /// Begins a transaction that holds the order's stream.
    pub(super) async fn hold(&self, order_id: &str) -> Result<Tx, CommandError> {
        let mut tx = self.messaging.begin().await?;
        tx.lock([order_id.to_owned()]).await?;
        Ok(tx)
    }

    /// Commits, then wakes whoever waits for the orders and counts what was reached.
    ///
    /// # Errors
    /// Any failure of the store.
    pub(crate) async fn commit(&self, tx: Tx, changed: Vec<Changed>) -> Result<(), Failure> {
        let faults = self.messaging.seams().faults.clone();
        faults.hit("command.before_commit").await;
        tx.commit().await?;
        faults.hit("command.after_commit").await;
        for Changed { order, milestones, .. } in changed {
            self.metrics.count(milestones);
            self.changes.fire([order.id().to_string()]);
        }
        Ok(())
    }

    /// The answer an earlier call was given.
    pub(super) fn replay<T>(&self, answer: Answer) -> Reply<T> {
        self.metrics.idempotency_replays.inc();
        Reply::Remembered { answer, replayed: true }
    }
}

/// This call as the cause of what happens in `tx`.
pub(super) fn cause(tx: &Tx) -> Cause {
    Cause::call(tx.now(), oms_telemetry::current_trace_id())
}
