//! Everything the order service promises, as sentences.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod api;
mod changes;
mod domain;
mod dotnet;
mod edits;
mod errors;
mod reactions;
mod served;
mod store;
mod support;
