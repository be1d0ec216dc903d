//! Whole-system stories from the outside, one a file.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod collector;
mod counters;
mod drain;
mod kill;
mod logging;
mod refusals;
mod secrets;
mod topic;
mod traces;
mod wire;
