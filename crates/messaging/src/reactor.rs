//! What a service does about what it hears.

use async_trait::async_trait;

use crate::{Event, Failure, Tx};

/// What handling an event came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The state moved.
    Moved,
    /// A duplicate, or a fact that came early or late: nothing to do now.
    Already,
}

/// A service's reactions. A batch of events becomes one transaction: load what they concern, decide
/// about each in topic order without I/O, save with grouped statements.
///
/// The deciding step is synchronous on purpose: it cannot reach the network, and the simulator can
/// run it as it is.
#[async_trait]
pub trait Reactor: Send + Sync + 'static {
    /// What the events of one transaction concern, loaded and then changed in memory.
    type Session: Send;

    /// Whether the service has a reaction to this type. Others are ignored and counted.
    fn hears(&self, event_type: &str) -> bool;

    /// Loads what `events` concern. Their streams are locked already; further rows are locked in
    /// sorted order.
    ///
    /// # Errors
    /// Any failure of the store.
    async fn load(&self, tx: &mut Tx, events: &[&Event]) -> Result<Self::Session, Failure>;

    /// Decides about one event and changes the session. Must be right for duplicates, early and
    /// late events: the inbox saves work, the state decides.
    ///
    /// # Errors
    /// [`Failure::Poison`] for what no interleaving can produce.
    fn react(&self, session: &mut Self::Session, event: &Event) -> Result<Outcome, Failure>;

    /// Writes what changed and hands announcements and standings to the transaction.
    ///
    /// # Errors
    /// Any failure of the store.
    async fn save(&self, tx: &mut Tx, session: Self::Session) -> Result<(), Failure>;

    /// Called after the commit, with the streams that were touched, to wake whoever waits.
    fn committed(&self, streams: &[String]);
}
