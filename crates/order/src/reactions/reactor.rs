//! The reactions as messaging's consumer drives them: a batch of events, one transaction.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use oms_messaging::{Action, Event, Failure, Intervention as Taken, Outcome, Reactor, Router, Tx};
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::{
    hearing::{REFUSED, UNKNOWN},
    router,
};
use crate::{
    domain::{Amendment, Cause, Intervention, Order, Refund},
    store::{Changed, Session},
};

/// What follows from a reaction outside the order itself.
#[async_trait]
pub trait Aftermath: Send + Sync + 'static {
    /// The outcome of a refund that a call asked for is known: within the transaction, gives its
    /// answer to the idempotency keys that wait for it.
    ///
    /// # Errors
    /// Any failure of the store.
    async fn refund_ended(
        &self,
        conn: &DatabaseTransaction,
        order: &Order,
        refund: &Refund,
        now: DateTime<Utc>,
    ) -> Result<(), Failure>;

    /// These orders changed, some of whose pay runs may have ended: within the transaction, gives
    /// their answers to the idempotency keys that wait for one.
    ///
    /// # Errors
    /// Any failure of the store.
    async fn runs_ended(
        &self,
        conn: &DatabaseTransaction,
        changed: &[Changed],
        now: DateTime<Utc>,
    ) -> Result<(), Failure>;

    /// An amendment has ended: within the transaction, gives its answer to the idempotency keys
    /// that wait for it.
    ///
    /// # Errors
    /// Any failure of the store.
    async fn amendment_ended(
        &self,
        conn: &DatabaseTransaction,
        order: &Order,
        ended: &Amendment,
    ) -> Result<(), Failure>;

    /// The transaction is committed: tells the calls that wait for the order, counts milestones.
    fn committed(&self, changed: Changed);

    /// The status table refused what the event says. Called each time it is tried.
    fn refused(&self, _: &Event) {}
}

/// This service's reactions.
pub struct OrderReactor {
    router: Router<Session>,
    aftermath: Arc<dyn Aftermath>,
}

impl OrderReactor {
    /// Reactions with what follows from them.
    #[must_use]
    pub fn new(aftermath: Arc<dyn Aftermath>) -> Self {
        Self { router: router(), aftermath }
    }

    /// Once the transaction is committed.
    fn follows(&self, tx: &mut Tx, changed: Changed) {
        let aftermath = self.aftermath.clone();
        tx.afterwards(move || aftermath.committed(changed));
    }
}

impl fmt::Debug for OrderReactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderReactor").field("router", &self.router).finish_non_exhaustive()
    }
}

#[async_trait]
impl Reactor for OrderReactor {
    type Session = Session;

    fn hears(&self, event_type: &str) -> bool {
        self.router.hears(event_type)
    }

    async fn load(&self, tx: &mut Tx, events: &[&Event]) -> Result<Session, Failure> {
        let mut ids: Vec<String> = events.iter().map(|event| event.subject.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut session = Session::load(tx, &ids).await?;
        let of_operators = |event: &&Event| event.event_type.ends_with(".intervened.v1");
        let of_operators: Vec<&Event> = events.iter().copied().filter(of_operators).collect();
        session.learn_noted(tx, &of_operators).await?;
        Ok(session)
    }

    fn react(&self, session: &mut Session, event: &Event) -> Result<Outcome, Failure> {
        let reaction = self.router.react(session, event);
        if let Err(Failure::Poison { code: REFUSED | UNKNOWN, .. }) = &reaction {
            self.aftermath.refused(event);
        }
        reaction
    }

    async fn save(&self, tx: &mut Tx, session: Session) -> Result<(), Failure> {
        let now = session.now();
        let changed = session.save(tx).await?;
        self.aftermath.runs_ended(tx.conn(), &changed, now).await?;
        for changed in changed {
            let order = &changed.order;
            let ended = changed.ended_refunds.iter().filter_map(|id| order.refund(id));
            for refund in ended {
                self.aftermath.refund_ended(tx.conn(), order, refund, now).await?;
            }
            for ended in &changed.ended_amendments {
                self.aftermath.amendment_ended(tx.conn(), order, ended).await?;
            }
            self.follows(tx, changed);
        }
        Ok(())
    }

    async fn intervened(&self, tx: &mut Tx, what: &Taken) -> Result<(), Failure> {
        let mut session = Session::load(tx, std::slice::from_ref(&what.stream)).await?;
        let now = session.now();
        let Some(order) = session.order_mut(&what.stream) else { return Ok(()) };
        let event_id = Uuid::try_parse(&what.event_id).ok();
        let noted = Intervention {
            service: "order",
            event_id: what.event_id.clone(),
            event_type: what.event_type.clone(),
            discarded: what.action == Action::Discarded,
            note: what.note.clone(),
        };
        order.note_intervention(&noted, &Cause { at: now, event_id, trace_id: None });
        // Whoever waits for the order is to see it.
        for changed in session.save(tx).await? {
            self.follows(tx, changed);
        }
        Ok(())
    }
}
