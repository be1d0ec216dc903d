//! What callers may ask of an order, one file per intent.
//!
//! A command owns its transaction: it claims the caller's idempotency key, locks the order's
//! stream, decides, saves and commits, and only then wakes whoever waits and counts. Keys come
//! before streams everywhere, so that calls cannot wait for one another in a circle.
//! Commands know no transport; `api` runs them in tasks the transport cannot drop.

mod at_once;
mod cancel_order;
mod complete_order;
mod context;
mod create_order;
mod edit_order;
mod error;
mod keyed;
mod move_order;
mod pay_and_wait;
mod pay_order;
mod refund_order;
mod run_call;
mod ship_order;
mod update_order;
mod waiting;

pub use at_once::StatusNow;
pub use cancel_order::{CancelOrder, cancel_order};
pub use complete_order::{CompleteOrder, complete_order};
pub use context::Context;
pub(crate) use context::link_earlier;
pub use create_order::{CreateOrder, WantedLine, create_order};
pub use edit_order::{
    Change, EditOrder, Edited, Expected, PlacedLine, RememberEdit, answer_amendment, edit_order,
};
pub use error::CommandError;
pub(crate) use keyed::settle_pay_runs;
pub use keyed::{Keyed, RememberedRun, Reply, answered};
pub use move_order::{MoveOrder, move_order};
pub use pay_and_wait::outcome_of_pay_run;
pub use pay_order::{DEFAULT_PAYMENT_METHOD, PAYMENT_METHODS, PayOrder, pay_order};
pub use refund_order::{GivenBack, RefundOrder, outcome_of, refund_order};
pub use ship_order::{ShipOrder, ship_order};
pub use update_order::{UpdateOrder, update_order};
pub use waiting::Patience;
