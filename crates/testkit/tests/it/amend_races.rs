//! One order, twenty clients that amend it at once, and one that cancels it: fifty times.
//!
//! Guards I1 and I2: whoever was told that his item is on the order finds it there, nobody else
//! does, and nothing of it is held or kept once the order is dead.

use std::collections::{BTreeMap, BTreeSet};

use oms_proto::{
    oms_v1::{MovementState, OrderStatus, PaymentStatus, ReceiveStockRequest, ReservationStatus},
    orders::{
        AddItemToOrderRequest, CreateOrderItem, CreateOrderRequest, GetOrderRequest, Order,
        UpdateOrderStatusRequest, orders_client::OrdersClient,
    },
};
use oms_testkit::{
    Clients, Stack,
    requests::{cancel, keyed},
};
use tokio::task::JoinSet;
use tonic::{Code, Response, Status, transport::Channel};

const ROUNDS: usize = 50;
/// Rounds that are played at the same time.
const ABREAST: usize = 10;
const AMENDERS: usize = 20;
/// How often a call is repeated that was not answered in its time.
const TRIES: usize = 20;

const STOCK: i64 = 10_000;
/// In cents: what the order costs at first, and every item that is added.
const FIRST: i64 = 99_999;
const ADDED: i64 = 1_050;

/// What a client wants that amends an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// There is enough of it, and the card pays.
    Fine,
    /// Nobody has it.
    OutOfStock,
    /// The card does not pay.
    Declined,
}

impl Wish {
    fn of(amender: usize) -> Self {
        match amender % 7 {
            3 => Self::OutOfStock,
            5 => Self::Declined,
            _ => Self::Fine,
        }
    }

    fn method(self) -> &'static str {
        if self == Self::Declined { "pm_card_declined" } else { "pm_card_visa" }
    }
}

/// The product of an amender; 0 is the order's own.
fn product(amender: usize) -> String {
    format!("660e8400-e29b-41d4-a716-44665544{amender:04}")
}

fn item(amender: usize, cents: i64) -> CreateOrderItem {
    CreateOrderItem {
        product_id: product(amender),
        product_name: format!("Item {amender}"),
        quantity: 1,
        unit_price: cents as f64 / 100.0,
        currency: "USD".to_owned(),
    }
}

/// Products that somebody has.
fn stocked() -> impl Iterator<Item = String> {
    (0..=AMENDERS).filter(|n| Wish::of(*n) != Wish::OutOfStock).map(product)
}

/// A new order, paid and confirmed.
async fn paid(clients: &Clients, orders: &OrdersClient<Channel>, round: usize) -> String {
    let request = CreateOrderRequest {
        customer_id: format!("123e4567-e89b-12d3-a456-42661417{round:04}"),
        currency: "USD".to_owned(),
        items: vec![item(0, FIRST)],
    };
    let created = until_known(|| {
        let request = keyed(&format!("round {round}"), request.clone());
        let mut orders = orders.clone();
        async move { orders.create_order(request).await }
    });
    let order = created.await.unwrap().order.unwrap().id;
    until_known(|| {
        let (order_id, status) = (order.clone(), "Processing".to_owned());
        let request = keyed(&order, UpdateOrderStatusRequest { order_id, status });
        let mut orders = orders.clone();
        async move { orders.update_order_status(request).await }
    })
    .await
    .unwrap();
    clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    order
}

/// The answer to a call that is repeated with its key until it is known.
async fn until_known<T, F>(call: impl Fn() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    for _ in 0..TRIES {
        match call().await {
            Err(status) if matches!(status.code(), Code::DeadlineExceeded | Code::Aborted) => {}
            known => return known.map(Response::into_inner),
        }
    }
    panic!("not known after {TRIES} calls")
}

/// Adds the amender's item; whether it is on the order.
async fn amend(orders: OrdersClient<Channel>, order: String, amender: usize) -> bool {
    let wish = Wish::of(amender);
    let told = until_known(|| {
        let item = Some(item(amender, ADDED));
        let request = AddItemToOrderRequest { order_id: order.clone(), item };
        let mut request = keyed(&format!("{order} {amender}"), request);
        request.metadata_mut().insert("payment-method", wish.method().parse().unwrap());
        let mut orders = orders.clone();
        async move { orders.add_item_to_order(request).await }
    })
    .await;
    match told {
        Ok(answer) => {
            let order = answer.order.unwrap();
            assert_eq!(wish, Wish::Fine);
            assert!(products(&order).contains(&product(amender)), "{order:?}");
            true
        }
        Err(refused) => {
            assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
            let dead = [
                "the order was canceled before the change took effect",
                "order cannot be changed in status Cancelled",
            ];
            let why = match wish {
                Wish::Fine => None,
                Wish::OutOfStock => Some("inventory unavailable"),
                Wish::Declined => Some("payment declined"),
            };
            let why: BTreeSet<_> = dead.into_iter().chain(why).collect();
            assert!(why.contains(refused.message()), "{wish:?}: {refused}");
            false
        }
    }
}

fn products(order: &Order) -> BTreeSet<String> {
    order.items.iter().map(|item| item.product_id.clone()).collect()
}

