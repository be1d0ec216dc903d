//! The figures: latencies of each call, and what became of orders.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hdrhistogram::Histogram;

use super::mix::Kind;
use crate::cli::{Failure, code_name};

/// Latencies are kept in microseconds, to three digits, up to ten minutes.
const MICROS_MAX: u64 = 600_000_000;
const DIGITS: u8 = 3;
/// Kinds of errors told apart; the rest is counted as one.
const ERRORS_MAX: usize = 50;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Measured {
    /// CreateOrder, from when it should have begun.
    Create,
    /// PayOrder.
    Pay,
    /// CancelOrder.
    Cancel,
    /// RefundOrder, its outcome included.
    Refund,
    /// From PayOrder's answer until WatchOrder shows CONFIRMED.
    Confirmed,
    /// From when the order should have begun to CONFIRMED.
    Whole,
}

impl Measured {
    /// What the report calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Create => "CreateOrder",
            Self::Pay => "PayOrder",
            Self::Cancel => "CancelOrder",
            Self::Refund => "RefundOrder",
            Self::Confirmed => "accepted -> CONFIRMED",
            Self::Whole => "begin -> CONFIRMED",
        }
    }
}

/// Figures of one load.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    /// Latencies in microseconds.
    pub(super) latencies: BTreeMap<Measured, Histogram<u64>>,
    /// Orders by kind: begun, and ended as they should.
    pub(super) orders: BTreeMap<Kind, (u64, u64)>,
    /// What went wrong, and how often.
    pub(super) errors: BTreeMap<String, u64>,
    /// Orders that began late because too many were under way.
    pub(super) delayed: u64,
    /// Orders that should have begun and never did.
    pub(super) dropped: u64,
}

/// Collects figures from many tasks.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<Figures>);

impl Recorder {
    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The figures so far.
    pub(super) fn so_far(&self) -> Figures {
        self.figures().clone()
    }

    /// Orders begun and ended so far, and errors.
    pub(super) fn counts(&self) -> (u64, u64, u64) {
        let figures = self.figures();
        let (begun, well) = figures
            .orders
            .values()
            .fold((0, 0), |(begun, well), (more, good)| (begun + more, well + good));
        (begun, well, figures.errors.values().sum())
    }

    /// A latency.
    pub(super) fn took(&self, what: Measured, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(MICROS_MAX);
        let mut figures = self.figures();
        let Some(histogram) = histogram(&mut figures.latencies, what) else { return };
        // Beyond ten minutes it counts as ten minutes.
        histogram.saturating_record(micros);
    }

    /// An order begins.
    pub(super) fn begun(&self, kind: Kind) {
        self.figures().orders.entry(kind).or_default().0 += 1;
    }

    /// An order became what it should.
    pub(super) fn well(&self, kind: Kind) {
        self.figures().orders.entry(kind).or_default().1 += 1;
    }

    /// A call or an order failed.
    pub(super) fn failed(&self, what: &str, failure: &Failure) {
        let code = failure.code.map_or_else(String::new, |code| format!("{} ", code_name(code)));
        let mut line = format!("{what}: {code}{}", failure.message);
        let mut figures = self.figures();
        if figures.errors.len() >= ERRORS_MAX && !figures.errors.contains_key(&line) {
            "other errors".clone_into(&mut line);
        }
        *figures.errors.entry(line).or_default() += 1;
    }

    /// An order began late.
    pub(super) fn delayed(&self) {
        self.figures().delayed += 1;
    }

    /// So many orders never began.
    pub(super) fn dropped(&self, orders: u64) {
        self.figures().dropped += orders;
    }
}

fn histogram(
    all: &mut BTreeMap<Measured, Histogram<u64>>,
    what: Measured,
) -> Option<&mut Histogram<u64>> {
    use std::collections::btree_map::Entry;
    match all.entry(what) {
        Entry::Occupied(known) => Some(known.into_mut()),
        // The bounds are constants that hdrhistogram takes.
        Entry::Vacant(room) => {
            Histogram::new_with_bounds(1, MICROS_MAX, DIGITS).ok().map(|fresh| room.insert(fresh))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Exit;

    #[test]
    fn latencies_are_kept_to_three_digits_and_none_is_lost() {
        let recorder = Recorder::default();
        for millis in 1..=1_000 {
            recorder.took(Measured::Create, Duration::from_millis(millis));
        }
        recorder.took(Measured::Create, Duration::from_secs(3_600));
        let figures = recorder.so_far();
        let create = &figures.latencies[&Measured::Create];
        assert_eq!(create.len(), 1_001);
        let median = create.value_at_quantile(0.5);
        assert!((499_000..=502_000).contains(&median), "{median}");
        assert!(create.max() >= MICROS_MAX, "ten minutes stand for more");
    }

    #[test]
    fn kinds_of_errors_are_bounded_and_all_are_counted() {
        let recorder = Recorder::default();
        for n in 0..200 {
            recorder.failed("CreateOrder", &Failure::new(Exit::Fault, n.to_string()));
        }
        let figures = recorder.so_far();
        assert_eq!(figures.errors.len(), ERRORS_MAX + 1);
        assert_eq!(figures.errors.values().sum::<u64>(), 200);
    }
}
