//! `oms stock`: what is there, and what comes in.

mod booked;
mod command;
mod import;

pub(super) use command::StockCommand;
