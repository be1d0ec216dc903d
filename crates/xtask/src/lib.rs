//! The repository's own tools: `cargo xtask tidy` and `cargo xtask docs`.
//!
//! `tidy` checks what neither the compiler nor clippy can: who may import whom, how long a file may
//! be, whether links resolve. `docs` writes the two pages that are generated from code.
#![forbid(unsafe_code)]

pub mod docs;
pub mod tidy;
mod tree;

pub use tree::{File, Tree};
