//! Orders that are changed after they were paid, looked at from every side.

use std::time::Duration;

use oms_order::{
    commands::{
        Change, CommandError, Context, EditOrder, Edited, Expected, Patience, PlacedLine, Reply,
        WantedLine, edit_order,
    },
    domain::{Currency, Line, Money, Order, Refusal},
};
use oms_proto::oms_v1::{OrderStatus, ReservationStatus};
use oms_testkit::{
    Clients, Stack, StackOptions, eventually,
    requests::{cancel, complete, item, refund, ship},
};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

const LONG: Duration = Duration::from_secs(60);

/// Calls that change one order.
struct Amender {
    context: Context,
    order: String,
}

impl Amender {
    fn of(stack: &Stack, order: &str) -> Self {
        Self { context: stack.commands().unwrap(), order: order.to_owned() }
    }

    async fn change(&self, change: Change, method: Option<&str>) -> Result<Order, CommandError> {
        let (gone, draining) = (CancellationToken::new(), CancellationToken::new());
        let patience = Patience::new(Instant::now() + LONG, gone, draining);
        let method = method.map(str::to_owned);
        let wish = EditOrder { change, method, expected: Expected::default() };
        match edit_order(&self.context, self.order.clone(), wish, None, patience).await? {
            Reply::Fresh(Edited { order }) => Ok(order),
            Reply::Remembered { .. } => panic!("there was no key"),
        }
    }

