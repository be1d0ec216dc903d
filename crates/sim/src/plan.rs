//! What a seed makes of a world: how large it is, how it is set, and what may go wrong in it.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use clap::ValueEnum;
use oms_messaging::MessagingSettings;
use oms_payment::worker::WorkerSettings;

use crate::dice::Dice;

/// A class of things that go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Fault {
    /// An instance dies, at a fault point or between two steps, and starts again on its data.
    Crash,
    /// All services die at once.
    PowerCut,
    /// A step is held at the broker or the gateway while others go on.
    Hold,
    /// A consumer group reads again what it has read.
    Redeliver,
    /// The log loses its newest records.
    LoseTail,
    /// The log loses everything, offsets too.
    LoseLog,
    /// Publications fail, or their reports are lost.
    Publish,
    /// The broker is away for a while.
    Down,
    /// Calls to the gateway do not arrive, or their answers are lost.
    Gateway,
    /// The clock leaps: past asking, past deadlines, past the time of holds.
    Leap,
    /// A service forgets which events it applied; the state has to decide (rule 1).
    Inbox,
    /// Something comes onto the topic that is no event, or one no handler can take.
    Poison,
    /// Services run as two instances each.
    Twins,
}

/// Every class.
pub const FAULTS: [Fault; 13] = [
    Fault::Crash,
    Fault::PowerCut,
    Fault::Hold,
    Fault::Redeliver,
    Fault::LoseTail,
    Fault::LoseLog,
    Fault::Publish,
    Fault::Down,
    Fault::Gateway,
    Fault::Leap,
    Fault::Inbox,
    Fault::Poison,
    Fault::Twins,
];

/// What is left out of a seed's plan, to find the smallest one that still fails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Steps of chaos at most.
    pub steps: Option<u64>,
    /// Orders at most.
    pub orders: Option<usize>,
    /// Classes that do not happen.
    pub without: BTreeSet<Fault>,
    /// The invariants are checked after each step instead of now and then.
    pub check_each_step: bool,
}

/// The plan of one simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The seed it was drawn from.
    pub seed: u64,
    /// Customers, each with one order.
    pub orders: usize,
    /// Units of each SKU at the beginning.
    pub stock: Vec<i64>,
    /// Partitions of the topic.
    pub partitions: i32,
    /// Steps before faults end.
    pub steps: u64,
    /// What may go wrong.
    pub faults: BTreeSet<Fault>,
    /// Events in one transaction.
    pub consume_batch_max: usize,
    /// Records in one publication.
    pub relay_batch_max: u64,
    /// How long leases last, in milliseconds.
    pub lease_ms: u64,
    /// Calls to the gateway at a time.
    pub gateway_calls_max: usize,
    /// Steps between two checks of what holds at every moment.
    pub check_every: u64,
    /// Customers whose orders are paid and at rest before anything goes wrong.
    pub early: usize,
    /// Whether customers change their orders.
    pub amends: bool,
}

/// How long a pay run may take.
pub(crate) const RUN_DEADLINE: TimeDelta = TimeDelta::seconds(120);
/// How long a hold waits before inventory asks.
pub(crate) const HOLD_FOR: TimeDelta = TimeDelta::seconds(90);
/// Silence before a service asks.
pub(crate) const ASK_AFTER: TimeDelta = TimeDelta::seconds(30);

impl Limits {
    /// As they are given on the command line, each with a space before it.
    #[must_use]
    pub fn flags(&self) -> String {
        let mut flags = String::new();
        for (name, value) in [
            ("steps", self.steps.map(|steps| steps.to_string())),
            ("orders", self.orders.map(|orders| orders.to_string())),
        ] {
            flags.extend(value.map(|value| format!(" --{name} {value}")));
        }
        let names: Vec<String> = self
            .without
            .iter()
            .filter_map(|fault| Some(fault.to_possible_value()?.get_name().to_owned()))
            .collect();
        if !names.is_empty() {
            flags.push_str(&format!(" --without {}", names.join(",")));
        }
        flags
    }
}

impl Plan {
    /// The plan of a seed, less what the limits leave out.
    #[must_use]
    pub fn draw(seed: u64, limits: &Limits) -> Self {
        let mut dice = Dice::new(seed, 0);
        let orders = usize::try_from(dice.between(1, 4)).unwrap_or(1);
        let skus = dice.between(1, 3);
        let stock = (0..skus).map(|_| dice.weighted(&[(1, 2), (3, 3), (50, 5)], 50)).collect();
        let partitions = dice.pick(&[1, 2, 3], 1);
        let steps = dice.between(40, 180);
        // Each class is on in half of the worlds, so that each is also seen without the others.
        let mut faults: BTreeSet<Fault> = FAULTS.into_iter().filter(|_| dice.chance(50)).collect();
        faults.retain(|fault| !limits.without.contains(fault));
        let (consume_batch_max, relay_batch_max) =
            (dice.pick(&[1, 2, 5, 100], 100), dice.pick(&[1, 3, 500], 500));
        let (lease_ms, gateway_calls_max) =
            (dice.pick(&[50, 500, 5_000], 500), dice.pick(&[1, 1, 64], 1));
        // Chance alone brings few orders far before the faults end.
        let early = if dice.chance(50) { 1 + dice.index(orders) } else { 0 };
        let plan = Self {
            seed,
            orders: orders.min(limits.orders.unwrap_or(orders)),
            stock,
            partitions,
            steps: steps.min(limits.steps.unwrap_or(steps)),
            consume_batch_max,
            relay_batch_max,
            lease_ms,
            gateway_calls_max,
            check_every: if limits.check_each_step { 1 } else { 16 },
            faults,
            early: early.min(limits.orders.unwrap_or(early)),
            amends: false,
        };
        plan.perhaps_amending(limits)
    }

    /// Whether this class may happen.
    #[must_use]
    pub fn allows(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// How messaging is set.
    #[must_use]
    pub fn messaging(&self) -> MessagingSettings {
        MessagingSettings {
            consume_batch_max: self.consume_batch_max,
            poll_wait_ms: 0,
            relay_batch_max: self.relay_batch_max,
            lease_ms: self.lease_ms,
            ask_after_ms: ASK_AFTER.num_milliseconds().unsigned_abs(),
            ask_delay_ms_max: 2 * ASK_AFTER.num_milliseconds().unsigned_abs(),
            ..MessagingSettings::default()
        }
    }

    /// How the worker that calls the gateway is set.
    #[must_use]
    pub fn worker(&self) -> WorkerSettings {
        WorkerSettings { gateway_calls_max: self.gateway_calls_max, ..WorkerSettings::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_as_on_the_command_line() {
        let without = BTreeSet::from([Fault::LoseTail, Fault::Crash]);
        let limits = Limits { steps: Some(9), without, ..Limits::default() };
        assert_eq!(limits.flags(), " --steps 9 --without crash,lose-tail");
        assert_eq!(Limits::default().flags(), "");
    }

    #[test]
    fn limits_take_away_and_leave_the_rest_as_it_is() {
        let whole = Plan::draw(3, &Limits::default());
        let without = BTreeSet::from(FAULTS);
        let limits = Limits { steps: Some(5), orders: Some(1), without, check_each_step: true };
        let small = Plan::draw(3, &limits);
        assert_eq!((small.steps, small.orders, small.check_every), (5, 1, 1));
        assert!(small.faults.is_empty());
        let expected = Plan {
            steps: 5,
            orders: 1,
            faults: BTreeSet::new(),
            check_every: 1,
            early: whole.early.min(1),
            ..whole
        };
        assert_eq!(small, expected);
    }
}
