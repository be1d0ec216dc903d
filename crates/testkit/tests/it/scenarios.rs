//! Each branch of the saga once, looked at from every side, on both wires.

use oms_events::TOPIC;
use oms_messaging::Event;
use oms_proto::oms_v1::{OrderStatus, ReservationStatus};
use oms_testkit::{
    Branch, Stack, StackOptions, Wire,
    requests::{item, pay},
};
use tonic::Code;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_branch_ends_as_it_should_on_the_embedded_broker() {
    let options = StackOptions { wire: Wire::Embedded, ..StackOptions::default() };
    let stack = Stack::with(options).await.unwrap();
    let clients = stack.clients().await.unwrap();
    for branch in Branch::ALL {
        let order = branch.play(&clients, &format!("{branch:?}")).await.unwrap();
        stack.rest().await.unwrap();
        let seen = clients.order(&order).await.unwrap().order.unwrap();
        assert_eq!(seen.status(), branch.ends(), "{branch:?}");
    }
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_order_is_told_by_exactly_four_entries_and_five_events() {
    // Nobody asks, however slow the machine is: an answer would tell the same again.
    let mut options = StackOptions::default();
    (options.messaging.ask_after_ms, options.messaging.ask_delay_ms_max) = (600_000, 600_000);
    let stack = Stack::with(options).await.unwrap();
    let clients = stack.clients().await.unwrap();
    let order = Branch::Paid.play(&clients, "paid").await.unwrap();
    stack.rest().await.unwrap();
    let story = clients.story(&order).await.unwrap();
    assert_eq!(story, ["OrderCreated", "reserved", "paid", "confirmed"]);
    let events: Vec<Event> = stack
        .simulated()
        .records(TOPIC)
        .iter()
        .map(|delivery| Event::parse(&delivery.record.payload).unwrap())
        .collect();
    let types: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(
        types,
        [
            "oms.order.created.v1",
            "oms.order.submitted.v1",
            "oms.inventory.reserved.v1",
            "oms.payment.captured.v1",
            "oms.order.confirmed.v1"
        ]
    );
    assert!(events.iter().all(|event| event.subject == order));
    assert_eq!(clients.reservation(&order).await.unwrap().status(), ReservationStatus::Committed);
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decline_brings_the_stock_back_and_tells_why() {
    let stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let before = clients.stock("SKU-001").await.unwrap();
    let lines = vec![item("SKU-001", 3, 100)];
    let order = clients.buy("declined-customer", lines, "").await.unwrap();
    clients.reaches(&order, OrderStatus::Canceled).await.unwrap();
    stack.rest().await.unwrap();
    let after = clients.stock("SKU-001").await.unwrap();
    assert_eq!(
        (after.available, after.held, after.committed),
        (before.available, before.held, before.committed)
    );
    let refusal = clients.orders.clone().pay_order(pay(&order, "")).await.unwrap_err();
    assert_eq!((refusal.code(), refusal.message()), (Code::FailedPrecondition, "payment declined"));
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn out_of_stock_takes_no_money_and_tells_why() {
    let stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let order = Branch::OutOfStock.play(&clients, "out").await.unwrap();
    stack.rest().await.unwrap();
    let payment = clients.payment(&order).await.unwrap();
    assert_eq!((payment.captured_minor, payment.refunded_minor), (0, 0));
    assert!(payment.attempts.is_empty(), "the gateway was asked: {payment:?}");
    let refusal = clients.orders.clone().pay_order(pay(&order, "")).await.unwrap_err();
    assert_eq!(
        (refusal.code(), refusal.message()),
        (Code::ResourceExhausted, "inventory unavailable")
    );
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_past_its_deadline_is_cancelled() {
    let options =
        StackOptions { run_deadline_s: 1, slow_card_ms: 3_000, ..StackOptions::default() };
    let stack = Stack::with(options).await.unwrap();
    let clients = stack.clients().await.unwrap();
    let lines = vec![item("SKU-001", 1, 100)];
    let order = clients.buy("customer", lines, "pm_card_slow").await.unwrap();
    let seen = clients.reaches(&order, OrderStatus::Canceled).await.unwrap().order.unwrap();
    assert_eq!(seen.status_reason.unwrap().code, "deadline_exceeded");
    stack.rest().await.unwrap();
    let payment = clients.payment(&order).await.unwrap();
    assert_eq!((payment.captured_minor, payment.refunded_minor), (100, 100));
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_hold_asks_and_ends_the_run() {
    let options =
        StackOptions { reservation_ttl_s: 1, slow_card_ms: 3_000, ..StackOptions::default() };
    let stack = Stack::with(options).await.unwrap();
    let clients = stack.clients().await.unwrap();
    let lines = vec![item("SKU-001", 1, 100)];
    let order = clients.buy("customer", lines, "pm_card_slow").await.unwrap();
    clients.reaches(&order, OrderStatus::Canceled).await.unwrap();
    stack.rest().await.unwrap();
    assert_eq!(clients.reservation(&order).await.unwrap().status(), ReservationStatus::Released);
    stack.finish().await.unwrap();
}
