//! The host of a service, from the outside.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::disallowed_methods, reason = "a test spawns the callers")]

mod admin;
mod config;
mod database;
mod errors;
mod grpc;
mod grpc_drain;
mod health;
mod idempotency;
mod lifecycle;
mod listen;
mod metrics;
mod reflection;
mod refusal;
mod support;
mod tls;