    async fn refused(&self, change: Change, method: Option<&str>) -> Refusal {
        match self.change(change, method).await.map(|order| order.total()) {
            Err(CommandError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }
}

fn wanted(sku: &str, qty: i32, cents: i64) -> WantedLine {
    let price = Money::new(cents, Currency::parse("USD").unwrap());
    WantedLine { sku: sku.to_owned(), qty, price, name: String::new() }
}

fn add(sku: &str, qty: i32, cents: i64) -> Change {
    Change::Add(wanted(sku, qty, cents))
}

fn only(line: &Line, cents: i64) -> Change {
    let line = PlacedLine { id: Some(line.id), line: wanted(&line.sku, 1, cents) };
    Change::Replace { customer_id: None, currency: None, lines: vec![line] }
}

async fn confirmed(clients: &Clients, cents: i64, method: &str) -> String {
    let order = clients.buy("customer", vec![item("SKU-001", 2, cents)], method).await.unwrap();
    clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    order
}

/// What is committed for the order and what payment keeps of it.
async fn stands(clients: &Clients, order: &str) -> (Vec<(String, i64)>, i64) {
    let reservation = clients.reservation(order).await.unwrap();
    assert_eq!(reservation.status(), ReservationStatus::Committed);
    let lines = reservation.lines.into_iter().map(|line| (line.sku, line.qty)).collect();
    let payment = clients.payment(order).await.unwrap();
    (lines, payment.captured_minor - payment.refunded_minor)
}

fn lines(lines: &[(&str, i64)]) -> Vec<(String, i64)> {
    lines.iter().map(|(sku, qty)| ((*sku).to_owned(), *qty)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holds_and_money_follow_every_change_until_the_goods_leave() {
    let stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let items = vec![item("SKU-001", 2, 99_999), item("SKU-002", 2, 4_999)];
    let order = clients.create("customer", items).await.unwrap();
    let amender = Amender::of(&stack, &order);
    let plain = amender.change(add("SKU-009", 1, 100), None).await.unwrap();
    let line = plain.lines()[2].id;
    amender.change(Change::Remove { line }, None).await.unwrap();
    clients.orders.clone().pay_order(oms_testkit::requests::pay(&order, "")).await.unwrap();
    clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    stack.rest().await.unwrap();
    assert_eq!(stands(&clients, &order).await.1, 209_996);

    let now = amender.change(add("SKU-004", 1, 24_999), None).await.unwrap();
    stack.rest().await.unwrap();
    let all = lines(&[("SKU-001", 2), ("SKU-002", 2), ("SKU-004", 1)]);
    assert_eq!(stands(&clients, &order).await, (all, 234_995));

    let line = now.lines()[1].id;
    amender.change(Change::Remove { line }, None).await.unwrap();
    stack.rest().await.unwrap();
    let all = lines(&[("SKU-001", 2), ("SKU-004", 1)]);
    assert_eq!(stands(&clients, &order).await, (all, 224_997));

    let line = now.lines()[0].id;
    amender.change(Change::SetQuantity { line, qty: 3 }, None).await.unwrap();
    stack.rest().await.unwrap();
    let all = lines(&[("SKU-001", 3), ("SKU-004", 1)]);
    assert_eq!(stands(&clients, &order).await, (all, 324_996));

    let last = amender.change(only(&now.lines()[0], 119_999), None).await.unwrap();
    stack.rest().await.unwrap();
    assert_eq!(stands(&clients, &order).await, (lines(&[("SKU-001", 1)]), 119_999));
    let seen = clients.order(&order).await.unwrap().order.unwrap();
    assert_eq!((seen.amount_minor, seen.status()), (119_999, OrderStatus::Confirmed));
    assert_eq!(seen.items[0].id, last.lines()[0].id.to_string());

    // The same price for another product: nothing is asked of the gateway.
    let asked = clients.payment(&order).await.unwrap().attempts.len();
    let line = PlacedLine { id: None, line: wanted("SKU-003", 1, 119_999) };
    let swap = Change::Replace { customer_id: None, currency: None, lines: vec![line] };
    amender.change(swap, None).await.unwrap();
    stack.rest().await.unwrap();
    assert_eq!(stands(&clients, &order).await, (lines(&[("SKU-003", 1)]), 119_999));
    assert_eq!(clients.payment(&order).await.unwrap().attempts.len(), asked);

    clients.orders.clone().ship_order(ship(&order)).await.unwrap();
    clients.orders.clone().complete_order(complete(&order)).await.unwrap();
    let told = amender.refused(add("SKU-005", 1, 100), None).await;
    assert_eq!(told.to_string(), "order cannot be changed in status completed");
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_inventory_or_payment_refuses_leaves_everything_as_it_was() {
    let stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let order = confirmed(&clients, 40_000, "pm_card_insufficient_funds").await;
    let amender = Amender::of(&stack, &order);
    let before = (lines(&[("SKU-001", 2)]), 80_000);
    for (change, refusal) in [
        (add("SKU-OUT-OF-STOCK", 1, 100), Refusal::InventoryUnavailable),
        (add("SKU-NOBODY-KNOWS", 1, 100), Refusal::InventoryUnavailable),
        (add("SKU-002", 1, 100_001), Refusal::PaymentDeclined),
    ] {
        assert_eq!(amender.refused(change, None).await, refusal);
        stack.rest().await.unwrap();
        assert_eq!(stands(&clients, &order).await, before, "{refusal:?}");
    }
    assert_eq!(clients.stock("SKU-002").await.unwrap().committed, 0);
    // The call's own method pays for it.
    amender.change(add("SKU-002", 1, 100_001), Some("pm_card_visa")).await.unwrap();
    stack.rest().await.unwrap();
    assert_eq!(stands(&clients, &order).await.1, 180_001);

    let order = confirmed(&clients, 10_000, "pm_refund_fails").await;
    let amender = Amender::of(&stack, &order);
    let line = clients.order(&order).await.unwrap().order.unwrap().items[0].id.parse().unwrap();
    let one = Change::SetQuantity { line, qty: 1 };
    assert_eq!(amender.refused(one, None).await, Refusal::RefundFailed);
    stack.rest().await.unwrap();
    assert_eq!(stands(&clients, &order).await, (lines(&[("SKU-001", 2)]), 20_000));
    stack.finish().await.unwrap();
}

/// An amendment that has not ended.
type Amending = JoinSet<Result<Order, CommandError>>;

/// A stack in which `pm_card_slow` takes its time, an order, and an amendment under way on it.
async fn under_way() -> (Stack, Clients, String, Amending) {
    let stack = Stack::with(StackOptions { slow_card_ms: 400, ..StackOptions::default() }).await;
    let stack = stack.unwrap();
    let clients = stack.clients().await.unwrap();
    let order = confirmed(&clients, 10_000, "").await;
    let amender = Amender::of(&stack, &order);
    let mut amends = JoinSet::new();
    amends
        .spawn(async move { amender.change(add("SKU-002", 1, 5_000), Some("pm_card_slow")).await });
    eventually(LONG, || async {
        let story = clients.story(&order).await?;
        let began = story.iter().any(|entry| entry == "AmendmentRequested");
        Ok(if began { Ok(()) } else { Err(format!("{story:?}")) })
    })
    .await
    .unwrap();
    (stack, clients, order, amends)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_wins_over_an_amendment_and_nothing_is_kept() {
    let (stack, clients, order, mut amends) = under_way().await;
    let answer = clients.orders.clone().cancel_order(cancel(&order)).await.unwrap().into_inner();
    assert_eq!(answer.status(), OrderStatus::Canceled);
    let told = amends.join_next().await.unwrap().unwrap().map(|order| order.total());
    let canceled = |refusal: &Refusal| *refusal == Refusal::AmendmentCanceled;
    assert!(matches!(&told, Err(CommandError::Refused(told)) if canceled(told)), "{told:?}");
    stack.rest().await.unwrap();
    let payment = clients.payment(&order).await.unwrap();
    assert_eq!(payment.captured_minor, payment.refunded_minor, "{payment:?}");
    for sku in ["SKU-001", "SKU-002"] {
        let stock = clients.stock(sku).await.unwrap();
        assert_eq!((stock.available, stock.held, stock.committed), (10_000, 0, 0));
    }
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_and_a_ship_wait_until_an_amendment_is_through() {
    let (stack, clients, order, mut amends) = under_way().await;
    let (mut first, mut second) = (clients.orders.clone(), clients.orders.clone());
    let mut refunds = tonic::Request::new(refund(&order, Some(1_000)));
    refunds.set_timeout(LONG);
    let mut ships = tonic::Request::new(ship(&order));
    ships.set_timeout(LONG);
    let (refunded, shipped) = tokio::join!(first.refund_order(refunds), second.ship_order(ships));
    assert_eq!(refunded.unwrap().into_inner().refunded_amount, 1_000);
    shipped.unwrap();
    assert_eq!(amends.join_next().await.unwrap().unwrap().unwrap().total().minor(), 25_000);
    stack.rest().await.unwrap();
    let story = clients.story(&order).await.unwrap();
    let at = |what: &str| story.iter().position(|entry| entry == what).unwrap();
    assert!(at("OrderAmended") < at("RefundRequested") && at("OrderAmended") < at("shipped"));
    let reservation = clients.reservation(&order).await.unwrap();
    assert_eq!(reservation.status(), ReservationStatus::Shipped);
    let shipped = clients.stock("SKU-002").await.unwrap().shipped;
    assert_eq!(shipped, 1, "what the amendment added left with the rest");
    stack.finish().await.unwrap();
}
