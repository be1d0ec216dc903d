//! Deterministic simulation of the whole saga.
//!
//! The real reactions, commands and workers of the three services run over a simulated log, clock,
//! ids and a gateway behind a bad line. One thread takes one step at a time; which, a seed decides.
//! It interleaves, duplicates, delays, loses, crashes and restarts; then faults end, everything
//! must come to rest, and the invariants of `docs/saga.md` must hold. `docs/simulator.md` is the
//! page to begin with.
#![forbid(unsafe_code)]

mod amending;
mod applied;
mod calls;
mod chaos;
mod customers;
mod dice;
mod edits;
mod excuses;
mod fleet;
mod hands;
mod head_start;
mod instance;
mod offsets;
mod operator;
mod plan;
mod processor;
mod promises;
mod rest;
mod run;
mod seams;
mod spoil;
mod stores;
mod trail;
mod trap;
mod wire;
mod world;

pub use fleet::{Summary, play, play_one, smallest};
pub use plan::{FAULTS, Fault, Limits, Plan};
pub use run::Report;
pub use trail::Counts;
