//! What a collector sees of a saga.

mod runs;
mod sampling;
mod stage;
