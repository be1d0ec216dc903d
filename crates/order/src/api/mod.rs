//! `oms.v1.OrderService`: requests become commands, outcomes become responses.

mod convert;
mod deadline;
mod list;
mod order_service;
mod page_token;
mod status;
mod validate;
mod watch;

pub use convert::{remembered_edit, remembered_refund};
pub use order_service::OrderApi;
