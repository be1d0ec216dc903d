//! The repository's own tools: `cargo xtask tidy`, `cargo xtask docs` and `cargo xtask mutants`.
//!
//! `tidy` checks what neither the compiler nor clippy can: who may import whom, how long a file may
//! be, whether links resolve. `docs` writes the two pages that are generated from code. `mutants`
//! shows that the simulator can fail.
#![forbid(unsafe_code)]

pub mod docs;
pub mod mutants;
pub mod tidy;
mod tree;

pub use tree::{File, Tree};
