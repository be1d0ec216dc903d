//! The order service as a program: `oms-order [serve | migrate | config]`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    oms_service::run_service::<oms_order::OrderProgram>()
}
