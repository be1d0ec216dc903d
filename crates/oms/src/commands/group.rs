//! The groups of client commands, and how one of them runs and ends.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use oms_telemetry::LogSettings;

use super::{dlq, events, explain, order, payment, stock, topics};
use crate::{
    cli::{CODES, ClientFlags, Failure, Session},
    load::LoadArguments,
};

/// Commands that talk to a running system.
#[derive(Subcommand)]
pub(crate) enum ClientCommand {
    /// Create, pay, follow, ship and cancel orders.
    #[command(after_help = CODES)]
    Order(Group<order::OrderCommand>),
    /// Look at stock, book goods in, correct counts.
    #[command(after_help = CODES)]
    Stock(Group<stock::StockCommand>),
    /// Look at what was taken for orders and given back.
    #[command(after_help = CODES)]
    Payment(Group<payment::PaymentCommand>),
    /// Look at dead letters, redrive or discard them.
    #[command(after_help = CODES)]
    Dlq(Group<dlq::DlqCommand>),
    /// Watch what the services tell each other.
    #[command(after_help = CODES)]
    Events(Group<events::EventsCommand>),
    Explain(explain::ExplainArguments),
    /// Make the topics of the system.
    #[command(after_help = CODES)]
    Topics(Group<topics::TopicsCommand>),
    Load(LoadArguments),
}

/// A group of commands that share the flags of the client side.
#[derive(Args)]
pub(crate) struct Group<C: Subcommand> {
    #[command(flatten)]
    flags: ClientFlags,
    #[command(subcommand)]
    command: C,
}

impl ClientCommand {
    /// Runs the command; what went wrong is told on standard error.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Order(group) => end(group.flags, async |s| group.command.run(&s).await),
            Self::Stock(group) => end(group.flags, async |s| group.command.run(&s).await),
            Self::Payment(group) => end(group.flags, async |s| group.command.run(&s).await),
            Self::Dlq(group) => end(group.flags, async |s| group.command.run(&s).await),
            Self::Events(group) => end(group.flags, async |s| group.command.run(&s).await),
            Self::Explain(explain) => end(explain.flags(), async |s| explain.run(s).await),
            Self::Topics(group) => end(group.flags, async |s| group.command.run(&s).await),
            Self::Load(load) => end(load.flags(), async |s| load.run(s).await),
        }
    }
}

/// Runs a command in a session of its own, and tells how it ended.
fn end(
    flags: ClientFlags,
    command: impl AsyncFnOnce(Session) -> Result<(), Failure>,
) -> anyhow::Result<ExitCode> {
    let json = flags.json;
    let log = LogSettings { level: "warn".to_owned(), ..LogSettings::default() };
    let ended = crate::block_on(&log, async { command(Session::new(flags)?).await })?;
    Ok(ended.map_or_else(|failure| failure.tell(json), |()| ExitCode::SUCCESS))
}
