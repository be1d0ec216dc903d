//! `oms-inventory`: the inventory service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    oms_service::run_service::<oms_inventory::InventoryProgram>()
}
