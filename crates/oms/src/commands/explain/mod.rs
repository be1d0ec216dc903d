//! `oms explain`: where an order stands, which word is owed next, and why it does not come.

mod cause;
mod command;
mod gather;
mod page;
mod road;

pub(crate) use command::ExplainArguments;
pub(crate) use gather::gather;
pub(crate) use road::{Hop, road, table};
