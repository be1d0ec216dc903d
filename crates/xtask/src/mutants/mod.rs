//! `cargo xtask mutants`: mistakes planted on purpose, which the simulator must find.
//!
//! Production code has no switch for them. Each is a patch of `crates/sim/mutants`; a scratch copy
//! of the workspace takes one after another.

mod page;
mod patch;
mod scratch;

pub use page::{PAGE, current_names, write};
pub use patch::{Mutant, mutants};
pub use scratch::{Found, Scratch, applies};
