//! What each log has beyond the contract.

mod kafka;
mod simulated;
