//! The committed snapshot of everything a client depends on.
//!
//! When the difference is meant, and additive, write the snapshot anew and commit it with the
//! change: `cargo test -p oms-proto -- --ignored write_the_contract`.

use std::{fs, path::PathBuf};

use crate::render::contract;

fn snapshot() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("contract.txt")
}

/// Every line with the heading it stands under, so that equal fields of two messages differ.
fn qualified(text: &str) -> Vec<String> {
    let mut heading = "";
    let mut lines = Vec::new();
    for line in text.lines() {
        if !line.starts_with(' ') {
            heading = line;
        }
        lines.push(format!("{heading}: {}", line.trim()));
    }
    lines
}

#[test]
fn the_contract_is_what_was_committed() {
    let (now, committed) = (contract(), fs::read_to_string(snapshot()).unwrap_or_default());
    let (is, was) = (qualified(&now), qualified(&committed));
    let gone: Vec<&String> = was.iter().filter(|line| !is.contains(line)).collect();
    let new: Vec<&String> = is.iter().filter(|line| !was.contains(line)).collect();
    assert!(
        now == committed,
        "the wire contract differs from crates/proto/contract.txt\n\
         gone: {gone:#?}\nnew: {new:#?}\n\
         Field numbers, names and json_names never change; what is gone breaks clients. If the \
         difference is meant, run\n  cargo test -p oms-proto -- --ignored write_the_contract\n\
         and commit the snapshot together with the change."
    );
}

#[test]
#[ignore = "writes the snapshot; run it by name when a change of the contract is meant"]
fn write_the_contract() {
    fs::write(snapshot(), contract()).unwrap();
}

#[test]
fn every_method_of_the_reference_documents_is_in_the_contract() {
    let text = contract();
    for method in ["CreateOrder", "GetOrder", "PayOrder", "CancelOrder", "RefundOrder"] {
        let line =
            format!("  rpc {method}(oms.v1.{method}Request) returns (oms.v1.{method}Response)\n");
        assert!(text.contains(&line), "{method}");
    }
    assert!(text.contains("  2 amount_minor int64 singular json=amount_minor\n"));
    for method in [
        "CreateOrder",
        "GetOrder",
        "GetOrders",
        "AddItemToOrder",
        "RemoveItemFromOrder",
        "UpdateOrderItemQuantity",
        "UpdateOrderStatus",
        "UpdateOrder",
    ] {
        let line =
            format!("  rpc {method}(orders.{method}Request) returns (orders.{method}Response)\n");
        assert!(text.contains(&line), "{method}");
    }
    assert!(text.contains("  8 total_amount double singular json=totalAmount\n"));
}
