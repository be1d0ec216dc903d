//! What operators may do to stock, one file per intent. Each owns its transaction.

mod adjust_stock;
mod change;
mod error;
mod keyed;
mod receive_stock;

pub use adjust_stock::AdjustStock;
pub use change::Reply;
pub use error::CommandError;
pub use keyed::Keyed;
pub use receive_stock::ReceiveStock;
