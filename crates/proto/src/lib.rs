//! The wire types of OMS, generated from `proto/`, and nothing else.
//!
//! The comments of the `.proto` files are the reference; this crate adds the descriptor set that
//! reflection serves and the contract test reads.
#![forbid(unsafe_code)]

/// Package `oms.v1`: orders, inventory and payment.
#[allow(missing_docs, clippy::all, clippy::too_many_lines, unreachable_pub)]
pub mod oms_v1 {
    tonic::include_proto!("oms.v1");
}

/// Package `oms.admin.v1`: what operators call.
#[allow(missing_docs, clippy::all, clippy::too_many_lines, unreachable_pub)]
pub mod oms_admin_v1 {
    tonic::include_proto!("oms.admin.v1");
}

/// Package `orders`: orders with editable items.
#[allow(missing_docs, clippy::all, clippy::too_many_lines, unreachable_pub)]
pub mod orders {
    tonic::include_proto!("orders");
}

/// The encoded `FileDescriptorSet` of every file in `proto/`, imports included.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/oms_descriptor.bin"));
