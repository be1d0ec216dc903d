//! The runs of the saga, and what the trace of each must hold.

use std::time::Duration;

use anyhow::{Context, ensure};
use oms_proto::oms_v1::{OrderStatus, PaymentStatus};
use oms_testkit::{
    Clients, eventually,
    requests::{cancel, item, pay},
};
use tonic::Response;

use super::{Shape, Source, Tree};

const PAYS: &str = "oms.v1.OrderService/PayOrder";
const CANCELS: &str = "oms.v1.OrderService/CancelOrder";
/// How long an order may take to get where a test wants it.
const THERE_WITHIN: Duration = Duration::from_secs(60);

/// Paid, and confirmed.
pub const PAID: Shape = Shape {
    root: PAYS,
    command: "PayOrder",
    events: &["order.submitted", "inventory.reserved", "payment.captured", "order.confirmed"],
    gateway: &["capture"],
};

/// The card was declined, and everything went back.
pub const DECLINED: Shape = Shape {
    root: PAYS,
    command: "PayOrder",
    events: &[
        "order.submitted",
        "inventory.reserved",
        "payment.declined",
        "order.canceled",
        "inventory.released",
        "payment.closed",
    ],
    gateway: &["capture"],
};

/// Cancelled while the gateway had the card: what was begun is told to its end …
pub const CANCELLED_PAYING: Shape = Shape {
    root: PAYS,
    command: "PayOrder",
    events: &["order.submitted", "inventory.reserved", "payment.captured"],
    gateway: &["capture"],
};

/// … and what follows from the cancellation belongs to it.
pub const CANCELLED_CANCELING: Shape = Shape {
    root: CANCELS,
    command: "CancelOrder",
    events: &["order.canceled", "inventory.released", "payment.refunded", "payment.closed"],
    gateway: &["refund"],
};

/// An order that was paid for, and the trace of that.
#[derive(Clone, Debug)]
pub struct Bought {
    /// The order.
    pub order: String,
    /// The trace of its payment.
    pub trace: String,
}

/// What a call's answer names as its trace.
///
/// # Errors
/// When it names none.
pub fn trace_of<T>(answer: &Response<T>) -> anyhow::Result<String> {
    let trace = answer.metadata().get("x-trace-id").context("no x-trace-id")?.to_str()?;
    ensure!(trace.len() == 32, "{trace:?} is no trace id");
    Ok(trace.to_owned())
}

/// Creates an order and pays with this card; the saga goes on.
///
/// # Errors
/// The calls'.
pub async fn buy(clients: &Clients, customer: &str, method: &str) -> anyhow::Result<Bought> {
    let order = clients.create(customer, vec![item("SKU-001", 1, 100)]).await?;
    let answer = clients.orders.clone().pay_order(pay(&order, method)).await?;
    Ok(Bought { trace: trace_of(&answer)?, order })
}

/// A paid order is one trace in causal order.
///
/// # Errors
/// What is not so.
pub async fn paid(clients: &Clients, spans: Source<'_>) -> anyhow::Result<Tree> {
    let bought = buy(clients, "see-paid", "").await?;
    confirmed(clients, spans, &bought).await
}

/// An order that was bought is confirmed, and was that in one trace.
///
/// # Errors
/// What is not so.
pub async fn confirmed(
    clients: &Clients,
    spans: Source<'_>,
    bought: &Bought,
) -> anyhow::Result<Tree> {
    let seen = clients.reaches(&bought.order, OrderStatus::Confirmed).await?;
    let (of_order, trace) = (seen.order.unwrap_or_default().trace_id, &bought.trace);
    ensure!(of_order == *trace, "the order says {of_order}, its payment {trace}");
    let run: Vec<_> = seen.timeline.iter().skip(1).map(|entry| &entry.trace_id).collect();
    ensure!(run == [trace; 3], "the timeline says {run:?}, its payment {trace}");
    let tree = spans.whole(trace, &PAID).await?;
    let road = tree.road_to("order.confirmed")?;
    ensure!(road == ROAD, "{road:#?}");
    Ok(tree)
}

/// From the call to the confirmation.
const ROAD: [&str; 17] = [
    "order: oms.v1.OrderService/PayOrder",
    "order: PayOrder",
    "order: create order.submitted",
    "order: send order.submitted",
    "inventory: process order.submitted",
    "inventory: react order.submitted",
    "inventory: create inventory.reserved",
    "inventory: send inventory.reserved",
    "payment: process inventory.reserved",
    "payment: react inventory.reserved",
    "payment: gateway capture",
    "payment: record capture",
    "payment: create payment.captured",
    "payment: send payment.captured",
    "order: process payment.captured",
    "order: react payment.captured",
    "order: create order.confirmed",
];

/// A declined order is one trace until the stock is back.
///
/// # Errors
/// What is not so.
pub async fn declined(clients: &Clients, spans: Source<'_>) -> anyhow::Result<Tree> {
    let bought = buy(clients, "see-declined", "pm_card_declined").await?;
    clients.reaches(&bought.order, OrderStatus::Canceled).await?;
    let tree = spans.whole(&bought.trace, &DECLINED).await?;
    let road = tree.road_to("inventory.released")?;
    for turn in ["payment: create payment.declined", "inventory: react order.canceled"] {
        ensure!(road.iter().any(|step| step == turn), "{turn}: {road:#?}");
    }
    Ok(tree)
}

/// A cancellation while the gateway has the card is a trace of its own, with a link to the
/// payment's.
///
/// # Errors
/// What is not so.
pub async fn cancelled(clients: &Clients, spans: Source<'_>) -> anyhow::Result<[Tree; 2]> {
    let bought = buy(clients, "see-cancelled", "pm_card_slow").await?;
    at_the_gateway(clients, &bought.order).await?;
    let answer = clients.orders.clone().cancel_order(cancel(&bought.order)).await?;
    let canceling = trace_of(&answer)?;
    ensure!(canceling != bought.trace, "the cancellation is in the payment's trace");
    clients.reaches(&bought.order, OrderStatus::Canceled).await?;
    let paying = spans.whole(&bought.trace, &CANCELLED_PAYING).await?;
    let tree = spans.whole(&canceling, &CANCELLED_CANCELING).await?;
    let command = tree.named("CancelOrder");
    let linked = command.iter().any(|span| span.links.contains(&bought.trace));
    ensure!(linked, "no link to {}: {command:#?}", bought.trace);
    Ok([paying, tree])
}

/// Waits until the capture is due at the gateway: no cancellation takes that back. A slow card
/// leaves seconds then.
async fn at_the_gateway(clients: &Clients, order: &str) -> anyhow::Result<()> {
    eventually(THERE_WITHIN, || async {
        let seen = clients.order(order).await?.order.unwrap_or_default();
        // Payment may not have heard of it yet.
        let payment = clients.payment(order).await.map(|payment| payment.status());
        let there = seen.status() == OrderStatus::Reserved
            && matches!(payment, Ok(PaymentStatus::Processing));
        Ok(if there { Ok(()) } else { Err(format!("{:?}, {payment:?}", seen.status())) })
    })
    .await
}
