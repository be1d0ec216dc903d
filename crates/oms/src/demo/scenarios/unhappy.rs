//! What may go wrong in a run, and how the system puts it right.

use std::io::Write;

use oms_proto::oms_v1::{OrderStatus, ReservationStatus};
use tonic::Code;

use crate::demo::stage::{Stage, item};

/// Inventory cannot hold the lines: cancelled, nothing was captured.
pub(super) async fn out_of_stock<W: Write>(stage: &mut Stage<W>) -> anyhow::Result<()> {
    stage.transcript.scenario("Out of stock: one line is missing, none is held")?;
    let before = stage.stock("SKU-004").await?;
    let items = vec![item("SKU-004", 1, 1_000), item("SKU-OUT-OF-STOCK", 1, 1_000)];
    let order = stage.create("customer-123", items, None).await?.order_id;
    stage.pay(&order, "").await?;
    let seen = stage.reaches(&order, OrderStatus::Canceled).await?;
    stage.reason(&seen.order.unwrap_or_default(), "inventory_unavailable")?;
    stage.money(&order, 0, 0).await?;
    stage.stock_moved(&before, 0, 0).await?;
    stage.pay_refused(&order, Code::ResourceExhausted, "inventory unavailable").await
}

/// The card is declined: cancelled, the stock is back.
pub(super) async fn declined<W: Write>(stage: &mut Stage<W>) -> anyhow::Result<()> {
    stage.transcript.scenario("Payment declined: the reservation is released")?;
    let before = stage.stock("SKU-005").await?;
    let order = stage.create("declined-customer", vec![item("SKU-005", 3, 2_000)], None).await?;
    let order = order.order_id;
    stage.pay(&order, "").await?;
    let seen = stage.reaches(&order, OrderStatus::Canceled).await?;
    stage.reason(&seen.order.unwrap_or_default(), "payment_declined")?;
    stage.stock_moved(&before, 0, 0).await?;
    stage.reservation(&order, ReservationStatus::Released).await?;
    stage.money(&order, 0, 0).await?;
    stage.pay_refused(&order, Code::FailedPrecondition, "payment declined").await
}

/// Cancelled while the gateway is busy with the card: the late capture is given back.
pub(super) async fn canceled_during_the_run<W: Write>(stage: &mut Stage<W>) -> anyhow::Result<()> {
    stage.transcript.scenario("Cancelled while the card is being charged: the money comes back")?;
    let before = stage.stock("SKU-006").await?;
    let order = stage.create("customer-456", vec![item("SKU-006", 1, 4_000)], None).await?.order_id;
    stage.pay(&order, "pm_card_slow").await?;
    stage.reaches(&order, OrderStatus::Reserved).await?;
    stage.cancel(&order, "Found it cheaper").await?;
    stage.note("the gateway still has the card in its hands …")?;
    stage.money(&order, 4_000, 4_000).await?;
    stage.stock_moved(&before, 0, 0).await?;
    stage.reservation(&order, ReservationStatus::Released).await?;
    let seen = stage.reaches(&order, OrderStatus::Canceled).await?;
    stage.reason(&seen.order.unwrap_or_default(), "customer")
}
