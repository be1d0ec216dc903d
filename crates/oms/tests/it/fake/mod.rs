//! The three services as a test wants them: one state in memory, faults on demand.

mod letters;
mod orders;
mod state;
mod witnesses;

pub(crate) use state::{Fake, Lie, busy, refusal};
