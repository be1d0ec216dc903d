//! `oms payment`: what was taken for an order and what was given back.

mod command;
mod page;

pub(super) use command::PaymentCommand;
