//! The inventory service, tested through its rooms and through its wire.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub)]

mod amending;
mod batches;
mod catalogue;
mod commands;
mod consumer;
mod domain;
mod errors;
mod expiry;
mod grpc;
mod invariants;
mod keys;
mod races;
mod reactions;
mod service;
mod shipping;
mod support;
