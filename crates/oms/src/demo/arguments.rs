//! The flags.

use clap::{Args, Subcommand};

use super::play;
use crate::cli::{AddressFlags, KafkaFlags};

/// What is played, and where.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
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
    Run(Running),
    /// Against a running system: part of the money of a confirmed order is given back.
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