/// Cancels through one API or the other.
async fn call_off(clients: &Clients, order: &str, round: usize) {
    let key = format!("{order} is called off");
    if round.is_multiple_of(2) {
        let told = until_known(|| {
            let (mut orders, request) = (clients.orders.clone(), keyed(&key, cancel(order)));
            async move { orders.cancel_order(request).await }
        });
        assert_eq!(told.await.unwrap().status(), OrderStatus::Canceled);
    } else {
        let told = until_known(|| {
            let (order_id, status) = (order.to_owned(), "Cancelled".to_owned());
            let request = keyed(&key, UpdateOrderStatusRequest { order_id, status });
            let mut orders = clients.editable.clone();
            async move { orders.update_order_status(request).await }
        });
        assert!(told.await.unwrap().success);
    }
}

/// Plays a round; the order, and whose items are on it. The cancellation comes when so many
/// amenders have been answered as the round has it: none in the first, all of them in some later.
async fn play(
    clients: Clients,
    orders: OrdersClient<Channel>,
    round: usize,
) -> (String, BTreeSet<String>) {
    let order = paid(&clients, &orders, round).await;
    let mut amenders = JoinSet::new();
    for amender in 1..=AMENDERS {
        let (orders, order) = (orders.clone(), order.clone());
        amenders.spawn(async move { (amender, amend(orders, order, amender).await) });
    }
    let mut on_it = BTreeSet::from([product(0)]);
    let mut note = |(amender, accepted): (usize, bool)| {
        if accepted {
            on_it.insert(product(amender));
        }
    };
    for _ in 0..round % (AMENDERS + 1) {
        note(amenders.join_next().await.unwrap().unwrap());
    }
    call_off(&clients, &order, round).await;
    amenders.join_all().await.into_iter().for_each(note);
    (order, on_it)
}

/// One end, told alike by everybody, with the money back and nothing held.
async fn ended(
    clients: &Clients,
    orders: &mut OrdersClient<Channel>,
    order: &str,
    on_it: &BTreeSet<String>,
) {
    let request = GetOrderRequest { order_id: order.to_owned() };
    let seen = orders.get_order(request).await.unwrap().into_inner().order.unwrap();
    assert_eq!((seen.status.as_str(), &products(&seen)), ("Cancelled", on_it));
    let total = FIRST + ADDED * (on_it.len() as i64 - 1);
    let v1 = clients.order(order).await.unwrap();
    let kept = v1.order.unwrap();
    assert_eq!((kept.status(), kept.amount_minor), (OrderStatus::Canceled, total));
    assert_eq!(kept.captured_minor, kept.refunded_minor, "{order}");
    // What payment took is what was accepted, and at most the one amendment that was under way.
    assert!([total, total + ADDED].contains(&kept.captured_minor), "{order}: {kept:?}");

    let payment = clients.payment(order).await.unwrap();
    assert_eq!(payment.status(), PaymentStatus::Closed, "{order}");
    assert_eq!(
        (payment.captured_minor, payment.refunded_minor),
        (kept.captured_minor, kept.refunded_minor),
        "{order}"
    );
    let taken =
        payment.captures.iter().filter(|capture| capture.state() == MovementState::Succeeded);
    let taken: i64 = taken.map(|capture| capture.amount_minor).sum();
    assert_eq!(taken, payment.captured_minor, "{order}");
    let hold = clients.reservation(order).await.unwrap();
    assert_eq!((hold.status(), hold.lines.len()), (ReservationStatus::Released, 0), "{order}");

    let mut ends = BTreeMap::<_, usize>::new();
    for entry in v1.timeline {
        *ends.entry(entry.event_type).or_default() += 1;
    }
    let count = |event: &str| ends.get(event).copied().unwrap_or_default();
    assert_eq!(count("OrderAmended"), on_it.len() - 1, "{order}: {ends:?}");
    let open = count("AmendmentRequested") - count("OrderAmended") - count("AmendmentRefused");
    assert!(open <= 1, "{order}: the cancellation ended one amendment at most: {ends:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_clients_amend_an_order_while_another_cancels_it_fifty_times() {
    let stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let orders = stack.orders().await.unwrap();
    for sku in stocked() {
        let delivery = ReceiveStockRequest { sku, qty: STOCK, note: String::new() };
        clients.inventory.clone().receive_stock(delivery).await.unwrap();
    }
    let rounds: Vec<usize> = (0..ROUNDS).collect();
    let mut all = Vec::new();
    for abreast in rounds.chunks(ABREAST) {
        let mut playing = JoinSet::new();
        for round in abreast.iter().copied() {
            playing.spawn(play(clients.clone(), orders.clone(), round));
        }
        all.extend(playing.join_all().await);
    }
    assert_eq!(all.len(), ROUNDS);
    stack.rest().await.unwrap();
    let mut amended = 0;
    for (order, on_it) in &all {
        ended(&clients, &mut orders.clone(), order, on_it).await;
        amended += on_it.len() - 1;
    }
    assert!(amended > ROUNDS, "{amended} amendments in {ROUNDS} rounds are no race");
    for sku in stocked() {
        let stock = clients.stock(&sku).await.unwrap();
        let stands = (stock.available, stock.held, stock.committed, stock.shipped);
        assert_eq!(stands, (STOCK, 0, 0, 0), "{sku}");
    }
    stack.finish().await.unwrap();
}
