//! Ends pay runs that are past their deadline: the order is cancelled, everything goes back (I3).

use std::time::Duration;

use oms_messaging::{ConsumerStatus, Failure};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    commands::{Context, link_earlier},
    domain::{Cause, RunKind},
    start::NAME,
    store::{Session, entities::orders},
};

/// Cancels late pay runs. Needs no lease: whoever locks an order first cancels it, the next one
/// sees that it was done.
#[derive(Debug)]
pub struct Deadlines {
    context: Context,
}

impl Deadlines {
    /// A sweeper over the service's orders.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// Cancels up to `deadline_batch_max` late runs in one transaction. Returns how many.
    ///
    /// # Errors
    /// Any failure of the store; nothing was cancelled then.
    pub async fn step(&mut self) -> Result<usize, Failure> {
        let late = self.late().await?;
        if late.is_empty() {
            return Ok(0);
        }
        // A trace of its own, linked to those of the orders.
        let span = tracing::info_span!("deadline", oms.service = NAME, oms.orders = late.len());
        self.cancel(late).instrument(span).await
    }

    async fn cancel(&self, late: Vec<String>) -> Result<usize, Failure> {
        let context = &self.context;
        let mut tx = context.messaging.begin().await?;
        tx.lock(late.iter().cloned()).await?;
        link_earlier(&tx, late.iter().map(String::as_str)).await?;
        let mut session = Session::load(&tx, &late).await?;
        let cause = Cause::call(tx.now(), oms_telemetry::current_trace_id());
        for order in session.orders_mut() {
            // Looked at again under the lock: what ended meanwhile stays as it is.
            order.deadline_passed(&cause);
        }
        let changed = session.save(&mut tx).await?;
        let count = changed.len();
        context.commit(tx, changed).await?;
        Ok(count)
    }

    /// Late by the clock, read without a lock.
    async fn late(&self) -> Result<Vec<String>, Failure> {
        let now = self.context.messaging.seams().clock.now().timestamp_micros();
        Ok(orders::Entity::find()
            .select_only()
            .column(orders::Column::Id)
            .filter(orders::Column::RunDeadline.lte(now))
            .filter(orders::Column::RunKind.eq(RunKind::Pay.as_str()))
            .order_by_asc(orders::Column::RunDeadline)
            .limit(self.context.settings.deadline_batch_max)
            .into_tuple()
            .all(&self.context.read)
            .await?)
    }

    /// Sweeps until `stop`, but not before the consumer has reached the end of the log once: after
    /// an outage the answers to runs that look late may all be there, not read yet.
    ///
    /// # Errors
    /// None today; a store that is away is waited for.
    pub async fn run(
        mut self,
        mut consumer: watch::Receiver<ConsumerStatus>,
        stop: CancellationToken,
    ) -> Result<(), Failure> {
        let pause = Duration::from_millis(self.context.settings.deadline_sweep_ms);
        let full = usize::try_from(self.context.settings.deadline_batch_max).unwrap_or(usize::MAX);
        let sweep = async {
            if consumer.wait_for(|status| status.caught_up).await.is_err() {
                // The consumer is gone, and with it the service.
                return;
            }
            loop {
                match self.step().await {
                    Ok(canceled) if canceled >= full => continue,
                    Ok(_) => {}
                    Err(failure) => {
                        tracing::warn!(%failure, "late runs wait for the next sweep");
                    }
                }
                tokio::time::sleep(pause).await;
            }
        };
        let _ended = stop.run_until_cancelled(sweep).await;
        Ok(())
    }
}
