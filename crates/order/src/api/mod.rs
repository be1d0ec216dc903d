//! `oms.v1.OrderService`: requests become commands, outcomes become responses.

mod convert;
mod deadline;
mod order_service;
mod status;
mod validate;

pub use convert::remembered_refund;
pub use order_service::OrderApi;
