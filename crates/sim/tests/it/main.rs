//! What continuous integration simulates, and what the simulator itself must be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod program;
mod seeds;
