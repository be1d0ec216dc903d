//! One test binary for the crate: the broker contract, and messaging as a whole.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod contract;
mod engine;
mod log;
