//! `cargo xtask walks`: the pages a newcomer follows and the client examples, played as printed.
//!
//! A page is walked from top to bottom in one shell, as a reader pastes it: every ```` ```bash ````
//! block is run, `make run` in the background, and a ```` ```text ```` block after it says what it
//! prints (`…` stands for anything). A block that cannot be run says why in a comment before it:
//! `<!-- not walked: … -->`.

mod page;
mod plan;
mod printed;
mod script;
mod tools;

pub use plan::{Walk, chosen, run, walks};
