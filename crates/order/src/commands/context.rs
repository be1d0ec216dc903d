//! What every command needs.

use std::sync::Arc;

use oms_messaging::{Failure, Messaging, Tx};
use oms_service::idempotency::{Answer, KeyTurn, KeyTurns};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection};
use tokio_util::sync::CancellationToken;

use super::{
    CommandError, Keyed, Patience, RememberEdit, RememberedRun, Reply,
    edit_order::answer_amendment,
    keyed::{self, Claimed, settle_pay_runs},
};
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
    /// Lets calls with one idempotency key pass one by one.
    pub key_turns: KeyTurns,
    /// Writes the answers of amendments for those who ask again.
    pub remember_edit: RememberEdit,
    /// What is counted.
    pub metrics: Arc<OrderMetrics>,
    /// Bounds and times.
    pub settings: Arc<OrderSettings>,
    /// How the answer to a call that waits for a pay run is remembered.
    pub remembered_run: RememberedRun,
    /// Cancelled when the service takes no more calls.
    pub draining: CancellationToken,
}

impl Context {
    /// Waits until no other call of this instance with the key is under way; at once without a key.
    ///
    /// # Errors
    /// [`CommandError::KeyRunning`] when patience ends first.
    pub(super) async fn key_turn<T>(
        &self,
        keyed: Option<&Keyed<T>>,
        patience: &Patience,
    ) -> Result<Option<KeyTurn>, CommandError> {
        let Some(Keyed { key, .. }) = keyed else { return Ok(None) };
        let turn = patience.wait_for(self.key_turns.turn(key)).await;
        turn.map(Some).ok_or(CommandError::KeyRunning)
    }

    /// Begins a transaction that has claimed the key and, where it is new, holds the order's
    /// stream.
    ///
    /// # Errors
    /// Those of [`Context::claim`].
    pub(super) async fn hold<T>(
        &self,
        order_id: &str,
        keyed: Option<&Keyed<T>>,
        patience: &Patience,
    ) -> Result<(Tx, Claimed), CommandError> {
        let (mut tx, claimed) = self.claim(keyed, patience).await?;
        if matches!(claimed, Claimed::New) {
            tx.lock([order_id.to_owned()]).await?;
            link_earlier(&tx, [order_id]).await?;
        }
        Ok((tx, claimed))
    }

    /// Begins a transaction that has claimed the key. The claim waits for a call of another
    /// instance with the same key.
    ///
    /// # Errors
    /// [`CommandError::KeyRunning`] when patience ends before that call has; dropping the claim
    /// rolls back, so that nothing of this call is left.
    pub(super) async fn claim<T>(
        &self,
        keyed: Option<&Keyed<T>>,
        patience: &Patience,
    ) -> Result<(Tx, Claimed), CommandError> {
        let tx = self.messaging.begin().await?;
        let claim = keyed::claim(&tx, keyed);
        let claimed = match tx.conn().get_database_backend() {
            // Whoever has the one writer waits for nobody.
            DatabaseBackend::Sqlite => claim.await?,
            _ => patience.in_time(claim).await.ok_or(CommandError::KeyRunning)??,
        };
        Ok((tx, claimed))
    }

    /// Answers the keys that wait for runs which ended, commits, then wakes whoever waits for the
    /// orders and counts what was reached.
    ///
    /// # Errors
    /// Any failure of the store.
    pub(crate) async fn commit(&self, tx: Tx, changed: Vec<Changed>) -> Result<(), Failure> {
        settle_pay_runs(tx.conn(), &changed, self.remembered_run, tx.now()).await?;
        for Changed { order, ended_amendments, .. } in &changed {
            for ended in ended_amendments {
                answer_amendment(tx.conn(), order, ended, self.remember_edit).await?;
            }
        }
        let faults = self.messaging.seams().faults.clone();
        faults.hit("command.before_commit").await;
        tx.commit().await?;
        faults.hit("command.after_commit").await;
        for changed in changed {
            self.metrics.count(changed.milestones.iter().copied());
            self.changes.tell(changed);
        }
        Ok(())
    }

    /// The answer an earlier call was given.
    pub(super) fn replay<T>(&self, answer: Answer) -> Reply<T> {
        self.metrics.idempotency_replays.inc();
        Reply::Remembered { answer, replayed: true }
    }
}

/// Links the current span to the traces that the orders have left so far: a later call is a trace
/// of its own. Costs nothing where the trace is not recorded.
///
/// # Errors
/// Any failure of the store.
pub(crate) async fn link_earlier(
    tx: &Tx,
    orders: impl IntoIterator<Item = &str> + Send,
) -> Result<(), Failure> {
    if !oms_telemetry::is_sampled() {
        return Ok(());
    }
    let own = oms_telemetry::current_trace_id().unwrap_or_default();
    let span = tracing::Span::current();
    for order in orders {
        let earlier = tx.earlier_traces(order).await?;
        for other in earlier.iter().filter(|other| !other.contains(&own)) {
            oms_telemetry::link(&span, other);
        }
    }
    Ok(())
}

/// This call as the cause of what happens in `tx`.
pub(super) fn cause(tx: &Tx) -> Cause {
    Cause::call(tx.now(), oms_telemetry::current_trace_id())
}
