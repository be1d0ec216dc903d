//! What a saga's traces must look like, wherever their spans are asked for.
//!
//! A [`Source`] gives the spans of a trace in one shape, be it the collector of a test or Jaeger;
//! [`Tree`] is that trace, and [`runs`] says what the trace of each kind of run must hold.

mod jaeger;
pub mod runs;
mod shape;
mod source;
mod tree;

pub use shape::Shape;
pub use source::Source;
pub use tree::Tree;
