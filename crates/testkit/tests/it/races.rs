//! Many customers at once.

use std::{collections::BTreeSet, time::Duration};

use oms_proto::oms_v1::{OrderStatus, ReceiveStockRequest, ReservationStatus};
use oms_testkit::{
    Stack, StackOptions, Wire,
    requests::{cancel, create, item, keyed, pay, refund},
};
use tokio::task::JoinSet;
use tonic::Code;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_creations_with_one_key_are_one_order_and_equal_answers() {
    let stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..200 {
        let mut orders = clients.orders.clone();
        calls.spawn(async move {
            let request = create("customer", vec![item("SKU-001", 1, 100)]);
            orders.create_order(keyed("the-key", request)).await.unwrap().into_inner()
        });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.len(), 200);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_unit_and_a_hundred_paid_orders_make_one_confirmed() {
    let stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let last = ReceiveStockRequest { sku: "SKU-LAST".into(), qty: 1, note: String::new() };
    clients.inventory.clone().receive_stock(last).await.unwrap();
    let mut calls = JoinSet::new();
    for n in 0..100 {
        let clients = clients.clone();
        calls.spawn(async move {
            let customer = format!("customer-{n}");
            clients.buy(&customer, vec![item("SKU-LAST", 1, 1_000)], "").await.unwrap()
        });
    }
    let orders = calls.join_all().await;
    stack.rest().await.unwrap();
    let mut confirmed = 0;
    for order in &orders {
        match clients.order(order).await.unwrap().order.unwrap().status() {
            OrderStatus::Confirmed => confirmed += 1,
            OrderStatus::Canceled => {}
            other => panic!("{order} ended {other:?}"),
        }
    }
    assert_eq!(confirmed, 1);
    let stock = clients.stock("SKU-LAST").await.unwrap();
    assert_eq!((stock.available, stock.held, stock.committed), (0, 0, 1));
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_refunds_of_seven_hundred_on_ten_thousand_fourteen_succeed() {
    let stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let order = clients.buy("customer", vec![item("SKU-001", 1, 10_000)], "").await.unwrap();
    clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let (mut orders, order) = (clients.orders.clone(), order.clone());
        calls.spawn(async move {
            let mut request = tonic::Request::new(refund(&order, Some(700)));
            request.set_timeout(Duration::from_secs(60));
            orders.refund_order(request).await.map(tonic::Response::into_inner)
        });
    }
    let mut succeeded = 0;
    for answer in calls.join_all().await {
        match answer {
            Ok(answer) => {
                assert_eq!(answer.refunded_amount, 700);
                succeeded += 1;
            }
            Err(refusal) => {
                let refused = (refusal.code(), refusal.message());
                let expected = (Code::InvalidArgument, "refund exceeds the captured amount");
                assert_eq!(refused, expected);
            }
        }
    }
    assert_eq!(succeeded, 14);
    let payment = clients.payment(&order).await.unwrap();
    assert_eq!((payment.captured_minor, payment.refunded_minor), (10_000, 9_800));
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_orders_cancelled_soon_after_paying_keep_neither_money_nor_goods() {
    let options = StackOptions { wire: Wire::Embedded, ..StackOptions::default() };
    let stack = Stack::with(options).await.unwrap();
    let clients = stack.clients().await.unwrap();
    let before = clients.stock("SKU-LOAD-01").await.unwrap().available;
    let mut orders = BTreeSet::new();
    for wave in 0..20 {
        let mut calls = JoinSet::new();
        for n in 0..25_u64 {
            let clients = clients.clone();
            calls.spawn(async move {
                let lines = vec![item("SKU-LOAD-01", 1, 1_000)];
                let customer = format!("customer-{wave}-{n}");
                let order = clients.create(&customer, lines).await.unwrap();
                let mut orders = clients.orders.clone();
                orders.pay_order(pay(&order, "")).await.unwrap();
                // The cancel is to land anywhere in the run: 0 to 50 ms after PayOrder.
                tokio::time::sleep(Duration::from_millis(n * 50 / 24)).await;
                let answer = orders.cancel_order(cancel(&order)).await.unwrap().into_inner();
                assert_eq!(answer.status(), OrderStatus::Canceled);
                order
            });
        }
        orders.extend(calls.join_all().await);
    }
    assert_eq!(orders.len(), 500);
    stack.rest().await.unwrap();
    for order in &orders {
        let seen = clients.order(order).await.unwrap().order.unwrap();
        assert_eq!(seen.status(), OrderStatus::Canceled);
        assert_eq!(seen.captured_minor, seen.refunded_minor, "{seen:?}");
        let payment = clients.payment(order).await.unwrap();
        assert_eq!(payment.captured_minor, payment.refunded_minor, "{payment:?}");
        let hold = clients.reservation(order).await.unwrap();
        assert!(hold.lines.is_empty(), "{hold:?}");
        let free = [ReservationStatus::Released, ReservationStatus::Fenced];
        assert!(free.contains(&hold.status()), "{hold:?}");
    }
    assert_eq!(clients.stock("SKU-LOAD-01").await.unwrap().available, before);
    stack.finish().await.unwrap();
}
