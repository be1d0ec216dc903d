//! Every request of `orders.Orders` × every refusal it can meet, as `docs/errors.md` tells it.

use oms_proto::orders::{
    AddItemToOrderRequest, CreateOrderItem, CreateOrderRequest, GetOrderRequest, GetOrdersRequest,
    OrderUpdate, UpdateOrderRequest,
};
use oms_service::testing::{RefusalTable, count_rows};
use tonic::Code;

use super::caller::{
    Client, better_phone, client, create, created, get, item, paying, pods, quantity, remove,
    status, update, with,
};
use crate::{
    errors::{
        stage::Stage,
        wishes::{NO_IDS, UNKNOWN},
    },
    served::{Paying, keyed},
};

/// Provokes each refusal once, and sees that those that begin nothing change nothing.
async fn refusals() -> RefusalTable {
    let mut stage = Stage::set().await;
    stage.table = RefusalTable::new("orders.Orders");
    let mut client = client(&stage.served).await;
    create_order(&mut stage, &mut client).await;
    reads(&mut stage, &mut client).await;
    items(&mut stage, &mut client).await;
    statuses(&mut stage, &mut client).await;
    updates(&mut stage, &mut client).await;
    amendments(&mut stage, &mut client).await;
    database_away(stage, client).await
}

fn wrong_creations() -> Vec<CreateOrderRequest> {
    let with = |change: fn(&mut CreateOrderRequest)| {
        let mut request = create();
        change(&mut request);
        request
    };
    let first = |change: fn(&mut CreateOrderItem)| {
        let mut request = create();
        change(&mut request.items[0]);
        request
    };
    vec![
        CreateOrderRequest::default(),
        with(|r| "customer-123".clone_into(&mut r.customer_id)),
        with(|r| r.customer_id = format!("{{{}}}", r.customer_id)),
        with(|r| r.customer_id = r.customer_id.replace('-', "")),
        with(|r| "00000000-0000-0000-0000-000000000000".clone_into(&mut r.customer_id)),
        with(|r| "XAU".clone_into(&mut r.currency)),
        with(|r| r.items.clear()),
        with(|r| r.items = vec![r.items[0].clone(); 501]),
        with(|r| r.items[1].product_id = r.items[0].product_id.to_uppercase()),
        first(|i| "SKU-001".clone_into(&mut i.product_id)),
        first(|i| i.product_name = "x".repeat(257)),
        first(|i| i.quantity = 0),
        first(|i| i.quantity = 1_000_001),
        first(|i| i.unit_price = f64::NAN),
        first(|i| i.unit_price = 0.0),
        first(|i| i.unit_price = 0.001),
        first(|i| i.unit_price = 1e300),
        first(|i| i.currency.clear()),
        first(|i| "EUR".clone_into(&mut i.currency)),
        with(|r| {
            for item in &mut r.items {
                (item.unit_price, item.quantity) = (9_999_999_999_999.99, 1_000_000);
            }
        }),
    ]
}

async fn create_order(stage: &mut Stage, client: &mut Client) {
    const METHOD: &str = "CreateOrder";
    for request in wrong_creations() {
        stage.refused(METHOD, client.create_order(keyed("free", request))).await;
    }
    stage.refused(METHOD, client.create_order(keyed("", create()))).await;
    client.create_order(keyed("used", create())).await.unwrap();
    let mut other = create();
    other.items.truncate(1);
    stage.refused(METHOD, client.create_order(keyed("used", other))).await;
}

async fn reads(stage: &mut Stage, client: &mut Client) {
    for order_id in ["", UNKNOWN].into_iter().chain(NO_IDS) {
        let order_id = order_id.to_owned();
        stage.refused("GetOrder", client.get_order(GetOrderRequest { order_id })).await;
    }
    for (page_number, page_size, page_token) in [(-1, 0, ""), (0, 1_001, ""), (0, -1, "x")] {
        let page_token = page_token.to_owned();
        let request = GetOrdersRequest { page_number, page_size, page_token };
        stage.refused("GetOrders", client.get_orders(request)).await;
    }
}

/// Orders that cannot be changed any more.
async fn fixed(stage: &Stage, client: &mut Client) -> Vec<String> {
    let shipped = stage.served.confirmed(10_000).await;
    client.update_order_status(status(&shipped, "Shipped")).await.unwrap();
    let completed = stage.served.confirmed(10_000).await;
    for to in ["Shipped", "Completed"] {
        client.update_order_status(status(&completed, to)).await.unwrap();
    }
    for order in [&shipped, &completed] {
        stage.served.until_rest(order).await;
    }
    vec![shipped, completed, stage.canceled.clone(), stage.refunded.clone()]
}

