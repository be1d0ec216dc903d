//! Payment as messaging's reactor: the ears, the session, and what follows a commit.

use std::sync::Arc;

use async_trait::async_trait;
use oms_messaging::{Event, Failure, Intervention, Outcome, Reactor, Router, Tx};
use tokio::sync::Notify;

use super::router;
use crate::{announce, metrics::PaymentMetrics, store::Session};

/// Payment's reactions.
#[derive(Debug)]
pub struct Reactions {
    router: Router<Session>,
    metrics: Arc<PaymentMetrics>,
    worker: Arc<Notify>,
}

impl Reactions {
    /// Reactions that wake `worker` whenever something has fallen due.
    #[must_use]
    pub fn new(metrics: Arc<PaymentMetrics>, worker: Arc<Notify>) -> Self {
        Self { router: router(), metrics, worker }
    }
}

#[async_trait]
impl Reactor for Reactions {
    type Session = Session;

    fn hears(&self, event_type: &str) -> bool {
        self.router.hears(event_type)
    }

    async fn load(&self, tx: &mut Tx, events: &[&Event]) -> Result<Session, Failure> {
        Session::load(tx, events.iter().map(|event| event.subject.clone())).await
    }

    fn react(&self, session: &mut Session, event: &Event) -> Result<Outcome, Failure> {
        self.router.react(session, event)
    }

    async fn save(&self, tx: &mut Tx, session: Session) -> Result<(), Failure> {
        let saved = session.save(tx).await?;
        let (metrics, worker) = (self.metrics.clone(), self.worker.clone());
        tx.afterwards(move || {
            for (order, said) in &saved.said {
                metrics.note(order, said);
            }
            if saved.fell_due {
                worker.notify_one();
            }
        });
        Ok(())
    }

    async fn intervened(&self, tx: &mut Tx, what: &Intervention) -> Result<(), Failure> {
        tx.announce(announce::intervened(what)?)?;
        Ok(())
    }
}
