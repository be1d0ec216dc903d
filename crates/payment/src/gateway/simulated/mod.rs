//! A card processor that needs no network: decides by test payment methods, and keeps its own log.
//!
//! Its database is its own, so that a test can count from the outside what was charged (I4) and so
//! that it remembers across our crashes, as a real processor would.

mod decide;
mod gateway;
mod ledger;
mod migration;
mod tables;

pub use gateway::{GatewayError, SimulatedGateway};
pub use ledger::{Charge, Kind};
pub use migration::GatewayMigrator;
