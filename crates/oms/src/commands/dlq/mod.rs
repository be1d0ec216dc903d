//! `oms dlq`: dead letters, looked at and taken in hand (saga rule 4).

mod command;
mod filter;
mod page;
mod settle;

pub(crate) use command::DlqCommand;
