//! Any bytes to any method of any service: a refusal with a reason, and nothing broken.

use std::net::SocketAddr;

use oms_proto::oms_v1::OrderStatus;
use oms_service::testing::{call_raw, framed};
use oms_testkit::{Name, Stack, requests::item};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use tokio::{runtime::Handle, task::block_in_place};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Bodies sent to each method.
const CASES: u32 = 48;

/// Every method there is, with the service that has it: a new one is met here without a word.
fn methods() -> Vec<(Name, String)> {
    let described = FileDescriptorSet::decode(oms_proto::FILE_DESCRIPTOR_SET).unwrap();
    let mut methods = Vec::new();
    let ours = |file: &&FileDescriptorProto| ["oms.v1", "orders"].contains(&file.package());
    for file in described.file.iter().filter(ours) {
        for service in &file.service {
            let name = match service.name() {
                "OrderService" | "Orders" => Name::Order,
                "InventoryService" => Name::Inventory,
                "PaymentService" => Name::Payment,
                other => panic!("whose is {other}?"),
            };
            let of = format!("/{}.{}", file.package(), service.name());
            let paths = service.method.iter().map(|method| method.name());
            methods.extend(paths.map(|m| (name, format!("{of}/{m}"))));
        }
    }
    assert!(methods.len() >= 25, "{methods:?}");
    methods
}

/// Bytes in a frame, bytes without one, and bytes that look like a message.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..300);
    let field = (1_u8..16, 0_u8..8, prop::collection::vec(any::<u8>(), 0..40));
    let fields = prop::collection::vec(field, 0..8).prop_map(|fields| {
        let mut message = Vec::new();
        for (number, wire_type, value) in fields {
            message.push(number << 3 | wire_type);
            if wire_type == 2 {
                message.push(u8::try_from(value.len()).unwrap());
            }
            message.extend(value);
        }
        framed(&message)
    });
    let text = "\\PC{0,40}".prop_map(|text| {
        let length = u8::try_from(text.len().min(127)).unwrap();
        framed(&[&[0x0a, length], &text.as_bytes()[..usize::from(length)]].concat())
    });
    prop_oneof![bytes(), bytes().prop_map(|bytes| framed(&bytes)), fields, text]
}

/// Whether the status tells a caller what it did wrong, and nothing of our own trouble.
fn is_the_callers(status: &Status) -> Result<(), TestCaseError> {
    let ours = [Code::Internal, Code::Unknown, Code::DataLoss, Code::Unavailable];
    prop_assert!(!ours.contains(&status.code()), "{status}");
    let info = status.get_details_error_info();
    prop_assert!(info.is_some_and(|info| info.domain == "oms" && !info.reason.is_empty()));
    Ok(())
}

async fn calls(at: SocketAddr, path: &str, body: Vec<u8>) -> Result<(), TestCaseError> {
    let keyed: &[(&'static str, &[u8])] = &[("idempotency-key", b"any bytes")];
    match call_raw(at, path, keyed, body).await {
        Ok(_) => Ok(()),
        Err(status) => is_the_callers(&status),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_bytes_to_any_method_are_refused_with_a_reason_and_break_nothing() {
    let stack = Stack::start().await.unwrap();
    for (name, path) in methods() {
        let at = stack.address(name).unwrap();
        let runtime = Handle::current();
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let met = block_in_place(|| {
            let mut runner = TestRunner::new(config);
            runner.run(&bodies(), |body| runtime.block_on(calls(at, &path, body)))
        });
        met.unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    // The system is as well as before.
    let clients = stack.clients().await.unwrap();
    let order = clients.buy("customer", vec![item("SKU-001", 1, 100)], "").await.unwrap();
    clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_mebibytes_to_any_method_are_refused_before_they_are_read() {
    let stack = Stack::start().await.unwrap();
    for (name, path) in methods() {
        let body = framed(&vec![0x0a; 2 * 1024 * 1024]);
        let status = call_raw(stack.address(name).unwrap(), &path, &[], body).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{path}: {status}");
        let reason = status.get_details_error_info().unwrap().reason;
        assert_eq!(reason, "REQUEST_TOO_LARGE", "{path}");
    }
    stack.finish().await.unwrap();
}
