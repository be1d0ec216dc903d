//! The simulated gateway itself: asks meet in a queue, and whoever holds the lane commits for all.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use oms_seams::Clock;
use sea_orm::{DatabaseConnection, DbErr};
use tokio::sync::oneshot;

use super::{
    decide::{SLOW, TIMEOUT},
    ledger::{self, Asked, Charge, Kind, Settled},
};
use crate::gateway::{CaptureOrder, Gateway, RefundOrder, Unknown, Verdict};

/// Asks settled in one transaction.
const BATCH_MAX: usize = 128;

/// The gateway's log cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the gateway's log cannot be read: {0}")]
pub struct GatewayError(#[from] DbErr);

/// A gateway that decides by test payment methods. Durable before it answers; the same key gets the
/// same answer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SimulatedGateway(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    write: DatabaseConnection,
    read: DatabaseConnection,
    clock: Arc<dyn Clock>,
    slow: Duration,
    queue: Mutex<Vec<Pending>>,
    lane: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Pending {
    asked: Asked,
    answer: oneshot::Sender<Result<Settled, Unknown>>,
}

impl SimulatedGateway {
    /// A gateway over its own, migrated database; `slow` is how long `pm_card_slow` takes.
    #[must_use]
    pub fn new(
        write: DatabaseConnection,
        read: DatabaseConnection,
        clock: Arc<dyn Clock>,
        slow: Duration,
    ) -> Self {
        let (queue, lane) = (Mutex::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Shared { write, read, clock, slow, queue, lane }))
    }

    /// Every movement of an order as the gateway knows it, oldest first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn charges(&self, order_id: &str) -> Result<Vec<Charge>, GatewayError> {
        Ok(ledger::charges(&self.0.read, order_id).await?)
    }

    /// Settles one ask together with all that came while the lane was busy: one durable commit for
    /// many asks, as a processor would.
    async fn settle(&self, asked: Asked) -> Result<Settled, Unknown> {
        let (answer, mut answered) = oneshot::channel();
        self.queue().push(Pending { asked, answer });
        let lane = tokio::select! {
            biased;
            settled = &mut answered => return settled.unwrap_or_else(|_| Err(cut_off())),
            lane = self.0.lane.lock() => lane,
        };
        loop {
            let batch: Vec<Pending> = {
                let mut queue = self.queue();
                let len = queue.len().min(BATCH_MAX);
                queue.drain(..len).collect()
            };
            if !batch.is_empty() {
                self.settle_batch(batch).await;
            }
            match answered.try_recv() {
                Ok(settled) => return settled,
                Err(oneshot::error::TryRecvError::Closed) => return Err(cut_off()),
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            if self.queue().is_empty() {
                break;
            }
        }
        drop(lane);
        answered.await.unwrap_or_else(|_| Err(cut_off()))
    }

    async fn settle_batch(&self, batch: Vec<Pending>) {
        let asked: Vec<Asked> = batch.iter().map(|pending| pending.asked.clone()).collect();
        let settled = match ledger::settle(&self.0.write, &asked, self.0.clock.now()).await {
            Ok(settled) => settled,
            Err(error) => vec![Err(error.to_string()); asked.len()],
        };
        for (pending, settled) in batch.into_iter().zip(settled) {
            // A caller that has gone away asks again.
            let _ = pending.answer.send(settled.map_err(Unknown));
        }
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Vec<Pending>> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cut_off() -> Unknown {
    Unknown("the gateway was cut off".to_owned())
}

#[async_trait]
impl Gateway for SimulatedGateway {
    async fn capture(&self, order: CaptureOrder) -> Result<Verdict, Unknown> {
        let key = &order.idempotency_key;
        if order.method == SLOW {
            let known = ledger::is_known(&self.0.read, key).await;
            if !known.map_err(|error| Unknown(error.to_string()))? {
                tokio::time::sleep(self.0.slow).await;
            }
        }
        let times_out = order.method == TIMEOUT;
        let asked = Asked {
            key: order.idempotency_key,
            kind: Kind::Capture,
            order_id: order.order_id,
            customer_id: order.customer_id,
            amount: order.amount_minor,
            currency: order.currency,
            method: order.method,
        };
        let settled = self.settle(asked).await?;
        if times_out && settled.first {
            return Err(Unknown("the connection timed out".to_owned()));
        }
        Ok(settled.verdict)
    }

    async fn refund(&self, order: RefundOrder) -> Result<Verdict, Unknown> {
        let asked = Asked {
            key: order.idempotency_key,
            kind: Kind::Refund,
            order_id: order.order_id,
            customer_id: String::new(),
            amount: order.amount_minor,
            currency: order.currency,
            method: String::new(),
        };
        Ok(self.settle(asked).await?.verdict)
    }

    async fn ping(&self) -> Result<(), Unknown> {
        self.0.read.ping().await.map_err(|error| Unknown(error.to_string()))
    }
}
