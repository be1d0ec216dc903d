//! Retries: the same call again is not a second purchase.

use std::io::Write;

use oms_proto::oms_v1::OrderStatus;

use crate::demo::stage::{Stage, item};

/// The same parameters give the same order; an idempotency key does so for ever.
pub(super) async fn same_parameters<W: Write>(stage: &mut Stage<W>) -> anyhow::Result<()> {
    stage.transcript.scenario("A retry with the same parameters is the same order")?;
    let items = || vec![item("SKU-007", 1, 3_000)];
    let first = stage.create("customer-321", items(), None).await?.order_id;
    let again = stage.create("customer-321", items(), None).await?.order_id;
    stage.transcript.expect("without a key: the same order", first == again)?;
    stage.pay(&first, "").await?;
    stage.reaches(&first, OrderStatus::Confirmed).await?;
    let later = stage.create("customer-321", items(), None).await?.order_id;
    stage.transcript.expect("once it is paid: a new purchase", later != first)?;

    let keyed = stage.create("customer-321", items(), Some("demo-key-1")).await?;
    let replay = stage.create("customer-321", items(), Some("demo-key-1")).await?;
    stage.transcript.expect("with a key: the same answer", keyed == replay)?;
    stage.transcript.expect("and an order of its own", keyed.order_id != later)
}
