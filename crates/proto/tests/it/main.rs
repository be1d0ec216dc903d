//! The wire contract does not change by accident, and says what it means.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod contract;
mod descriptors;
mod render;
mod style;
