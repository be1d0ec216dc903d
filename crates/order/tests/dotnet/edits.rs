//! Changes of what is ordered, before it is paid: the document's walk.

use oms_proto::orders::{Order, OrderItem, OrderUpdate};
use oms_service::testing::Backend;
use tonic::Code;

use super::caller::{
    CASE, PODS, add, better_phone, client, create, created, get, item, patient, pods, quantity,
    remove, update, with,
};
use crate::served::{Served, create_for, get as look, keyed};

fn total(order: Option<Order>) -> (Order, f64) {
    let order = order.unwrap();
    let total = order.total_amount;
    (order, total)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_changes_of_a_pending_order_come_to_its_totals() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let (order, sum) = total(client.create_order(create()).await.unwrap().into_inner().order);
    assert_eq!((order.status.as_str(), sum), ("Pending", 2_099.96));
    let id = order.id.clone();

    let (order, sum) = total(client.add_item_to_order(pods(&id)).await.unwrap().into_inner().order);
    assert_eq!((order.items.len(), sum), (3, 2_349.95));
    assert_eq!(order.items[2].product_id, PODS);

    let case = remove(&id, &order.items[1].id);
    let answer = client.remove_item_from_order(case).await.unwrap().into_inner();
    let (order, sum) = total(answer.order);
    assert_eq!((order.items.len(), sum), (2, 2_249.97));

    let three = quantity(&id, &order.items[0].id, 3);
    let answer = client.update_order_item_quantity(three).await.unwrap().into_inner();
    let (order, sum) = total(answer.order);
    assert_eq!((order.items[0].quantity, sum), (3, 3_249.96));

    let phone = order.items[0].id.clone();
    let answer = client.update_order(with(better_phone(&order))).await.unwrap().into_inner();
    let (order, sum) = total(answer.order);
    assert_eq!((order.items.len(), sum), (1, 1_199.99));
    assert_eq!(order.items[0].id, phone, "a changed item keeps its id");
    assert_eq!(order.items[0].product_name, "iPhone 15 Pro Max");
    assert_eq!(get(&mut client, &id).await, order, "what was answered is what is");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_oms_v1_put_on_an_order_is_shown_and_taken_back() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let id = served.created(10_000).await;
    let order = get(&mut client, &id).await;
    assert_eq!(order.items[0].product_id, "SKU-001");
    assert!(order.customer_id.starts_with("customer-"));
    // Taken back as it is, and a new product beside it.
    let new = OrderItem {
        id: String::new(),
        product_id: CASE.to_uppercase(),
        product_name: "Case".to_owned(),
        quantity: 1,
        unit_price: 0.3,
        currency: "USD".to_owned(),
    };
    let mut wanted = update(&order);
    wanted.items.push(new);
    let answer = client.update_order(with(wanted)).await.unwrap().into_inner();
    let (order, sum) = total(answer.order);
    assert_eq!(sum, 100.3);
    assert_eq!(order.items[1].product_id, CASE, "in lower case");
    // But a new value is a GUID.
    let other = OrderUpdate { customer_id: "customer-9".to_owned(), ..update(&order) };
    let refused = client.update_order(with(other)).await.unwrap_err();
    assert_eq!(refused.message(), "update.customerId must be a GUID");
    let refused =
        client.add_item_to_order(add(&id, item("SKU-002", "", 1, 1.0))).await.unwrap_err();
    assert_eq!(refused.message(), "item.productId must be a GUID");
    let taken = client.add_item_to_order(add(&id, item("SKU-001", "", 1, 1.0))).await.unwrap_err();
    assert_eq!(taken.code(), Code::AlreadyExists, "{taken}");
}

#[tokio::test(flavor = "multi_thread")]
async fn customer_and_currency_of_a_pending_order_may_change() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let order = created(&mut client).await;
    let other = "123e4567-e89b-12d3-a456-426614174999";
    let mut wanted = OrderUpdate { currency: "JPY".to_owned(), ..update(&order) };
    wanted.customer_id = other.to_uppercase();
    for item in &mut wanted.items {
        "JPY".clone_into(&mut item.currency);
        item.unit_price = 100.0;
    }
    let (order, sum) = total(client.update_order(with(wanted)).await.unwrap().into_inner().order);
    assert_eq!((order.customer_id.as_str(), order.currency.as_str(), sum), (other, "JPY", 400.0));
    let seen = served.client.clone().get_order(look(&order.id)).await.unwrap().into_inner();
    let seen = seen.order.unwrap();
    assert_eq!((seen.customer_id.as_str(), seen.currency.as_str()), (other, "JPY"));
    assert_eq!(seen.amount_minor, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_what_was_changed_meanwhile_is_aborted() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let order = created(&mut client).await;
    let seen = Some(order.updated_at);
    client.add_item_to_order(pods(&order.id)).await.unwrap();
    let late = OrderUpdate { updated_at: seen, ..better_phone(&order) };
    for status in ["", "Pending", "Cancelled"] {
        let late = OrderUpdate { status: status.to_owned(), ..late.clone() };
        let refused = client.update_order(with(late)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Aborted, "{status}: {refused}");
    }
    let now = get(&mut client, &order.id).await;
    assert_eq!(now.items.len(), 3);
    let in_time = OrderUpdate { updated_at: Some(now.updated_at), ..better_phone(&now) };
    client.update_order(with(in_time)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_creations_are_different_orders_unless_a_key_says_otherwise() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let (one, other) = (created(&mut client).await, created(&mut client).await);
    assert_ne!(one.id, other.id);
    let with_key = || keyed("k", create());
    let first = client.create_order(with_key()).await.unwrap().into_inner();
    let again = client.create_order(with_key()).await.unwrap();
    assert_eq!(again.metadata().get("idempotency-replayed").unwrap(), "true");
    assert_eq!(again.into_inner(), first);
    // oms.v1 goes on as it was: without a key the same parameters mean the same order.
    let same = async || {
        let answer = served.client.clone().create_order(create_for("c", 5)).await.unwrap();
        answer.into_inner().order_id
    };
    assert_eq!(same().await, same().await);
}
