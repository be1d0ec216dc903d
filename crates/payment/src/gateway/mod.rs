//! The card processor, as payment sees it.
//!
//! A gateway is asked with an idempotency key of ours and gives the same answer to the same key,
//! for ever. So an unknown outcome is simply asked again (rule 7).

mod port;
mod simulated;

pub use port::{CaptureOrder, Gateway, RefundOrder, Unknown, Verdict};
pub use simulated::{Charge, GatewayError, GatewayMigrator, Kind, SimulatedGateway};
