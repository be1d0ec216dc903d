//! A caller of `orders.Orders`, with the document's requests.

use std::net::SocketAddr;

use oms_order::OrderConfig;
use oms_proto::orders::{
    AddItemToOrderRequest, CreateOrderItem, CreateOrderRequest, GetOrderRequest, Order, OrderItem,
    OrderUpdate, RemoveItemFromOrderRequest, UpdateOrderItemQuantityRequest, UpdateOrderRequest,
    UpdateOrderStatusRequest, orders_client::OrdersClient,
};
use prost_types::Timestamp;
use tonic::{IntoRequest, Request, transport::Channel};

use crate::served::Served;

/// The document's customer, and its products.
pub(crate) const CUSTOMER: &str = "123e4567-e89b-12d3-a456-426614174000";
pub(crate) const PHONE: &str = "550e8400-e29b-41d4-a716-446655440001";
pub(crate) const CASE: &str = "550e8400-e29b-41d4-a716-446655440002";
pub(crate) const PODS: &str = "550e8400-e29b-41d4-a716-446655440004";

pub(crate) type Client = OrdersClient<Channel>;

/// However busy the machine is: what a call waits for, it waits for.
pub(crate) fn patient(config: &mut OrderConfig) {
    config.order.call_wait_ms = 60_000;
}

/// A client of the port of its own.
pub(crate) async fn client(served: &Served) -> Client {
    OrdersClient::new(channel(served.running.orders).await)
}

pub(crate) async fn channel(at: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{at}")).unwrap().connect().await.unwrap()
}

pub(crate) fn item(product: &str, name: &str, quantity: i32, unit_price: f64) -> CreateOrderItem {
    CreateOrderItem {
        product_id: product.to_owned(),
        product_name: name.to_owned(),
        quantity,
        unit_price,
        currency: "USD".to_owned(),
    }
}

/// The document's order: 2,099.96 USD.
pub(crate) fn create() -> CreateOrderRequest {
    CreateOrderRequest {
        customer_id: CUSTOMER.to_owned(),
        currency: "USD".to_owned(),
        items: vec![item(PHONE, "iPhone 15 Pro", 2, 999.99), item(CASE, "iPhone Case", 2, 49.99)],
    }
}

pub(crate) fn add(order: &str, item: CreateOrderItem) -> AddItemToOrderRequest {
    AddItemToOrderRequest { order_id: order.to_owned(), item: Some(item) }
}

pub(crate) fn pods(order: &str) -> AddItemToOrderRequest {
    add(order, item(PODS, "AirPods Pro", 1, 249.99))
}

pub(crate) fn remove(order: &str, item: &str) -> RemoveItemFromOrderRequest {
    RemoveItemFromOrderRequest { order_id: order.to_owned(), item_id: item.to_owned() }
}

pub(crate) fn quantity(order: &str, item: &str, to: i32) -> UpdateOrderItemQuantityRequest {
    let (order_id, item_id) = (order.to_owned(), item.to_owned());
    UpdateOrderItemQuantityRequest { order_id, item_id, quantity: to }
}

pub(crate) fn status(order: &str, status: &str) -> UpdateOrderStatusRequest {
    UpdateOrderStatusRequest { order_id: order.to_owned(), status: status.to_owned() }
}

/// An update that leaves everything as it is.
pub(crate) fn update(order: &Order) -> OrderUpdate {
    OrderUpdate {
        id: order.id.clone(),
        customer_id: order.customer_id.clone(),
        currency: order.currency.clone(),
        status: String::new(),
        items: order.items.clone(),
        updated_at: None,
    }
}

pub(crate) fn with(update: OrderUpdate) -> UpdateOrderRequest {
    UpdateOrderRequest { update: Some(update) }
}

/// The document's update: one better phone.
pub(crate) fn better_phone(order: &Order) -> OrderUpdate {
    let phone = OrderItem {
        product_name: "iPhone 15 Pro Max".to_owned(),
        quantity: 1,
        unit_price: 1_199.99,
        ..order.items[0].clone()
    };
    OrderUpdate { items: vec![phone], ..update(order) }
}

/// With a payment method.
pub(crate) fn paying<T>(method: &str, request: impl IntoRequest<T>) -> Request<T> {
    let mut request = request.into_request();
    request.metadata_mut().insert("payment-method", method.parse().unwrap());
    request
}

pub(crate) async fn created(client: &mut Client) -> Order {
    client.create_order(create()).await.unwrap().into_inner().order.unwrap()
}

pub(crate) async fn get(client: &mut Client, order: &str) -> Order {
    let request = GetOrderRequest { order_id: order.to_owned() };
    client.get_order(request).await.unwrap().into_inner().order.unwrap()
}

/// The same instant in ticks.
pub(crate) fn ticks(at: Option<Timestamp>) -> i64 {
    let Timestamp { seconds, nanos } = at.unwrap();
    621_355_968_000_000_000 + seconds * 10_000_000 + i64::from(nanos) / 100
}
