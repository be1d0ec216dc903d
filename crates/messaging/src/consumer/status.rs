//! What a consumer tells the outside.

/// How a consumer stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsumerStatus {
    /// Whether it has partitions.
    pub assigned: bool,
    /// Whether it has done, once since it started, all that was on the log when it first looked.
    pub caught_up: bool,
    /// Records between what it has done and the end of the log, as last measured.
    pub lag: i64,
}

/// What one step of a consumer did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Records read from the log.
    pub polled: usize,
    /// Records done with, whatever became of them; their offsets are stored.
    pub handled: usize,
    /// Events that moved the state.
    pub moved: u64,
    /// Events that reached a reaction and had nothing to do.
    pub already: u64,
    /// Events applied before, or twice in one batch.
    pub duplicates: u64,
    /// Events of a type nobody hears, own ones not counted.
    pub ignored: u64,
    /// Events parked, dead letters among them.
    pub parked: u64,
    /// Dead letters written.
    pub dead_letters: u64,
    /// Streams said again because a record asked.
    pub answered: u64,
    /// Partitions that wait to be retried.
    pub retrying: usize,
}

impl Step {
    /// Whether there was nothing to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.polled == 0 && self.handled == 0
    }

    pub(super) fn add(&mut self, other: Self) {
        self.polled += other.polled;
        self.handled += other.handled;
        self.moved += other.moved;
        self.already += other.already;
        self.duplicates += other.duplicates;
        self.ignored += other.ignored;
        self.parked += other.parked;
        self.dead_letters += other.dead_letters;
        self.answered += other.answered;
        self.retrying += other.retrying;
    }
}
