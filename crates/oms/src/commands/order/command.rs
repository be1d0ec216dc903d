//! The commands.

use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};

use super::{change, create::CreateArguments, look, wait};
use crate::{
    cli::{AdminPortsFlags, AfterFlags, Failure, KeyFlags, Session},
    commands::paging::ListFlags,
};

/// Commands about orders.
#[derive(Subcommand)]
pub(crate) enum OrderCommand {
    /// Create an order, and pay it at once if you like.
    Create(CreateArguments),
    /// Show an order: items, money, and what happened to it.
    #[command(after_long_help = "Example:\n  oms order show $ORDER --json | jq -r .order.status")]
    Show(ShowArguments),
    /// List orders, newest first.
    List(ListArguments),
    /// Start the saga: reserve, pay, confirm.
    Pay(PayArguments),
    /// Cancel an order; stock and money go back.
    Cancel(CancelArguments),
    /// Give money back, in part or all that is left.
    Refund(RefundArguments),
    /// Ship a CONFIRMED order; its goods leave the stock.
    Ship(StepArguments),
    /// Close a SHIPPED order once it was delivered.
    Complete(StepArguments),
    /// Wait until an order is confirmed or has ended; the exit code tells.
    Wait(WaitArguments),
    /// Show what happens to an order while it happens, until it has ended.
    Watch(WatchArguments),
}

/// One order.
#[derive(Args)]
pub(crate) struct One {
    /// The order's id.
    #[arg(value_name = "ORDER")]
    pub(super) order: String,
}

/// Which order to show, and who knows its road.
#[derive(Args)]
pub(crate) struct ShowArguments {
    /// The order's id.
    #[arg(value_name = "ORDER")]
    pub(super) order: String,
    #[command(flatten)]
    pub(super) at: AdminPortsFlags,
}

/// Which orders to list.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  oms order list --reference web-4711\n  \
                             oms order list --customer customer-123 --status confirmed")]
pub(crate) struct ListArguments {
    /// Of this customer.
    #[arg(long, value_name = "ID", help_heading = "Filters")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(super) customer: Option<String>,
    /// In this status, as it is shown.
    #[arg(long, value_enum, help_heading = "Filters")]
    pub(super) status: Option<StatusFilter>,
    /// With the reference that its creator gave.
    #[arg(long, value_name = "REFERENCE", help_heading = "Filters")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(super) reference: Option<String>,
    #[command(flatten)]
    pub(super) list: ListFlags,
}

/// The statuses one can ask for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum StatusFilter {
    Pending,
    Reserved,
    Paid,
    Confirmed,
    Canceled,
    Refunded,
    Shipped,
    Completed,
}

/// How to pay.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  oms order pay $ORDER --wait\n  \
                             oms order pay $ORDER --method pm_card_declined")]
pub(crate) struct PayArguments {
    #[command(flatten)]
    pub(super) one: One,
    /// A payment method of the gateway [default: pm_card_visa].
    #[arg(long, value_name = "METHOD", default_value = "", hide_default_value = true)]
    pub(super) method: String,
    /// Wait until the order is confirmed or has ended, and show it.
    #[arg(long)]
    pub(super) wait: bool,
    /// How long to wait at most.
    #[arg(long, value_name = "DURATION", default_value = "30s", requires = "wait")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(super) timeout: Duration,
    #[command(flatten)]
    pub(super) key: KeyFlags,
    #[command(flatten)]
    pub(super) after: AfterFlags,
}

/// Why to cancel.
#[derive(Args)]
#[command(after_long_help = "Example:\n  oms order cancel $ORDER --reason 'customer request'")]
pub(crate) struct CancelArguments {
    #[command(flatten)]
    pub(super) one: One,
    /// Why, for the timeline.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) key: KeyFlags,
    #[command(flatten)]
    pub(super) after: AfterFlags,
}

/// What to give back.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  oms order refund $ORDER\n  \
                             oms order refund $ORDER --amount 25.00 --reason 'one was damaged'")]
pub(crate) struct RefundArguments {
    #[command(flatten)]
    pub(super) one: One,
    /// How much, as a decimal number [default: all that is left].
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    pub(super) amount: Option<String>,
    /// The amount's currency [default: the order's, which is asked for].
    #[arg(long, value_name = "CODE", requires = "amount")]
    pub(super) currency: Option<String>,
    /// Why, for the timeline.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) key: KeyFlags,
    #[command(flatten)]
    pub(super) after: AfterFlags,
}

/// A step of the lifecycle.
#[derive(Args)]
#[command(after_long_help = "Example:\n  oms order ship $ORDER && oms order complete $ORDER")]
pub(crate) struct StepArguments {
    #[command(flatten)]
    pub(super) one: One,
    #[command(flatten)]
    pub(super) key: KeyFlags,
    #[command(flatten)]
    pub(super) after: AfterFlags,
}

/// What to wait for.
#[derive(Args)]
#[command(after_long_help = "\
Exit code 0: it is so; 1: the order was cancelled instead; 3: no such order; 4: not so in time.

Examples:
  oms order wait $ORDER && echo confirmed
  oms order wait $ORDER --until ended --timeout 5m")]
pub(crate) struct WaitArguments {
    #[command(flatten)]
    pub(super) one: One,
    /// What to wait for.
    #[arg(long, value_enum, default_value_t = Until::Confirmed)]
    pub(super) until: Until,
    /// How long to wait at most.
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(super) timeout: Duration,
}

/// What can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Until {
    /// Paid and confirmed, or already further.
    Confirmed,
    /// Nothing will happen to it any more: completed, cancelled or refunded, and settled.
    Ended,
}

/// From where to watch.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  oms order watch $ORDER\n  \
                             oms order watch $ORDER --after-version 4 --json")]
pub(crate) struct WatchArguments {
    #[command(flatten)]
    pub(super) one: One,
    /// Only what happened after this version.
    #[arg(long, value_name = "VERSION", default_value_t = 0, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(i32).range(0..))]
    pub(super) after_version: i32,
}

impl OrderCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(session).await,
            Self::Show(one) => look::show(session, &one).await,
            Self::List(list) => look::list(session, &list).await,
            Self::Pay(pay) => change::pay(session, &pay).await,
            Self::Cancel(cancel) => change::cancel(session, cancel).await,
            Self::Refund(refund) => change::refund(session, refund).await,
            Self::Ship(step) => change::ship(session, step).await,
            Self::Complete(step) => change::complete(session, step).await,
            Self::Wait(wait) => wait::wait(session, &wait).await,
            Self::Watch(watch) => wait::watch(session, &watch).await,
        }
    }
}
