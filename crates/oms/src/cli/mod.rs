//! What every command of the client side shares: flags, connections, calls, output, exit codes.
//!
//! A command is a `clap::Args` struct with an `async fn run(self, session: &Session)` that gives
//! `Result<(), Failure>`. It asks the session for a client (`session.orders().await?`), calls
//! through `session.ask` (reads) or `session.change` (mutations: key, retries), and prints once
//! with `session.out.answer(&message, |page| …)`, which serves people and `--json` alike.

mod call;
mod cause;
mod connect;
mod exit;
mod flags;
mod format;
mod json;
mod misuse;
mod observe;
mod output;
mod retry;
mod session;
mod stdout;
mod table;

pub(crate) use call::{Answered, again};
pub(crate) use cause::{misread, untopical};
pub(crate) use connect::channel;
pub(crate) use exit::{CODES, Exit, Failure, code_name};
pub(crate) use flags::{
    AddressFlags, AdminFlags, AdminPortsFlags, AfterFlags, ClientFlags, KafkaFlags, KeyFlags,
};
pub(crate) use format::{amount, counted, enum_name, instant, money, one_line, status_word};
pub(crate) use json::Named;
pub(crate) use misuse::{misused, wants_json, with_plain_usage};
pub(crate) use observe::observer;
pub(crate) use output::{Output, Page};
pub(crate) use retry::Retry;
pub(crate) use session::Session;
pub(crate) use stdout::{print, put};
pub(crate) use table::{Column, Table, cut};
