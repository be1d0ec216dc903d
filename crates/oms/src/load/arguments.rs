//! The flags.

use std::time::Duration;

use clap::Args;

use super::mix::Mix;
use crate::cli::{CODES, ClientFlags};

/// Orders of one load at most: each is remembered until the end, when it is asked about.
pub(super) const ORDERS_MAX: u64 = 1_000_000;

const ABOUT: &str = "\
Each order is created with a key of its own, buys one of SKU-LOAD-01 to -50, is paid, and is
followed by WatchOrder to its outcome. With --rate, orders begin at that rate whatever the system
does, and latencies count from the instant at which a call should have begun: a system that
stalls cannot hide the orders it kept waiting. With --clients, so many customers buy one order
after the other. At the end the order, inventory and payment services are asked about every
order: \"money and stock agree\", or what does not. Nobody else may buy or adjust these SKUs
meanwhile. Ctrl-C ends the load early and reports; a second one ends at once.";

const MORE: &str = "\
Exit codes: 0 all went as it should, money and stock agree; 1 something did not; 4 the system
could not be reached, or not be asked at the end (the report is printed all the same).

Examples:
  oms load
  oms load --rate 200 --duration 30s
  oms load --clients 16 --requests 1000 --mix ok=70,declined=15,out-of-stock=10,cancel=3,refund=2
  oms load --rate 50 --duration 10s --json | jq .latencies_ms";

/// Buy at a rate or with so many customers, measure, and verify money and stock.
#[derive(Args)]
#[command(long_about = ABOUT, after_help = CODES, after_long_help = MORE)]
pub(crate) struct LoadArguments {
    /// Open loop: orders begun per second.
    #[arg(long, value_name = "PER_SECOND", requires = "duration", help_heading = "Load")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) rate: Option<u32>,
    /// Open loop: for how long.
    #[arg(long, value_name = "DURATION", requires = "rate", help_heading = "Load")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(super) duration: Option<Duration>,
    /// Closed loop: customers at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = 16, conflicts_with = "rate")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000), help_heading = "Load")]
    pub(super) clients: u32,
    /// Closed loop: orders in all.
    #[arg(long, value_name = "COUNT", default_value_t = 100, conflicts_with = "rate")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=ORDERS_MAX), help_heading = "Load")]
    pub(super) requests: u64,
    /// What becomes of orders, by weight: ok, declined, out-of-stock, cancel, refund.
    #[arg(long, value_name = "KIND=WEIGHT,…", default_value = "ok=100", help_heading = "Load")]
    pub(super) mix: Mix,
    /// Open loop: orders under way at most. Further ones begin late, which is counted.
    #[arg(long, value_name = "COUNT", default_value_t = 500, help_heading = "Load")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) outstanding: u32,
    /// How long an order may take to its outcome, and all of them to settle at the end.
    #[arg(long, value_name = "DURATION", default_value = "60s", help_heading = "Load")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(super) settle: Duration,
    #[command(flatten)]
    pub(super) client: ClientFlags,
}

impl LoadArguments {
    /// What the whole side of the client shares.
    pub(crate) fn flags(&self) -> ClientFlags {
        self.client.clone()
    }
}
