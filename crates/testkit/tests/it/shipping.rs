//! Orders that are shipped: pay, ship, complete, refund; with inventory away, and against cancels.

use oms_events::TOPIC;
use oms_messaging::Event;
use oms_proto::oms_v1::{OrderStatus, ReservationStatus};
use oms_testkit::{
    Name, Stack, StackOptions,
    requests::{cancel, complete, item, refund, ship},
};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_paid_shipped_completed_and_refunded_and_its_goods_stay_away() {
    // Nobody asks, however slow the machine is: an answer would tell the same again.
    let mut options = StackOptions::default();
    (options.messaging.ask_after_ms, options.messaging.ask_delay_ms_max) = (600_000, 600_000);
    let stack = Stack::with(options).await.unwrap();
    let clients = stack.clients().await.unwrap();
    let before = clients.stock("SKU-001").await.unwrap();
    let order = clients.buy("customer", vec![item("SKU-001", 3, 1_000)], "").await.unwrap();
    clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    let mut orders = clients.orders.clone();
    orders.ship_order(ship(&order)).await.unwrap();
    orders.complete_order(complete(&order)).await.unwrap();
    stack.rest().await.unwrap();
    let part = orders.refund_order(refund(&order, Some(500))).await.unwrap().into_inner();
    assert_eq!((part.status(), part.refunded_amount), (OrderStatus::Refunded, 500));
    let seen = clients.order(&order).await.unwrap().order.unwrap();
    assert_eq!(seen.lifecycle_status(), OrderStatus::Completed);
    orders.refund_order(refund(&order, None)).await.unwrap();
    stack.rest().await.unwrap();
    let story = clients.story(&order).await.unwrap();
    assert_eq!(story[4..6], ["shipped", "completed"]);
    assert_eq!(story.last().map(String::as_str), Some("refunded"));
    let after = clients.stock("SKU-001").await.unwrap();
    assert_eq!((after.available, after.shipped), (before.available - 3, before.shipped + 3));
    assert_eq!((after.held, after.committed), (before.held, before.committed));
    let hold = clients.reservation(&order).await.unwrap();
    assert_eq!((hold.status(), hold.lines.len()), (ReservationStatus::Shipped, 0));
    let payment = clients.payment(&order).await.unwrap();
    assert_eq!((payment.captured_minor, payment.refunded_minor), (3_000, 3_000));
    let records = stack.simulated().records(TOPIC);
    let events = records.iter().map(|delivery| Event::parse(&delivery.record.payload).unwrap());
    let said: Vec<String> = events.map(|event| event.event_type).collect();
    for (what, times) in [
        ("oms.order.shipped.v1", 1),
        ("oms.inventory.dispatched.v1", 1),
        ("oms.order.completed.v1", 1),
        ("oms.order.refunded.v1", 1),
        ("oms.inventory.released.v1", 0),
    ] {
        assert_eq!(said.iter().filter(|one| *one == what).count(), times, "{what}: {said:?}");
    }
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_shipped_while_inventory_is_away_is_booked_out_when_it_is_back() {
    let mut stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let order = clients.buy("customer", vec![item("SKU-001", 2, 1_000)], "").await.unwrap();
    clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    stack.kill(Name::Inventory).await;
    let mut orders = clients.orders.clone();
    let answer = orders.ship_order(ship(&order)).await.unwrap().into_inner();
    assert_eq!(answer.status(), OrderStatus::Shipped);
    orders.complete_order(complete(&order)).await.unwrap();
    orders.refund_order(refund(&order, None)).await.unwrap();
    stack.restart(Name::Inventory).await.unwrap();
    stack.rest().await.unwrap();
    let clients = stack.clients().await.unwrap();
    assert_eq!(clients.reservation(&order).await.unwrap().status(), ReservationStatus::Shipped);
    assert_eq!(clients.stock("SKU-001").await.unwrap().shipped, 2);
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ships_and_cancels_at_once_one_wins_and_money_and_stock_agree() {
    let stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let before = clients.stock("SKU-LOAD-01").await.unwrap();
    let mut shipped = 0;
    for round in 0..20 {
        let lines = vec![item("SKU-LOAD-01", 1, 1_000)];
        let order = clients.buy(&format!("customer-{round}"), lines, "").await.unwrap();
        clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
        let mut calls = JoinSet::new();
        for n in 0..6 {
            let (mut orders, order) = (clients.orders.clone(), order.clone());
            calls.spawn(async move {
                if (n + round) % 2 == 0 {
                    (true, orders.ship_order(ship(&order)).await.is_ok())
                } else {
                    (false, orders.cancel_order(cancel(&order)).await.is_ok())
                }
            });
        }
        let answers = calls.join_all().await;
        let ships = answers.iter().filter(|answer| **answer == (true, true)).count();
        let cancels = answers.iter().filter(|answer| **answer == (false, true)).count();
        assert!([(3, 0), (0, 3)].contains(&(ships, cancels)), "{answers:?}");
        shipped += i64::from(ships > 0);
    }
    stack.rest().await.unwrap();
    let after = clients.stock("SKU-LOAD-01").await.unwrap();
    assert_eq!(after.shipped - before.shipped, shipped);
    assert_eq!(before.available - after.available, shipped);
    stack.finish().await.unwrap();
}
