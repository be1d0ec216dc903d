//! A whole system in a test: three services on port 0, a log under control, crashes on purpose.
//!
//! [`Stack`] starts the real services over a [`Wire`] of the test's choice. A test kills and
//! restarts services, loses the log, and at the end calls [`Stack::finish`], which waits until
//! nobody waits and checks the invariants of `docs/saga.md`; a stack that is dropped without it
//! fails its test.
#![forbid(unsafe_code)]

mod branches;
mod collector;
mod eventually;
mod faults;
pub mod invariants;
pub mod requests;
mod stack;

pub use branches::Branch;
pub use collector::{Collector, SeenSpan, SpanKind};
pub use eventually::eventually;
pub use faults::CrashPlan;
pub use stack::{Clients, Name, Stack, StackOptions, Wire};
