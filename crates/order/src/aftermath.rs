//! What follows from a reaction outside the order itself: answers for idempotency keys, wake-ups,
//! counters.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use oms_messaging::{Event, Failure};
use oms_service::idempotency;
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use crate::{
    api::{remembered_edit, remembered_refund, remembered_run},
    changes::Changes,
    commands::{answer_amendment, outcome_of, settle_pay_runs},
    domain::{Amendment, Order, Refund},
    metrics::OrderMetrics,
    reactions::Aftermath,
    store::Changed,
};

/// The aftermath of this service's reactions.
#[derive(Debug)]
pub(crate) struct Wake {
    changes: Changes,
    metrics: Arc<OrderMetrics>,
    /// The event refused last. A batch that fails is handled one by one, so that the same event is
    /// refused twice in a row and must count once.
    refused: Mutex<Option<Uuid>>,
}

impl Wake {
    /// Wakes through `changes`, counts in `metrics`.
    #[must_use]
    pub(crate) fn new(changes: Changes, metrics: Arc<OrderMetrics>) -> Self {
        Self { changes, metrics, refused: Mutex::default() }
    }
}

#[async_trait]
impl Aftermath for Wake {
    async fn refund_ended(
        &self,
        conn: &DatabaseTransaction,
        order: &Order,
        refund: &Refund,
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        if let Some(outcome) = outcome_of(order, refund) {
            idempotency::settle(conn, &refund.id, &remembered_refund(outcome), now).await?;
        }
        Ok(())
    }

    async fn runs_ended(
        &self,
        conn: &DatabaseTransaction,
        changed: &[Changed],
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        settle_pay_runs(conn, changed, remembered_run, now).await
    }

    async fn amendment_ended(
        &self,
        conn: &DatabaseTransaction,
        order: &Order,
        ended: &Amendment,
    ) -> Result<(), Failure> {
        answer_amendment(conn, order, ended, remembered_edit).await
    }

    fn committed(&self, changed: Changed) {
        self.metrics.count(changed.milestones.iter().copied());
        self.changes.tell(changed);
    }

    fn refused(&self, event: &Event) {
        let mut last = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if last.replace(event.id) != Some(event.id) {
            self.metrics.refused_transitions.inc();
        }
    }
}
