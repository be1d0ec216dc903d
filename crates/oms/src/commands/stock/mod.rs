//! `oms stock`: what is there, and what comes in.

mod command;
mod import;

pub(super) use command::StockCommand;
