//! The payment service, room by room: reactions, worker, gateway, store, API, start.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod amending;
mod api;
mod errors;
mod gateway;
mod paging;
mod reactions;
mod rehearsals;
mod start;
mod store;
mod support;
mod worker;
mod worker_crashes;
mod worker_loop;
