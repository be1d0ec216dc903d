//! The flags.

use clap::{Args, Subcommand};

use super::play;
use crate::cli::{AddressFlags, KafkaFlags};

const EXAMPLES: &str = "\
Every expectation is printed with a ✓ or a ✗. Exit codes: 0 all held; 1 one did not; 4 the system
could not be reached, or did not become ready; 5 it could not be started.

Examples:
  oms demo
  oms demo --log info
  oms demo run --order-addr localhost:50051
  oms demo refund";

const RUNNING_EXAMPLES: &str = "\
Exit codes: 0 every expectation held; 1 one did not; 4 the services or the broker could not be
reached.

Examples:
  oms demo run
  oms demo refund --order-addr localhost:6001 --bootstrap localhost:6092";

/// What is played, and where.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DemoArguments {
    /// What is logged to standard error, for example info or oms_order=debug.
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    log: String,
    #[command(subcommand)]
    against: Option<Against>,
}

/// One scenario, against a running system.
#[derive(Subcommand)]
enum Against {
    /// Against a running system: an order that is created, paid and confirmed.
    #[command(after_long_help = RUNNING_EXAMPLES)]
    Run(Running),
    /// Against a running system: part of the money of a confirmed order is given back.
    #[command(after_long_help = RUNNING_EXAMPLES)]
    Refund(Running),
}

/// Where the running system is.
#[derive(Args)]
struct Running {
    #[command(flatten)]
    at: AddressFlags,
    #[command(flatten)]
    kafka: KafkaFlags,
}

/// Which scenarios are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenes {
    All,
    Success,
    Refund,
}

impl DemoArguments {
    /// What is logged to standard error.
    pub(crate) fn log(&self) -> &str {
        &self.log
    }

    /// Plays; true when every expectation held.
    pub(crate) async fn play(&self) -> anyhow::Result<bool> {
        match &self.against {
            None => play::scratch(&self.log).await,
            Some(Against::Run(at)) => play::running(&at.at, &at.kafka, Scenes::Success).await,
            Some(Against::Refund(at)) => play::running(&at.at, &at.kafka, Scenes::Refund).await,
        }
    }
}
