//! The repository's own tools: `cargo xtask tidy`, `docs`, `servers`, `e2e`, `mutants`, `walks`,
//! `alerts`, `ship`.
//!
//! `tidy` checks what neither the compiler nor clippy can: who may import whom, how long a file may
//! be, whether links resolve. `docs` writes the two pages that are generated from code. `servers`
//! starts Apache Kafka and PostgreSQL natively, and `e2e` plays the stories against them. `mutants`
//! shows that the simulator can fail. `walks` plays the pages a newcomer follows. `alerts` lets
//! promtool check and test what `deploy/prometheus` holds. `ship` checks image, compose file and
//! chart.
#![forbid(unsafe_code)]

pub mod alerts;
pub mod docs;
pub mod e2e;
mod guard;
pub mod mutants;
pub mod servers;
pub mod ship;
pub mod tidy;
mod tree;
pub mod walks;

pub use tree::{File, Tree};
