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

/// What an operator did about a parked event (rule 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// It was applied.
    Redriven,
    /// It will never be applied.
    Discarded,
}

impl Action {
    /// Its word in tables, metrics and events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redriven => "redriven",
            Self::Discarded => "discarded",
        }
    }
}

/// A parked event of a stream that an operator took in hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intervention {
    /// The event's stream.
    pub stream: String,
    /// Its id; where it has none, or none to be trusted, its place in the log.
    pub event_id: String,
    /// Its type as far as it could be read.
    pub event_type: String,
    /// What was done.
    pub action: Action,
    /// The operator's own words.
    pub note: String,
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

    /// Writes what changed and hands announcements and standings to the transaction, and what
    /// follows from the change, such as counting it, to [`Tx::afterwards`]: the transaction may
    /// still be rolled back, and a dry run always is.
    ///
    /// # Errors
    /// Any failure of the store.
    async fn save(&self, tx: &mut Tx, session: Self::Session) -> Result<(), Failure>;

    /// Notes that one of this service's parked events was redriven or discarded, in the
    /// transaction that does it and holds its stream; what the event itself did is saved already.
    ///
    /// # Errors
    /// Any failure of the store; the letter stays parked then.
    async fn intervened(&self, _tx: &mut Tx, _what: &Intervention) -> Result<(), Failure> {
        Ok(())
    }
}
