//! `oms order`: from creation to the end, by the order service's own API.

mod advice;
mod change;
mod command;
mod create;
mod follow;
mod item;
mod look;
mod page;
mod wait;

pub(super) use command::OrderCommand;
pub(crate) use follow::{Follow, Step};
