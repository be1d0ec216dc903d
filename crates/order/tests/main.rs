//! Everything the order service promises, as sentences.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod domain;
mod reactions;
mod store;
mod support;
