//! The rules of `docs/architecture.md` that neither rustc nor clippy checks.
//!
//! Each rule is a pure function from the files to its findings, in a file of its own, with a test
//! that feeds it a bad sample. [`RULES`] lists them all.

mod adr;
mod canvas;
mod crates;
mod finding;
mod layers;
mod links;
mod makefile;
mod manifest;
mod markdown;
mod paths;
mod rooms;
mod rules;
mod settings;
mod size;
mod source;
mod text;

pub use finding::Finding;
pub use rules::{RULES, check};
