//! `oms dlq`: dead letters, looked at and taken in hand (saga rule 4).

mod command;
mod filter;
mod named;
mod page;
mod settle;
mod walk;

pub(crate) use command::DlqCommand;
