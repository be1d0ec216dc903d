//! `orders.Orders`: the same orders for clients of .NET. Amounts are doubles, instants are ticks,
//! ids are GUIDs, a status is a word.

mod amount;
mod convert;
mod list;
mod orders_service;
mod page_token;
mod refusals;
mod request;
mod ticks;
mod update;
mod validate;

pub use convert::{remembered_edit, remembered_run};
pub use orders_service::OrdersApi;
