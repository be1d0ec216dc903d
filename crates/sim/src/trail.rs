//! What happened: the history people read, and what the checks need to know of it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use oms_testkit::invariants::Topic;

/// How often what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Steps of workers, commands and faults.
    pub steps: u64,
    /// Records that came onto the topic.
    pub events: u64,
    /// Records delivered to consumers.
    pub delivered: u64,
    /// Events that a consumer had applied before.
    pub duplicates: u64,
    /// Instances that died.
    pub crashes: u64,
    /// Consumer groups put back.
    pub redeliveries: u64,
    /// Times the log lost its newest records.
    pub lost_tails: u64,
    /// Times the log lost everything.
    pub lost_logs: u64,
    /// Publications and gateway calls that failed or lost their answer.
    pub failures: u64,
    /// Steps that were held while others went on.
    pub held: u64,
    /// Events that were parked.
    pub parked: u64,
    /// Events that an operator redrove.
    pub redriven: u64,
    /// Events that an operator discarded.
    pub discarded: u64,
    /// Amendments that were accepted.
    pub amended: u64,
    /// Amendments that were refused.
    pub amendments_refused: u64,
    /// Amendments that a cancellation ended.
    pub amendments_canceled: u64,
}

impl Counts {
    /// Adds another simulation's counts.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.events += other.events;
        self.delivered += other.delivered;
        self.duplicates += other.duplicates;
        self.crashes += other.crashes;
        self.redeliveries += other.redeliveries;
        self.lost_tails += other.lost_tails;
        self.lost_logs += other.lost_logs;
        self.failures += other.failures;
        self.held += other.held;
        self.parked += other.parked;
        self.redriven += other.redriven;
        self.discarded += other.discarded;
        self.amended += other.amended;
        self.amendments_refused += other.amendments_refused;
        self.amendments_canceled += other.amendments_canceled;
    }
}

/// The trail of one simulation.
#[derive(Debug, Default)]
pub(crate) struct Trail(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    notes: Vec<String>,
    names: BTreeMap<String, String>,
    said: Topic,
    counts: Counts,
}

impl Trail {
    /// Notes something within the present step.
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.state().notes.push(text.into());
    }

    /// Ends a step: one line of history.
    pub(crate) fn line(&self, at_ms: i64, text: &str) {
        let mut state = self.state();
        state.counts.steps += 1;
        let notes = std::mem::take(&mut state.notes).join(", ");
        let number = state.counts.steps;
        let separator = if notes.is_empty() { "" } else { ": " };
        state.lines.push(format!("#{number:<4} {at_ms:>9} ms  {text}{separator}{notes}"));
    }

    /// A short name for an order: `o1` for the first one seen.
    pub(crate) fn name(&self, order: &str) -> String {
        let mut state = self.state();
        let next = format!("o{}", state.names.len() + 1);
        state.names.entry(order.to_owned()).or_insert(next).clone()
    }

    /// Changes the counts.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.state().counts);
    }

    /// The counts so far.
    pub(crate) fn counts(&self) -> Counts {
        self.state().counts
    }

    /// An event has come onto the topic.
    pub(crate) fn said(&self, id: String, event_type: String) {
        self.state().said.insert(id, event_type);
    }

    /// All that was ever on the topic.
    pub(crate) fn all_said(&self) -> Topic {
        self.state().said.clone()
    }

    /// The history, readable.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.state().lines.clone();
        self.named(&lines)
    }

    /// Lines with every order's id replaced by its short name.
    pub(crate) fn named(&self, lines: &[String]) -> Vec<String> {
        let state = self.state();
        let replaced = |line: String, (id, name): (&String, &String)| line.replace(id, name);
        let named = |line: &String| state.names.iter().fold(line.clone(), replaced);
        lines.iter().map(named).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number that two equal histories share and two different ones hardly ever do (FNV-1a).
#[must_use]
pub(crate) fn hash<'a>(lines: impl IntoIterator<Item = &'a String>) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for byte in lines.into_iter().flat_map(|line| line.bytes().chain([b'\n'])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    }
    hash
}
