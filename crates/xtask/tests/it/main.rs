//! The repository keeps its own rules, so that `cargo test` alone finds what breaks them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod repository;
mod settings;
