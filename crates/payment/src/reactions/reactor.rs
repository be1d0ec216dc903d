//! Payment as messaging's reactor: the ears, the session, and what follows a commit.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use oms_messaging::{Event, Failure, Intervention, Outcome, Reactor, Router, Tx};
use tokio::sync::Notify;

use super::router;
use crate::{announce, domain::Said, metrics::PaymentMetrics, store::Session};

/// Payment's reactions.
#[derive(Debug)]
pub struct Reactions {
    router: Router<Session>,
    metrics: Arc<PaymentMetrics>,
    worker: Arc<Notify>,
    fell_due: AtomicBool,
    // Said in transactions not yet committed, by stream; a stream is in one transaction at a time,
    // and a repeated transaction replaces what the failed one left.
    uncommitted: Mutex<BTreeMap<String, Vec<Said>>>,
}

impl Reactions {
    /// Reactions that wake `worker` whenever something has fallen due.
    #[must_use]
    pub fn new(metrics: Arc<PaymentMetrics>, worker: Arc<Notify>) -> Self {
        Self {
            router: router(),
            metrics,
            worker,
            fell_due: AtomicBool::new(false),
            uncommitted: Mutex::default(),
        }
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
        let streams = session.orders();
        let saved = session.save(tx).await?;
        let mut uncommitted = self.uncommitted.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in streams {
            uncommitted.remove(&stream);
        }
        for (stream, said) in saved.said {
            uncommitted.entry(stream).or_default().push(said);
        }
        self.fell_due.fetch_or(saved.fell_due, Ordering::SeqCst);
        Ok(())
    }

    async fn intervened(&self, tx: &mut Tx, what: &Intervention) -> Result<(), Failure> {
        tx.announce(announce::intervened(what)?)?;
        Ok(())
    }

    fn committed(&self, streams: &[String]) {
        let mut uncommitted = self.uncommitted.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in streams {
            for said in uncommitted.remove(stream).unwrap_or_default() {
                self.metrics.note(stream, &said);
            }
        }
        if self.fell_due.swap(false, Ordering::SeqCst) {
            self.worker.notify_one();
        }
    }
}
