//! Holds that outlive their time: inventory asks order about them, once, and gives nothing back.
//!
//! Order alone decides; what it missed it is told again by messaging's asking (rule 10).

use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use oms_messaging::{ConsumerStatus, Failure, Messaging, Outcome};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::Status,
    metrics::InventoryMetrics,
    store::{Policy, Session, entities::reservations},
};

/// Announces expired holds.
#[derive(Debug)]
pub struct Expiry {
    messaging: Messaging,
    policy: Policy,
    batch_max: u64,
    sweep: Duration,
    metrics: Arc<InventoryMetrics>,
}

impl Expiry {
    /// Looks every `sweep` for at most `batch_max` expired holds.
    #[must_use]
    pub fn new(
        messaging: Messaging,
        policy: Policy,
        sweep: Duration,
        batch_max: u64,
        metrics: Arc<InventoryMetrics>,
    ) -> Self {
        Self { messaging, policy, batch_max, sweep, metrics }
    }

    /// One sweep; returns how many holds it announced.
    ///
    /// # Errors
    /// Any failure of the store; nothing was announced then.
    pub async fn step(&self) -> Result<usize, Failure> {
        let due = self.due().await?;
        if due.is_empty() {
            return Ok(0);
        }
        let mut tx = self.messaging.begin().await?;
        tx.lock(due.iter().cloned()).await?;
        let mut session = Session::load(&tx, self.policy, due.clone(), BTreeSet::new()).await?;
        let now = session.now();
        let mut announced = 0;
        for order_id in &due {
            // Looked at again under the lock: somebody may have confirmed it, or announced it.
            let outcome = session.decide(order_id, None, |hold, _| Ok(hold.expire(now)))?;
            announced += usize::from(outcome == Outcome::Moved);
        }
        session.save(&mut tx).await?;
        tx.commit().await?;
        self.metrics.reservations_expired.inc_by(announced as u64);
        Ok(announced)
    }

    /// Sweeps until `stop`, but not before the consumer has reached the end of the log once: the
    /// word that a hold waits for may be there already, unread.
    ///
    /// # Errors
    /// Never; the type fits the host's tasks. A failing sweep is logged and tried again.
    pub async fn run_after(
        self,
        mut consumer: watch::Receiver<ConsumerStatus>,
        stop: CancellationToken,
    ) -> Result<(), Infallible> {
        let caught_up = consumer.wait_for(|status| status.caught_up);
        if !matches!(stop.run_until_cancelled(caught_up).await, Some(Ok(_))) {
            return Ok(());
        }
        while stop.run_until_cancelled(tokio::time::sleep(self.sweep)).await.is_some() {
            match self.step().await {
                Ok(0) => {}
                Ok(holds) => tracing::info!(holds, "holds expired; order is asked about them"),
                Err(error) => tracing::warn!(%error, "looking for expired holds failed"),
            }
        }
        Ok(())
    }

    async fn due(&self) -> Result<BTreeSet<String>, Failure> {
        use reservations::Column as C;
        let now = self.messaging.seams().clock.now().timestamp_micros();
        let due = reservations::Entity::find()
            .select_only()
            .column(C::OrderId)
            .filter(C::Status.eq(Status::Held.name()))
            .filter(C::ExpiredAt.is_null())
            .filter(C::ExpiresAt.lte(now))
            .order_by_asc(C::ExpiresAt)
            .order_by_asc(C::OrderId)
            .limit(self.batch_max)
            .into_tuple::<String>()
            .all(self.messaging.database())
            .await?;
        Ok(due.into_iter().collect())
    }
}
