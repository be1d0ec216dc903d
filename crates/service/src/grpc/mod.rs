//! The gRPC server of a host: reflection, health, a gate until ready, metrics, spans, limits.

mod api;
mod aside;
mod body;
mod connection;
mod deadline;
mod door;
mod gate;
mod layer;
mod meter;
mod serve;
mod settings;
mod told;

pub use api::GrpcApi;
pub use deadline::{DEFAULT_DEADLINE, answer_by, deadline};
pub use settings::{GrpcSettings, MESSAGE_IN_MAX, MESSAGE_OUT_MAX};
pub use told::TRACE_ID;

pub(crate) use api::{Method, Methods, methods};
pub(crate) use aside::aside;
pub(crate) use door::Door;
pub(crate) use serve::serve;
