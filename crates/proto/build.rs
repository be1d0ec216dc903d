//! Compiles `proto/` with protox: no `protoc` has to be installed.
use std::{env, fs, path::PathBuf};

use protox::prost::Message;

const FILES: [&str; 6] = [
    "oms/v1/order_service.proto",
    "oms/v1/inventory_service.proto",
    "oms/v1/payment_service.proto",
    "oms/admin/v1/dead_letter_service.proto",
    "oms/admin/v1/explain_service.proto",
    "orders/orders.proto",
];

#[allow(clippy::disallowed_methods, reason = "how cargo talks to a build script")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let descriptors = protox::Compiler::new([&root])?
        .include_source_info(true)
        .include_imports(true)
        .open_files(FILES)?
        .file_descriptor_set();
    let set = PathBuf::from(env::var("OUT_DIR")?).join("oms_descriptor.bin");
    fs::write(set, descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
