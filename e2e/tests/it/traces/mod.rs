//! What a collector sees of a saga.

mod linked;
mod runs;
mod sampling;
mod stage;
