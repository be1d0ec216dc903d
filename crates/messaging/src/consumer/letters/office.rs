//! The office of dead letters: what it works with, and what it reports.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::Letter;
use crate::{
    Delivery, Failure, Messaging, MessagingMetrics, Reactor, Tx,
    consumer::{
        Step,
        batch::Engine,
        incoming::{Incoming, What},
    },
    reactor::Intervention,
};

/// The dead letters of one service. Cheap to clone.
#[derive(Clone)]
pub struct DeadLetters {
    pub(super) messaging: Messaging,
    pub(super) metrics: MessagingMetrics,
    pub(super) group: Arc<str>,
    pub(super) engine: Arc<dyn Applies>,
    /// Cancelled when no further letter is to be taken in hand.
    pub(super) stop: CancellationToken,
}

/// How an operator wants it done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// The operator's own words, kept with what was done.
    pub note: String,
    /// Only says what would happen, and changes nothing.
    pub dry_run: bool,
    /// Begins behind this letter: [`Settlement::next`] of the call before.
    pub after: i64,
    /// Letters at most.
    pub max: usize,
}

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CameTo {
    /// It was applied and is gone from parking.
    Redriven,
    /// It is gone from parking and will never be applied.
    Discarded,
    /// It failed again and stays, and so does what waits behind it.
    Failed {
        /// The stable code.
        code: String,
        /// For people.
        message: String,
    },
}

/// A letter that was taken in hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// As it lay in parking.
    pub letter: Letter,
    /// What became of it.
    pub came_to: CameTo,
}

impl Settled {
    /// Whether it stays in parking.
    #[must_use]
    pub fn failed(&self) -> bool {
        matches!(self.came_to, CameTo::Failed { .. })
    }
}

/// What became of several letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Each letter that was taken in hand, in order.
    pub settled: Vec<Settled>,
    /// Where to go on, when [`Orders::max`] was reached, the work was stopped or the database went
    /// away.
    pub next: Option<i64>,
    /// The stream of which some letters were redriven and others not yet: it goes first, whatever
    /// the filter selects of what is left ([`DeadLetters::redrive_on`]).
    pub stream: Option<String>,
}

impl DeadLetters {
    /// The dead letters of a service: its engine applies them, `group` names it in dead letters.
    pub(crate) fn new<R: Reactor>(
        messaging: Messaging,
        reactor: Arc<R>,
        group: String,
        metrics: MessagingMetrics,
    ) -> Self {
        let engine = Engine { messaging: messaging.clone(), reactor, metrics: metrics.clone() };
        let stop = CancellationToken::new();
        Self { messaging, metrics, group: group.into(), engine: Arc::new(engine), stop }
    }

    /// The same office, which takes no further letter in hand once `stop` is cancelled. It always
    /// finishes the one it has, and takes at least one: whoever asks again makes progress.
    #[must_use]
    pub fn until(mut self, stop: CancellationToken) -> Self {
        self.stop = stop;
        self
    }

    /// Whether no further letter is to be taken in hand, after these.
    pub(super) fn stops_after(&self, settled: &[Settled]) -> bool {
        !settled.is_empty() && self.stop.is_cancelled()
    }
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetters").field("group", &self.group).finish_non_exhaustive()
    }
}

/// The consumer's engine, whatever its reactor.
#[async_trait]
pub(super) trait Applies: Send + Sync {
    /// A record as the consumer sees it.
    fn read(&self, delivery: Delivery) -> Incoming;

    /// Applies it in a transaction that holds its stream.
    async fn apply(&self, tx: &mut Tx, record: &Arc<Incoming>) -> Result<Step, Failure>;

    /// Lets the service note what was done about one of its letters.
    async fn intervened(&self, tx: &mut Tx, what: &Intervention) -> Result<(), Failure>;

    /// Counts what was done, once it is committed.
    fn count(&self, step: &Step);
}

#[async_trait]
impl<R: Reactor> Applies for Engine<R> {
    fn read(&self, delivery: Delivery) -> Incoming {
        Incoming::read(delivery, 0, &self.messaging, self.reactor.as_ref())
    }

    async fn apply(&self, tx: &mut Tx, record: &Arc<Incoming>) -> Result<Step, Failure> {
        let mut step = Step { handled: 1, ..Step::default() };
        match &record.what {
            What::Heard(_) => {
                let heard: Vec<_> = self.heard(record).into_iter().collect();
                self.apply_in(tx, &heard, &mut step).await?;
            }
            // Nobody hears it any more.
            What::Ignored | What::Own => step.ignored = 1,
            What::Unreadable { code, message } => {
                return Err(Failure::poison(code, message.clone()));
            }
        }
        Ok(step)
    }

    async fn intervened(&self, tx: &mut Tx, what: &Intervention) -> Result<(), Failure> {
        self.reactor.intervened(tx, what).await
    }

    fn count(&self, step: &Step) {
        Self::count(self, step);
    }
}
