//! `oms.v1.OrderService` and `orders.Orders` (`dotnet/`): requests become commands, outcomes become
//! responses. What both do alike is in `calls.rs`, `deadline.rs`, `status.rs` and `validate.rs`.

mod calls;
mod convert;
mod deadline;
mod dotnet;
mod list;
mod order_service;
mod page_token;
mod status;
mod validate;
mod watch;

pub use calls::Calls;
pub use convert::remembered_refund;
pub use dotnet::{OrdersApi, remembered_edit, remembered_run};
pub use order_service::OrderApi;
