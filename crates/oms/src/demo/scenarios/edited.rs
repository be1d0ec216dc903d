//! The second document's walk: items change after the order was paid, and stock and money follow.

use std::{io::Write, time::Duration};

use anyhow::Context;
use oms_proto::orders::{
    AddItemToOrderRequest, CreateOrderItem, CreateOrderRequest, GetOrderRequest, Order,
    OrderUpdate, RemoveItemFromOrderRequest, UpdateOrderItemQuantityRequest, UpdateOrderRequest,
    UpdateOrderStatusRequest,
};
use tonic::Request;

use crate::demo::stage::Stage;

const CUSTOMER: &str = "123e4567-e89b-12d3-a456-426614174000";
const PHONE: &str = "550e8400-e29b-41d4-a716-446655440001";
const CASE: &str = "550e8400-e29b-41d4-a716-446655440002";
const PODS: &str = "550e8400-e29b-41d4-a716-446655440004";

/// How long a change may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// A request whose caller waits for the outcome.
fn patient<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    request
}

fn item(product: &str, name: &str, quantity: i32, unit_price: f64) -> CreateOrderItem {
    CreateOrderItem {
        product_id: product.into(),
        product_name: name.into(),
        quantity,
        unit_price,
        currency: "USD".into(),
    }
}

/// Created, paid, and changed four times; then shipped and completed.
pub(super) async fn changed_after_it_was_paid<W: Write>(
    stage: &mut Stage<W>,
) -> anyhow::Result<()> {
    stage.transcript.scenario("orders.Orders: items change after the order was paid")?;
    let (phones, cases) = (stage.stock(PHONE).await?, stage.stock(CASE).await?);
    let order = create(stage).await?;
    go(stage, &order, "Processing", 2_099.96).await?;
    stage.money(&order.id, 209_996, 0).await?;
    stage.stock_moved(&phones, -2, 2).await?;

    let order = add(stage, &order).await?;
    told(stage, "AddItemToOrder", &order, "Processing", 2_349.95)?;
    stage.money(&order.id, 234_995, 0).await?;

    let order = remove_the_cases(stage, &order).await?;
    told(stage, "RemoveItemFromOrder", &order, "Processing", 2_249.97)?;
    stage.money(&order.id, 234_995, 9_998).await?;
    stage.stock_moved(&cases, 0, 0).await?;

    let order = three_phones(stage, &order).await?;
    told(stage, "UpdateOrderItemQuantity", &order, "Processing", 3_249.96)?;
    stage.money(&order.id, 334_994, 9_998).await?;
    stage.stock_moved(&phones, -3, 3).await?;

    let order = better_phone(stage, &order).await?;
    told(stage, "UpdateOrder", &order, "Processing", 1_199.99)?;
    stage.money(&order.id, 334_994, 214_995).await?;
    stage.stock_moved(&phones, -1, 1).await?;

    go(stage, &order, "Shipped", 1_199.99).await?;
    go(stage, &order, "Completed", 1_199.99).await
}

/// Says what was answered, and expects status and total.
fn told<W: Write>(
    stage: &mut Stage<W>,
    method: &str,
    order: &Order,
    status: &str,
    total: f64,
) -> anyhow::Result<()> {
    let items: Vec<String> =
        order.items.iter().map(|i| format!("{} × {}", i.quantity, i.product_name)).collect();
    stage.transcript.call(method, format!("-> {}", items.join(", ")))?;
    let text = |status: &str, total: f64| format!("{status}, {total:.2} {}", order.currency);
    let got = text(&order.status, order.total_amount);
    stage.transcript.expect_eq("the order is", got, text(status, total))
}

async fn create<W: Write>(stage: &mut Stage<W>) -> anyhow::Result<Order> {
    let request = CreateOrderRequest {
        customer_id: CUSTOMER.into(),
        currency: "USD".into(),
        items: vec![item(PHONE, "iPhone 15 Pro", 2, 999.99), item(CASE, "iPhone Case", 2, 49.99)],
    };
    let answer = stage.clients.editable.create_order(request).await?.into_inner();
    let order = answer.order.context("CreateOrder answered without an order")?;
    told(stage, "CreateOrder", &order, "Pending", 2_099.96)?;
    Ok(order)
}

async fn go<W: Write>(
    stage: &mut Stage<W>,
    order: &Order,
    status: &str,
    total: f64,
) -> anyhow::Result<()> {
    let request =
        UpdateOrderStatusRequest { order_id: order.id.clone(), status: status.to_owned() };
    stage.clients.editable.update_order_status(patient(request)).await?;
    let request = GetOrderRequest { order_id: order.id.clone() };
    let answer = stage.clients.editable.get_order(request).await?.into_inner();
    let order = answer.order.context("GetOrder answered without an order")?;
    told(stage, &format!("UpdateOrderStatus {status}"), &order, status, total)
}

async fn add<W: Write>(stage: &mut Stage<W>, order: &Order) -> anyhow::Result<Order> {
    let item = Some(item(PODS, "AirPods Pro", 1, 249.99));
    let request = AddItemToOrderRequest { order_id: order.id.clone(), item };
    let answer = stage.clients.editable.add_item_to_order(patient(request)).await?.into_inner();
    answer.order.context("AddItemToOrder answered without an order")
}

async fn remove_the_cases<W: Write>(stage: &mut Stage<W>, order: &Order) -> anyhow::Result<Order> {
    let item_id = id_of(order, CASE)?;
    let request = RemoveItemFromOrderRequest { order_id: order.id.clone(), item_id };
    let answer =
        stage.clients.editable.remove_item_from_order(patient(request)).await?.into_inner();
    answer.order.context("RemoveItemFromOrder answered without an order")
}

async fn three_phones<W: Write>(stage: &mut Stage<W>, order: &Order) -> anyhow::Result<Order> {
    let (order_id, item_id) = (order.id.clone(), id_of(order, PHONE)?);
    let request = UpdateOrderItemQuantityRequest { order_id, item_id, quantity: 3 };
    let answer =
        stage.clients.editable.update_order_item_quantity(patient(request)).await?.into_inner();
    answer.order.context("UpdateOrderItemQuantity answered without an order")
}

async fn better_phone<W: Write>(stage: &mut Stage<W>, order: &Order) -> anyhow::Result<Order> {
    let phone = order.items.iter().find(|item| item.product_id == PHONE);
    let mut phone = phone.context("the phone is gone")?.clone();
    "iPhone 15 Pro Max".clone_into(&mut phone.product_name);
    (phone.quantity, phone.unit_price) = (1, 1_199.99);
    let update = OrderUpdate {
        id: order.id.clone(),
        customer_id: CUSTOMER.into(),
        currency: "USD".into(),
        status: "Processing".into(),
        items: vec![phone],
        updated_at: None,
    };
    let request = UpdateOrderRequest { update: Some(update) };
    let answer = stage.clients.editable.update_order(patient(request)).await?.into_inner();
    answer.order.context("UpdateOrder answered without an order")
}

fn id_of(order: &Order, product: &str) -> anyhow::Result<String> {
    let found = order.items.iter().find(|item| item.product_id == product);
    Ok(found.context("an item is gone")?.id.clone())
}
