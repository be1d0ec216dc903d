//! The reference document's scenarios: success, cancel, partial refund.

use std::io::Write;

use oms_proto::oms_v1::{OrderStatus, ReservationStatus};

use crate::demo::{
    sightings::Sightings,
    stage::{Stage, item, short, usd},
};

const SUCCESS: [&str; 4] = ["OrderCreated", "reserved", "paid", "confirmed"];

/// Scenario 1: create, pay, confirmed; and what travelled over the topic.
pub(super) async fn successful_order<W: Write>(
    stage: &mut Stage<W>,
    sightings: &mut Sightings,
) -> anyhow::Result<()> {
    stage.transcript.scenario("A successful order: Reserve -> Pay -> Confirm")?;
    let (first, second) = (stage.stock("SKU-001").await?, stage.stock("SKU-002").await?);
    let items = vec![item("SKU-001", 2, 10_000), item("SKU-002", 1, 5_000)];
    let order = stage.create("customer-123", items, None).await?.order_id;
    stage.pay(&order, "").await?;
    stage.reaches(&order, OrderStatus::Confirmed).await?;
    stage.timeline(&order, &SUCCESS).await?;
    stage.stock_moved(&first, -2, 2).await?;
    stage.stock_moved(&second, -1, 1).await?;
    stage.reservation(&order, ReservationStatus::Committed).await?;
    stage.money(&order, 25_000, 0).await?;
    let seen = sightings.of(&order, 5).await?;
    stage.note("on oms.saga.events:")?;
    for event in &seen {
        stage.note(format_args!("  {:<28} by {}", event.event_type, event.source))?;
    }
    let story: Vec<&str> =
        seen.iter().filter_map(|event| event.event_type.split('.').nth(2)).collect();
    let expected = "created, submitted, reserved, captured, confirmed";
    stage.transcript.expect_eq("the topic tells", story.join(", "), expected.to_owned())
}

/// Scenario 2: a confirmed order is cancelled; goods and money go back.
pub(super) async fn canceled_afterwards<W: Write>(stage: &mut Stage<W>) -> anyhow::Result<()> {
    stage.transcript.scenario("Cancelled after it was confirmed: everything goes back")?;
    let before = stage.stock("SKU-002").await?;
    let order = stage.create("customer-456", vec![item("SKU-002", 2, 5_000)], None).await?.order_id;
    stage.pay(&order, "").await?;
    stage.reaches(&order, OrderStatus::Confirmed).await?;
    stage.cancel(&order, "Customer changed mind").await?;
    stage.money(&order, 10_000, 10_000).await?;
    stage.stock_moved(&before, 0, 0).await?;
    stage.reservation(&order, ReservationStatus::Released).await
}

/// Scenario 3: part of the money goes back, the order keeps its goods.
pub(super) async fn refunded_in_part<W: Write>(stage: &mut Stage<W>) -> anyhow::Result<()> {
    stage.transcript.scenario("A partial refund")?;
    let before = stage.stock("SKU-003").await?;
    let order = stage.create("customer-789", vec![item("SKU-003", 5, 5_000)], None).await?.order_id;
    stage.pay(&order, "").await?;
    stage.reaches(&order, OrderStatus::Confirmed).await?;
    let refund = stage.refund(&order, Some(10_000), "2 items damaged").await?;
    let (given, status) = (usd(refund.refunded_amount), short(refund.status()));
    stage.transcript.expect_eq("RefundOrder gave back", given, usd(10_000))?;
    stage.transcript.expect_eq("and shows", status, "REFUNDED")?;
    stage.money(&order, 25_000, 10_000).await?;
    stage.stock_moved(&before, -5, 5).await?;
    let seen = stage.look(&order).await?.order.unwrap_or_default();
    let lifecycle = short(seen.lifecycle_status());
    stage.transcript.expect_eq("the lifecycle goes on from", lifecycle, "CONFIRMED")
}
