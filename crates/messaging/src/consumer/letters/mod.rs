//! Dead letters in an operator's hands: list, show, redrive, discard (rule 4).
//!
//! Everything runs from `parked`, in the order of its `seq`, under the lock of the stream, one
//! transaction per event, and never through the topic: what arrives meanwhile is parked behind, or
//! applied after the last one, and nothing passes anything. A redriven event takes the same road as
//! one the consumer has just read. What was done is kept in `interventions`.

mod discard;
mod failing;
mod letter;
mod office;
mod read;
mod redrive;
mod rehearse;
mod settle;

pub use letter::{Letter, LetterFilter, WholeLetter};
pub use office::{CameTo, DeadLetters, Orders, Settled, Settlement};
