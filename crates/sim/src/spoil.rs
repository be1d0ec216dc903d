//! Events that a service cannot apply for a while, as if its code had a bug that is mended later.
//!
//! The bug is in a reactor around the service's own, which the simulator alone has.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use oms_messaging::{Event, Failure, Intervention, Outcome, Reactor, Tx};
use uuid::Uuid;

/// The bug of one service. It outlives crashes: the same code starts again.
#[derive(Debug, Default)]
pub(crate) struct Spoil(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The next event of a customer's order is one that the bug is about.
    armed: bool,
    events: BTreeSet<Uuid>,
    orders: BTreeSet<String>,
}

impl Spoil {
    /// The next event of a customer's order that comes to the service fails, until it is mended.
    pub(crate) fn next_event(&self) {
        self.state().armed = true;
    }

    /// The bug is mended.
    pub(crate) fn mend(&self) {
        let mut state = self.state();
        state.armed = false;
        state.events.clear();
    }

    /// Orders of which an event was spoilt, at any time.
    pub(crate) fn orders(&self) -> Vec<String> {
        self.state().orders.iter().cloned().collect()
    }

    fn spoils(&self, event: &Event) -> bool {
        let mut state = self.state();
        if state.events.contains(&event.id) {
            return true;
        }
        // Orders have a GUID for a name; the streams of other poison have none.
        if !state.armed || Uuid::try_parse(&event.subject).is_err() {
            return false;
        }
        state.armed = false;
        state.events.insert(event.id);
        state.orders.insert(event.subject.clone());
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A service's reactor with a bug.
#[derive(Debug)]
pub(crate) struct Spoilt<R> {
    inner: Arc<R>,
    spoil: Arc<Spoil>,
}

impl<R> Spoilt<R> {
    /// This reactor with this bug.
    pub(crate) fn new(inner: Arc<R>, spoil: Arc<Spoil>) -> Arc<Self> {
        Arc::new(Self { inner, spoil })
    }
}

#[async_trait]
impl<R: Reactor> Reactor for Spoilt<R> {
    type Session = R::Session;

    fn hears(&self, event_type: &str) -> bool {
        self.inner.hears(event_type)
    }

    async fn load(&self, tx: &mut Tx, events: &[&Event]) -> Result<R::Session, Failure> {
        self.inner.load(tx, events).await
    }

    fn react(&self, session: &mut R::Session, event: &Event) -> Result<Outcome, Failure> {
        if self.spoil.spoils(event) {
            return Err(Failure::poison("spoilt", "a bug, for a while"));
        }
        self.inner.react(session, event)
    }

    async fn save(&self, tx: &mut Tx, session: R::Session) -> Result<(), Failure> {
        self.inner.save(tx, session).await
    }

    async fn intervened(&self, tx: &mut Tx, what: &Intervention) -> Result<(), Failure> {
        self.inner.intervened(tx, what).await
    }
}
