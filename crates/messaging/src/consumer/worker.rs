//! A worker: applies the events of its partitions, one transaction at a time.
//!
//! Workers share nothing but the database. A partition belongs to one of them, and so does a
//! stream, whose key names the partition: no two ever wait for the same stream. Records come
//! through a bounded channel; what became of them goes back to the reader, which owns the log's
//! side of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time,
};
use tokio_util::sync::CancellationToken;

use super::{
    Step,
    batch::{Engine, Undone},
    incoming::Incoming,
    lanes::Lanes,
    one::Stuck,
};
use crate::{Reactor, backoff::delay, log::Partition};

/// The partitions a member holds, each with the number of its assignment: a partition that was
/// taken away and came back is another one.
pub(super) type Held = BTreeMap<Partition, u64>;

/// What the reader has to know of a worker's step.
#[derive(Debug)]
pub(super) enum Word {
    /// The transaction that settles these records is committed.
    Done(Vec<Arc<Incoming>>),
    /// The partition of this record waits: it should not deliver.
    Waits(Arc<Incoming>),
    /// The partition of this record goes on.
    GoesOn(Arc<Incoming>),
}

/// A step and what follows from it, in order.
#[derive(Debug, Default)]
pub(super) struct Worked {
    pub(super) step: Step,
    pub(super) words: Vec<Word>,
}

/// Applies events of some partitions.
pub(super) struct Worker<R: Reactor> {
    engine: Arc<Engine<R>>,
    group: Arc<str>,
    lanes: Lanes,
    records: mpsc::Receiver<Arc<Incoming>>,
    held: watch::Receiver<Held>,
    /// What is said with the next step.
    words: Vec<Word>,
}

impl<R: Reactor> Worker<R> {
    pub(super) fn new(
        engine: Arc<Engine<R>>,
        group: Arc<str>,
        records: mpsc::Receiver<Arc<Incoming>>,
        held: watch::Receiver<Held>,
    ) -> Self {
        Self { engine, group, lanes: Lanes::default(), records, held, words: Vec::new() }
    }

    /// Applies what there is: partitions that waited long enough one event at a time, all others in
    /// one transaction.
    pub(super) async fn step(&mut self) -> Worked {
        self.take_in();
        let mut step = Step::default();
        let now = self.engine.messaging.seams().clock.now();
        for (head, unclassified) in self.lanes.probes(now) {
            self.one(&head, unclassified, &mut step).await;
        }
        let batch = self.lanes.batch(self.batch_max());
        if !batch.is_empty() {
            self.batch(&batch, &mut step).await;
        }
        step.retrying = self.lanes.waiting();
        self.engine.count(&step);
        Worked { step, words: std::mem::take(&mut self.words) }
    }

    /// Waits until there is something to do, then does one step; does nothing once stopped.
    pub(super) async fn turn(mut self, stop: CancellationToken) -> (Self, Worked) {
        let work = async {
            let wait = self.next_probe();
            if self.ready() > 0 {
                return;
            }
            tokio::select! {
                Some(record) = self.records.recv() => self.accept(record),
                () = time::sleep(wait.unwrap_or(Duration::MAX)), if wait.is_some() => {}
            }
        };
        match stop.run_until_cancelled(work).await {
            // From here on it is not cut short: a commit under way should be finished.
            Some(()) => {
                let worked = self.step().await;
                (self, worked)
            }
            None => (self, Worked::default()),
        }
    }

    /// Records that wait for nothing but their turn.
    pub(super) fn ready(&self) -> usize {
        self.lanes.ready() + self.records.len()
    }

    /// How long until a partition that waits may be tried again.
    pub(super) fn next_probe(&self) -> Option<Duration> {
        self.lanes.next_probe(self.engine.messaging.seams().clock.now())
    }

    fn batch_max(&self) -> usize {
        self.engine.messaging.settings().consume_batch_max
    }

    /// Takes what was handed over, as far as one batch goes, and forgets what is not ours any more.
    fn take_in(&mut self) {
        while self.lanes.ready() < self.batch_max()
            && let Ok(record) = self.records.try_recv()
        {
            self.accept(record);
        }
        self.lanes.retain(&self.held.borrow());
    }

    fn accept(&mut self, record: Arc<Incoming>) {
        if !self.lanes.accept(record.clone()) {
            self.words.push(Word::Waits(record));
        }
    }

    async fn batch(&mut self, batch: &[Arc<Incoming>], step: &mut Step) {
        match self.engine.apply(batch).await {
            Ok(applied) => {
                step.add(applied);
                self.done(batch);
            }
            Err(Undone::NotBegun(failure)) => {
                // The database is away: asking it about every single event would tell no more.
                let stuck = Stuck::Transient(failure);
                let mut partitions = BTreeSet::new();
                for head in batch {
                    if partitions.insert(&head.delivery.partition) {
                        self.wait(head, &stuck);
                    }
                }
            }
            Err(undone) => {
                tracing::debug!(?undone, events = batch.len(), "one by one");
                for record in batch {
                    if !self.lanes.waits(&record.delivery.partition) {
                        self.one(record, 0, step).await;
                    }
                }
            }
        }
    }

    async fn one(&mut self, record: &Arc<Incoming>, unclassified: u32, step: &mut Step) {
        match self.engine.apply_one(record, &self.group, unclassified).await {
            Ok(applied) => {
                step.add(applied);
                self.done(std::slice::from_ref(record));
            }
            Err(stuck) => self.wait(record, &stuck),
        }
    }

    fn done(&mut self, records: &[Arc<Incoming>]) {
        self.words.push(Word::Done(records.to_vec()));
        for record in records {
            if self.lanes.done(record) {
                let at = &record.delivery.partition;
                tracing::info!(topic = at.topic, partition = at.number, "goes on");
                self.words.push(Word::GoesOn(record.clone()));
            }
        }
    }

    /// Lets the record's partition wait: its queue stays, the others go on.
    fn wait(&mut self, head: &Arc<Incoming>, stuck: &Stuck) {
        let partition = &head.delivery.partition;
        let messaging = &self.engine.messaging;
        let settings = messaging.settings();
        let (min, max) = (settings.retry_delay_ms_min, settings.retry_delay_ms_max);
        let unclassified = matches!(stuck, Stuck::Unclassified(_));
        let now = messaging.seams().clock.now();
        let attempt =
            self.lanes.failed(partition, unclassified, now, |attempt| delay(attempt, min, max));
        let failure = stuck.failure();
        self.engine.metrics.retried(failure.code());
        if attempt > 1 {
            return;
        }
        tracing::warn!(
            %failure,
            trace_id = head.trace_id(),
            order_id = head.stream,
            event.type = head.event_type,
            topic = partition.topic,
            partition = partition.number,
            "an event cannot be applied now; its partition waits"
        );
        self.words.push(Word::Waits(head.clone()));
    }
}
