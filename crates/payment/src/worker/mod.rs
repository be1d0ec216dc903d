//! The worker: carries what is due through the gateway, outside any transaction (rule 7).
//!
//! It takes due rows under the lease `gateway`, without a commit to claim them; calls the gateway
//! with the movement's own idempotency key; and records the outcome in a transaction that locks the
//! order and looks again. So two workers at once, a crash anywhere, or an answer that never came
//! cost at most another call with the same key, never a second charge (I4).

mod call;
mod due;
mod lane;
mod record;
mod settings;

pub use lane::Worker;
pub use settings::WorkerSettings;
