//! What can be read of orders. Never locks, never writes.

mod follow;
mod get;
mod list;
mod watchers;

pub use follow::{Followed, Step, WatchError};
pub use get::{OrderView, Queries, TIMELINE_MAX, TimelineRow};
pub use list::{LINES_MAX, LineRow, ListFilter, ListedOrder, OrderPage, PageKey, PageStart};
pub use watchers::Watchers;
