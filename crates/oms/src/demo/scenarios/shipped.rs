//! The way on from CONFIRMED: the goods leave, the order is closed, and money may still go back.

use std::{io::Write, time::Duration};

use oms_proto::oms_v1::{
    CompleteOrderRequest, OrderStatus, ReservationStatus, ShipOrderRequest, Stock,
};

use crate::demo::stage::{Stage, item, short, usd};

const STORY: [&str; 6] = ["OrderCreated", "reserved", "paid", "confirmed", "shipped", "completed"];

/// How long the scenario waits for inventory before it calls an expectation broken.
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Shipped, completed, and refunded in full afterwards: the goods stay away.
pub(super) async fn shipped_and_completed<W: Write>(stage: &mut Stage<W>) -> anyhow::Result<()> {
    stage.transcript.scenario("Shipped and completed; refunded afterwards, the goods stay away")?;
    let before = stage.stock("SKU-008").await?;
    let order = stage.create("customer-654", vec![item("SKU-008", 4, 2_500)], None).await?.order_id;
    stage.pay(&order, "").await?;
    stage.reaches(&order, OrderStatus::Confirmed).await?;
    stage.stock_moved(&before, -4, 4).await?;
    ship(stage, &order).await?;
    left(stage, &before, 4).await?;
    stage.reservation(&order, ReservationStatus::Shipped).await?;
    cancel_refused(stage, &order).await?;
    complete(stage, &order).await?;
    stage.timeline(&order, &STORY).await?;
    let refund = stage.refund(&order, None, "Never arrived").await?;
    let given = usd(refund.refunded_amount);
    stage.transcript.expect_eq("RefundOrder gave back", given, usd(10_000))?;
    stage.money(&order, 10_000, 10_000).await?;
    left(stage, &before, 4).await
}

async fn ship<W: Write>(stage: &mut Stage<W>, order: &str) -> anyhow::Result<()> {
    let request = ShipOrderRequest { order_id: order.into(), expected_version: None };
    let status = stage.clients.orders.ship_order(request).await?.into_inner().status();
    stage.transcript.call("ShipOrder", "the goods leave")?;
    stage.transcript.expect_eq("ShipOrder answers", short(status), "SHIPPED")
}

async fn complete<W: Write>(stage: &mut Stage<W>, order: &str) -> anyhow::Result<()> {
    let request = CompleteOrderRequest { order_id: order.into(), expected_version: None };
    let status = stage.clients.orders.complete_order(request).await?.into_inner().status();
    stage.transcript.call("CompleteOrder", "delivered")?;
    stage.transcript.expect_eq("CompleteOrder answers", short(status), "COMPLETED")
}

/// Expects that it is too late to cancel.
async fn cancel_refused<W: Write>(stage: &mut Stage<W>, order: &str) -> anyhow::Result<()> {
    let request = oms_proto::oms_v1::CancelOrderRequest {
        order_id: order.into(),
        reason: "Too late".into(),
        expected_version: None,
    };
    let got = match stage.clients.orders.cancel_order(request).await {
        Ok(answer) => format!("OK {}", short(answer.into_inner().status())),
        Err(refusal) => format!("{:?} {:?}", refusal.code(), refusal.message()),
    };
    stage.transcript.call("CancelOrder", "\"Too late\"")?;
    let expected = r#"FailedPrecondition "order cannot be canceled in status shipped""#;
    stage.transcript.expect_eq("CancelOrder answers", got, expected.to_owned())
}

/// Expects so many units to have left since `before`, once inventory has booked them out.
async fn left<W: Write>(stage: &mut Stage<W>, before: &Stock, units: i64) -> anyhow::Result<()> {
    let moved = |now: &Stock| {
        let reserved = now.held + now.committed - before.held - before.committed;
        (now.available - before.available, reserved, now.shipped - before.shipped)
    };
    let patience = tokio::time::Instant::now() + PATIENCE;
    let mut now = stage.stock(&before.sku).await?;
    while moved(&now) != (-units, 0, units) && tokio::time::Instant::now() < patience {
        tokio::time::sleep(LOOK_AGAIN).await;
        now = stage.stock(&before.sku).await?;
    }
    let text = |(a, r, s)| format!("available {a:+}, held or committed {r:+}, shipped {s:+}");
    let what = format!("stock of {}", before.sku);
    stage.transcript.expect_eq(what, text(moved(&now)), text((-units, 0, units)))
}
