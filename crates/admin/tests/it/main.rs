//! The admin port of a process with several services, as operators' tools meet it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod errors;
mod foreign;
mod gate;
mod port;
mod services;
mod support;
