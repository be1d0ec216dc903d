//! Builders of requests, so that a test says only what it is about.

use oms_proto::oms_v1::{
    CancelOrderRequest, CompleteOrderRequest, CreateOrderRequest, GetOrderRequest, Money,
    PayOrderRequest, RefundOrderRequest, ShipOrderRequest, create_order_request::Item,
};
use tonic::Request;

/// US dollars, in cents.
#[must_use]
pub fn usd(cents: i64) -> Money {
    Money { currency: "USD".into(), amount_minor: cents }
}

/// A line priced in cents.
#[must_use]
pub fn item(sku: &str, qty: i32, cents: i64) -> Item {
    Item { sku: sku.into(), qty, price: Some(usd(cents)), name: String::new() }
}

/// An order of a customer in US dollars.
#[must_use]
pub fn create(customer: &str, items: Vec<Item>) -> CreateOrderRequest {
    CreateOrderRequest {
        customer_id: customer.into(),
        currency: "USD".into(),
        items,
        reference: String::new(),
    }
}

/// A look at an order.
#[must_use]
pub fn get(order: &str) -> GetOrderRequest {
    GetOrderRequest { order_id: order.into() }
}

/// A payment; an empty method is the default one.
#[must_use]
pub fn pay(order: &str, method: &str) -> PayOrderRequest {
    PayOrderRequest {
        order_id: order.into(),
        payment_method: method.into(),
        expected_version: None,
    }
}

/// A cancellation.
#[must_use]
pub fn cancel(order: &str) -> CancelOrderRequest {
    CancelOrderRequest { order_id: order.into(), reason: "test".into(), expected_version: None }
}

/// A refund; no amount is everything left.
#[must_use]
pub fn refund(order: &str, cents: Option<i64>) -> RefundOrderRequest {
    RefundOrderRequest {
        order_id: order.into(),
        amount: cents.map(usd),
        reason: "test".into(),
        expected_version: None,
    }
}

/// The goods leave.
#[must_use]
pub fn ship(order: &str) -> ShipOrderRequest {
    ShipOrderRequest { order_id: order.into(), expected_version: None }
}

/// The order is closed.
#[must_use]
pub fn complete(order: &str) -> CompleteOrderRequest {
    CompleteOrderRequest { order_id: order.into(), expected_version: None }
}

/// A request with an idempotency key.
///
/// # Panics
/// When the key is no ASCII text.
#[must_use]
pub fn keyed<T>(key: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = key.parse().unwrap_or_else(|_| panic!("{key:?} is no metadata value"));
    request.metadata_mut().insert("idempotency-key", value);
    request
}
