//! OMS from the outside: processes, ports and wires, nothing of its insides.
//!
//! One story a file in `tests/`. The stories here run the embedded arrangement, `oms run`.
#![forbid(unsafe_code)]
#![allow(clippy::expect_used, reason = "a story that cannot set its scene must stop")]

mod http;
mod process;

pub use http::get;
pub use process::{OmsProcess, Ports, oms_command};
