//! One transaction for many events: lock, claim, load, decide in topic order, save, commit.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tracing::Instrument;

use super::{
    Step, inbox,
    incoming::{Incoming, What},
    processing::Processing,
};
use crate::{Event, Failure, Messaging, MessagingMetrics, Outcome, Reactor, Tx};

/// Why a batch was rolled back.
#[derive(Debug)]
pub(super) enum Undone {
    /// The transaction did not even begin: the database is away, whatever the events are.
    NotBegun(Failure),
    /// A dead letter parks one of the streams.
    Parked,
    /// A record that is no event.
    Unreadable,
    /// Something failed.
    Failed(Failure),
}

impl From<Failure> for Undone {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Undone {
    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::NotBegun(failure) | Self::Failed(failure) => Some(failure),
            Self::Parked | Self::Unreadable => None,
        }
    }
}

/// A record whose event is being applied.
#[derive(Debug)]
pub(super) struct Heard<'a> {
    record: &'a Arc<Incoming>,
    event: &'a Event,
    processing: Processing,
}

/// What a consumer applies events with.
#[derive(Debug)]
pub(super) struct Engine<R> {
    pub(super) messaging: Messaging,
    pub(super) reactor: Arc<R>,
    pub(super) metrics: MessagingMetrics,
}

impl<R: Reactor> Engine<R> {
    /// Applies the events of a batch in one transaction, or nothing of it.
    pub(super) async fn apply(&self, batch: &[Arc<Incoming>]) -> Result<Step, Undone> {
        if batch.iter().any(|record| matches!(record.what, What::Unreadable { .. })) {
            return Err(Undone::Unreadable);
        }
        let mut step = Step { handled: batch.len(), ..Step::default() };
        step.ignored = batch.iter().filter(|r| matches!(r.what, What::Ignored)).count() as u64;
        let streams = concerned(batch);
        if streams.is_empty() {
            return Ok(step);
        }
        let heard: Vec<Heard<'_>> = batch.iter().filter_map(|r| self.heard(r)).collect();
        match self.transact(batch, streams, &heard, &mut step).await {
            Ok(()) => Ok(step),
            Err(undone) => {
                for one in &heard {
                    one.processing.undone(undone.failure());
                }
                Err(undone)
            }
        }
    }

    async fn transact(
        &self,
        batch: &[Arc<Incoming>],
        streams: BTreeSet<String>,
        heard: &[Heard<'_>],
        step: &mut Step,
    ) -> Result<(), Undone> {
        let first = heard.first().map_or_else(tracing::Span::none, |h| h.processing.span().clone());
        let mut tx = self.messaging.begin().instrument(first).await.map_err(Undone::NotBegun)?;
        for other in heard.iter().skip(1) {
            other.processing.shares(tx.span());
        }
        tx.lock(streams).await?;
        if heard.iter().any(|h| h.record.stream.as_deref().is_some_and(|s| tx.is_parked(s))) {
            return Err(Undone::Parked);
        }
        step.answered = answer(&mut tx, batch).await?;
        self.apply_in(&mut tx, heard, step).await?;
        commit(tx).await?;
        Ok(())
    }

    /// A record as one to be applied; none where it is no event that is heard.
    pub(super) fn heard<'a>(&self, record: &'a Arc<Incoming>) -> Option<Heard<'a>> {
        let event = record.event()?;
        Some(Heard { record, event, processing: Processing::of(&self.messaging, record, event) })
    }

    /// Claims and applies events in a transaction that holds their streams.
    pub(super) async fn apply_in(
        &self,
        tx: &mut Tx,
        heard: &[Heard<'_>],
        step: &mut Step,
    ) -> Result<(), Failure> {
        let fresh = self.claim(tx, heard, step).await?;
        if !fresh.is_empty() {
            self.react(tx, &fresh, step).await?;
        }
        Ok(())
    }

    /// Counts what a step did, once it is committed.
    pub(super) fn count(&self, step: &Step) {
        let metrics = &self.metrics;
        metrics.handled("moved", step.moved);
        metrics.handled("already", step.already);
        metrics.duplicates(step.duplicates);
        metrics.ignored(step.ignored);
        metrics.answered(step.answered);
    }

    /// The records whose events were not applied before, the first of each id, in order.
    async fn claim<'a>(
        &self,
        tx: &mut Tx,
        heard: &'a [Heard<'a>],
        step: &mut Step,
    ) -> Result<Vec<&'a Heard<'a>>, Failure> {
        let mut by_id = BTreeMap::new();
        for Heard { event, .. } in heard {
            by_id.entry(event.id).or_insert(*event);
        }
        let events: Vec<&Event> = by_id.into_values().collect();
        let mut new_ids = inbox::claim(tx, &events).await?;
        let mut fresh = Vec::new();
        for one in heard {
            let news = new_ids.remove(&one.event.id);
            tx.hear(&one.event.subject, news)?;
            if news {
                fresh.push(one);
            } else {
                one.processing.came_to("duplicate");
                step.duplicates += 1;
            }
        }
        Ok(fresh)
    }

    async fn react(
        &self,
        tx: &mut Tx,
        fresh: &[&Heard<'_>],
        step: &mut Step,
    ) -> Result<(), Failure> {
        let events: Vec<&Event> = fresh.iter().map(|one| one.event).collect();
        let mut session = self.reactor.load(tx, &events).await?;
        for Heard { event, processing, .. } in fresh {
            let reacted = processing.react(&self.messaging, event, || {
                // A reaction that panics fails its own event, not the service.
                catch_unwind(AssertUnwindSafe(|| self.reactor.react(&mut session, event)))
            });
            match reacted.unwrap_or_else(|panic| Err(panicked(panic.as_ref())))? {
                Outcome::Moved => {
                    processing.came_to("moved");
                    step.moved += 1;
                }
                Outcome::Already => {
                    processing.came_to("already");
                    step.already += 1;
                }
            }
        }
        self.reactor.save(tx, session).await
    }
}

/// The streams a transaction over the batch must hold.
fn concerned(batch: &[Arc<Incoming>]) -> BTreeSet<String> {
    let touching = batch.iter().filter(|record| record.ask || record.event().is_some());
    touching.filter_map(|record| record.stream.clone()).collect()
}

/// Says again what this service said about every stream that a record asks about: whatever the
/// record's type, duplicate or not, stream parked or not (rule 10). Never marked as a question
/// itself, or two services would ask each other for ever. Returns the number of streams.
pub(super) async fn answer(tx: &mut Tx, batch: &[Arc<Incoming>]) -> Result<u64, Failure> {
    let asked: BTreeSet<&String> =
        batch.iter().filter(|record| record.ask).filter_map(|r| r.stream.as_ref()).collect();
    let asked: Vec<String> = asked.into_iter().cloned().collect();
    Ok(tx.resend_all(&asked, false).await?.len() as u64)
}

/// Commits between the consumer's fault points.
pub(super) async fn commit(tx: Tx) -> Result<(), Failure> {
    let faults = tx.messaging().seams().faults.clone();
    faults.hit("consumer.before_commit").await;
    let afterwards = tx.commit_only().await?;
    faults.hit("consumer.after_commit").await;
    afterwards.run();
    Ok(())
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Failure {
    let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Failure::Unclassified(format!("reaction panicked: {said}"))
}
