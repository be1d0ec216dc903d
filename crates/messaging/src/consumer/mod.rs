//! The consumer: a batch is the unit of I/O, an event is the unit of failure (rules 1, 2, 4, 10).
//!
//! Offsets are stored after the commit, so that a crash repeats events and never loses one; the
//! inbox makes the repetition harmless (I6).
//!
//! One reader owns the subscription and hands records to workers, each of which applies those of
//! its partitions in transactions of its own.

mod batch;
mod catchup;
mod inbox;
mod incoming;
mod lanes;
pub mod letters;
mod member;
mod one;
mod parking;
mod processing;
mod reader;
mod status;
mod worker;

pub use member::Consumer;
pub use status::{ConsumerStatus, Step};
