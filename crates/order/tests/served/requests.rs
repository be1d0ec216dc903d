//! Requests in one line.

use std::time::Duration;

use oms_proto::oms_v1::{
    CancelOrderRequest, CompleteOrderRequest, CreateOrderRequest, GetOrderRequest, Money,
    PayOrderRequest, RefundOrderRequest, ShipOrderRequest, create_order_request::Item,
};
use tonic::{Request, metadata::MetadataMap};

pub(crate) fn usd(amount_minor: i64) -> Money {
    Money { currency: "USD".to_owned(), amount_minor }
}

pub(crate) fn item(sku: &str, qty: i32, cents: i64) -> Item {
    Item { sku: sku.to_owned(), qty, price: Some(usd(cents)), name: String::new() }
}

/// One item of 100.00.
pub(crate) fn create() -> CreateOrderRequest {
    create_for("customer-123", 10_000)
}

/// One item at that price.
pub(crate) fn create_for(customer: &str, cents: i64) -> CreateOrderRequest {
    CreateOrderRequest {
        customer_id: customer.to_owned(),
        currency: "USD".to_owned(),
        items: vec![item("SKU-001", 1, cents)],
        reference: String::new(),
    }
}

pub(crate) fn get(order: &str) -> GetOrderRequest {
    GetOrderRequest { order_id: order.to_owned() }
}

pub(crate) fn pay(order: &str) -> PayOrderRequest {
    PayOrderRequest { order_id: order.to_owned(), ..Default::default() }
}

pub(crate) fn cancel(order: &str) -> CancelOrderRequest {
    CancelOrderRequest { order_id: order.to_owned(), ..Default::default() }
}

pub(crate) fn refund(order: &str, cents: Option<i64>) -> RefundOrderRequest {
    let amount = cents.map(usd);
    RefundOrderRequest { order_id: order.to_owned(), amount, ..Default::default() }
}

pub(crate) fn ship(order: &str) -> ShipOrderRequest {
    ShipOrderRequest { order_id: order.to_owned(), expected_version: None }
}

pub(crate) fn complete(order: &str) -> CompleteOrderRequest {
    CompleteOrderRequest { order_id: order.to_owned(), expected_version: None }
}

/// With an idempotency key.
pub(crate) fn keyed<T>(key: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

/// With a deadline.
pub(crate) fn within<T>(time: Duration, request: impl tonic::IntoRequest<T>) -> Request<T> {
    let mut request = request.into_request();
    request.set_timeout(time);
    request
}

pub(crate) fn is_replay(metadata: &MetadataMap) -> bool {
    metadata.get("idempotency-replayed").is_some_and(|value| value == "true")
}
