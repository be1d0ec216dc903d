//! Whole-system stories from the outside, one a file.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod collector;
mod drain;
mod kill;
mod refusals;
mod topic;
mod traces;
mod wire;