async fn items(stage: &mut Stage, client: &mut Client) {
    let order = created(client).await;
    stage.table.hide(&order.id);
    let (id, line) = (order.id.as_str(), order.items[0].id.as_str());
    const ADD: &str = "AddItemToOrder";
    for wrong in ["", NO_IDS[1], UNKNOWN] {
        stage.refused(ADD, client.add_item_to_order(pods(wrong))).await;
    }
    let without = AddItemToOrderRequest { order_id: id.to_owned(), item: None };
    stage.refused(ADD, client.add_item_to_order(without)).await;
    let other = CreateOrderItem { currency: "EUR".to_owned(), ..item("x", "", -1, 0.001) };
    stage.refused(ADD, client.add_item_to_order(super::caller::add(id, other))).await;
    let taken = item(&order.items[1].product_id, "", 1, 1.0);
    stage.refused(ADD, client.add_item_to_order(super::caller::add(id, taken))).await;
    stage.refused(ADD, client.add_item_to_order(keyed("used", pods(id)))).await;
    stage.refused(ADD, client.add_item_to_order(keyed("", pods("")))).await;
    stage.refused(ADD, client.add_item_to_order(paying("pm_gold", pods(id)))).await;

    const REMOVE: &str = "RemoveItemFromOrder";
    stage.refused(REMOVE, client.remove_item_from_order(remove("", "x"))).await;
    stage.refused(REMOVE, client.remove_item_from_order(remove(UNKNOWN, line))).await;
    stage.refused(REMOVE, client.remove_item_from_order(remove(id, UNKNOWN))).await;
    stage.refused(REMOVE, client.remove_item_from_order(keyed("used", remove(id, line)))).await;
    let pending = stage.pending.clone();
    let last = get(client, &pending).await.items[0].id.clone();
    stage.refused(REMOVE, client.remove_item_from_order(remove(&pending, &last))).await;

    const QUANTITY: &str = "UpdateOrderItemQuantity";
    for wrong in [quantity("", "", 0), quantity(id, line, 1_000_001)] {
        stage.refused(QUANTITY, client.update_order_item_quantity(wrong)).await;
    }
    let wrong = quantity(UNKNOWN, line, 1);
    stage.refused(QUANTITY, client.update_order_item_quantity(wrong)).await;
    stage.refused(QUANTITY, client.update_order_item_quantity(quantity(id, UNKNOWN, 1))).await;
    let again = keyed("used", quantity(id, line, 1));
    stage.refused(QUANTITY, client.update_order_item_quantity(again)).await;

    for order in fixed(stage, client).await {
        let line = get(client, &order).await.items[0].id.clone();
        stage.refused(ADD, client.add_item_to_order(pods(&order))).await;
        stage.refused(REMOVE, client.remove_item_from_order(remove(&order, &line))).await;
        let two = quantity(&order, &line, 2);
        stage.refused(QUANTITY, client.update_order_item_quantity(two)).await;
    }
}

async fn statuses(stage: &mut Stage, client: &mut Client) {
    const METHOD: &str = "UpdateOrderStatus";
    for wrong in [status("", "Paid"), status(NO_IDS[0], "Shipped"), status(UNKNOWN, "Shipped")] {
        stage.refused(METHOD, client.update_order_status(wrong)).await;
    }
    let pending = stage.pending.clone();
    for word in ["", "pending", "Canceled", "CONFIRMED"] {
        stage.refused(METHOD, client.update_order_status(status(&pending, word))).await;
    }
    let gold = paying("pm_gold", keyed("", status(&pending, "Processing")));
    stage.refused(METHOD, client.update_order_status(gold)).await;
    stage
        .refused(METHOD, client.update_order_status(keyed("used", status(&pending, "Shipped"))))
        .await;
    for (order, to) in [
        (&stage.pending, "Shipped"),
        (&stage.pending, "Completed"),
        (&stage.confirmed, "Completed"),
        (&stage.confirmed, "Pending"),
        (&stage.canceled, "Processing"),
        (&stage.refunded, "Shipped"),
        (&stage.unavailable, "Processing"),
        (&stage.declined, "Processing"),
    ]
    .map(|(order, to)| (order.clone(), to))
    {
        let free = keyed("status-free", status(&order, to));
        stage.refused(METHOD, client.update_order_status(free)).await;
    }
}

fn wrong_updates(update: &OrderUpdate) -> Vec<OrderUpdate> {
    let with = |change: fn(&mut OrderUpdate)| {
        let mut wrong = update.clone();
        change(&mut wrong);
        wrong
    };
    vec![
        with(|u| "x".clone_into(&mut u.customer_id)),
        with(|u| "usd".clone_into(&mut u.currency)),
        with(|u| "EUR".clone_into(&mut u.currency)),
        with(|u| "Paid".clone_into(&mut u.status)),
        with(|u| u.items.clear()),
        with(|u| u.items = vec![u.items[0].clone(); 501]),
        with(|u| u.items[1].product_id = u.items[0].product_id.clone()),
        with(|u| u.items[1].id = u.items[0].id.clone()),
        with(|u| "x".clone_into(&mut u.items[0].id)),
        with(|u| UNKNOWN.clone_into(&mut u.items[0].id)),
        with(|u| "SKU-001".clone_into(&mut u.items[0].product_id)),
        with(|u| u.items[0].quantity = -1),
        with(|u| u.items[0].unit_price = 0.1 + 0.2),
        with(|u| u.updated_at = Some(7)),
        with(|u| u.updated_at = Some(621_355_968_000_000_010)),
        with(|u| "Shipped".clone_into(&mut u.status)),
        with(|u| {
            for item in &mut u.items {
                (item.unit_price, item.quantity) = (9_999_999_999_999.99, 1_000_000);
            }
        }),
    ]
}

