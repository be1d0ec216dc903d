//! `oms-inventory`: the inventory service as a process of its own.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    oms_service::run_service::<oms_inventory::InventoryProgram>()
}