async fn updates(stage: &mut Stage, client: &mut Client) {
    const METHOD: &str = "UpdateOrder";
    let order = created(client).await;
    stage.table.hide(&order.id);
    stage.refused(METHOD, client.update_order(UpdateOrderRequest { update: None })).await;
    let unknown = OrderUpdate { id: UNKNOWN.to_owned(), ..update(&order) };
    stage.refused(METHOD, client.update_order(with(unknown))).await;
    for wrong in wrong_updates(&update(&order)) {
        stage.refused(METHOD, client.update_order(keyed("update-free", with(wrong)))).await;
    }
    let used = keyed("used", with(better_phone(&order)));
    stage.refused(METHOD, client.update_order(used)).await;
    let confirmed = get(client, &stage.confirmed).await;
    let mut two = update(&confirmed);
    two.items[0].quantity = 2;
    for to in ["Shipped", "Pending"] {
        let both = OrderUpdate { status: to.to_owned(), ..two.clone() };
        stage.refused(METHOD, client.update_order(with(both))).await;
    }
    for order in fixed(stage, client).await {
        let mut two = update(&get(client, &order).await);
        two.items[0].quantity = 2;
        stage.refused(METHOD, client.update_order(with(two))).await;
    }
}

/// Of a change that began, which may take longer than the call: the key asks again.
async fn told(stage: &mut Stage, client: &mut Client, key: &str, order: &str) {
    loop {
        match client.add_item_to_order(keyed(key, pods(order))).await {
            Err(status) if matches!(status.code(), Code::DeadlineExceeded | Code::Aborted) => {}
            answer => return stage.table.note("AddItemToOrder", answer),
        }
    }
}

async fn amendments(stage: &mut Stage, client: &mut Client) {
    let order = stage.served.confirmed(10_000).await;
    for (how, key) in [(Paying::OutOfStock, "out of stock"), (Paying::Decline, "declined")] {
        stage.served.others.pay(how);
        told(stage, client, key, &order).await;
        stage.served.until_rest(&order).await;
    }
    let now = get(client, &order).await;
    let other = "123e4567-e89b-12d3-a456-426614174999".to_owned();
    let mut yen = OrderUpdate { currency: "JPY".to_owned(), ..update(&now) };
    "JPY".clone_into(&mut yen.items[0].currency);
    for fixed in [OrderUpdate { customer_id: other, ..update(&now) }, yen] {
        stage.refused("UpdateOrder", client.update_order(with(fixed))).await;
    }

    stage.served.others.pay(Paying::Wait);
    let begun = client.add_item_to_order(keyed("begun", pods(&order))).await;
    stage.table.note("AddItemToOrder", begun);
    let line = now.items[0].id.as_str();
    let two = quantity(&order, line, 2);
    stage.refused("UpdateOrderItemQuantity", client.update_order_item_quantity(two)).await;
    let last = remove(&order, line);
    stage.refused("RemoveItemFromOrder", client.remove_item_from_order(last)).await;
    stage.refused("UpdateOrder", client.update_order(with(better_phone(&now)))).await;
    let ship = status(&order, "Shipped");
    stage.refused("UpdateOrderStatus", client.update_order_status(ship)).await;
    let running = keyed("begun", pods(&order));
    stage.refused("AddItemToOrder", client.add_item_to_order(running)).await;
    client.update_order_status(status(&order, "Cancelled")).await.unwrap();
    told(stage, client, "begun", &order).await;
    stage.served.others.pay(Paying::Approve);
    stage.served.until_rest(&order).await;
}

async fn database_away(mut stage: Stage, mut client: Client) -> RefusalTable {
    let order = created(&mut client).await;
    let (id, line) = (order.id.clone(), order.items[0].id.clone());
    let before = count_rows(&stage.served.running.database.read).await;
    stage.served.running.database.clone().close().await;
    let table = &mut stage.table;
    table.note("CreateOrder", client.create_order(create()).await);
    table.note("GetOrder", client.get_order(GetOrderRequest { order_id: id.clone() }).await);
    table.note("GetOrders", client.get_orders(GetOrdersRequest::default()).await);
    table.note("AddItemToOrder", client.add_item_to_order(pods(&id)).await);
    table.note("RemoveItemFromOrder", client.remove_item_from_order(remove(&id, &line)).await);
    let two = quantity(&id, &line, 2);
    table.note("UpdateOrderItemQuantity", client.update_order_item_quantity(two).await);
    for to in ["Processing", "Shipped", "Cancelled"] {
        table.note("UpdateOrderStatus", client.update_order_status(status(&id, to)).await);
    }
    table.note("UpdateOrder", client.update_order(with(update(&order))).await);
    let again = stage.served.reopened().await;
    assert_eq!(count_rows(&again.read).await, before);
    stage.table
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_tells_what_each_method_may_be_refused_with() {
    refusals().await.check();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes the page; run it by name when a change of the refusals is meant"]
async fn write_the_page() {
    refusals().await.write();
}
