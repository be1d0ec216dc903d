//! Refusals of runs that are open, of calls that wait, and of a database that is away.

use std::time::Duration;

use oms_proto::oms_v1::{GetOrderResponse, ListOrdersRequest};
use oms_service::testing::{RefusalTable, count_rows};
use tokio::task::JoinSet;
use tonic::Code;

use super::stage::{Stage, until_told};
use crate::served::{
    Refunding, cancel, complete, create, get, keyed, pay, refund, ship, watch, within,
};

const METHOD: &str = "RefundOrder";
/// The timeline's word for a refund that has begun.
const ASKED: &str = "RefundRequested";

pub(super) async fn refund_order(stage: &mut Stage) {
    let mut client = stage.client();
    let order = stage.confirmed.clone();
    stage.served.others.refund(Refunding::Wait);
    let running = keyed("running", refund(&order, Some(1)));
    // This one begins the run: it is no refusal of nothing.
    stage.table.note(METHOD, client.refund_order(running).await);
    stage.refused(METHOD, client.refund_order(keyed("running", refund(&order, Some(1))))).await;
    stage.refused(METHOD, client.refund_order(refund(&order, Some(2)))).await;
    stage.served.others.refund(Refunding::Approve);
    let back = |view: &GetOrderResponse| view.order.as_ref().unwrap().refunded_minor == 1;
    stage.served.until(&order, back).await;

    stage.served.others.refund(Refunding::Fail);
    let failed = loop {
        let answer = client.refund_order(keyed("fails", refund(&order, Some(2)))).await;
        match answer {
            // Not known in its time; the key asks again.
            Err(status) if status.code() == Code::DeadlineExceeded => {}
            Err(status) if status.code() == Code::Aborted => {}
            answer => break answer,
        }
    };
    stage.table.note(METHOD, failed);
    stage.served.others.refund(Refunding::Approve);
}

/// One order may be waited for, and one is.
pub(super) async fn too_many_wait(stage: &mut Stage) {
    stage.served.others.refund(Refunding::Wait);
    let mut calls = JoinSet::new();
    let (mut client, order) = (stage.client(), stage.confirmed.clone());
    calls.spawn(async move {
        let patient = within(Duration::from_secs(60), refund(&order, Some(3)));
        client.refund_order(patient).await
    });
    let asked = |view: &GetOrderResponse| view.timeline.last().unwrap().event_type == ASKED;
    stage.served.until(&stage.confirmed, asked).await;
    let (mut client, pending) = (stage.client(), stage.pending.clone());
    stage.refused(METHOD, client.refund_order(refund(&pending, None))).await;
    stage.served.others.refund(Refunding::Approve);
    calls.join_next().await.unwrap().unwrap().unwrap();
}

/// Everything is on its way back: a ship waits, or has no place to wait.
pub(super) async fn ship_order(stage: &mut Stage) {
    const METHOD: &str = "ShipOrder";
    let mut client = stage.client();
    let order = stage.served.confirmed(10_000).await;
    stage.served.others.refund(Refunding::Wait);
    let asked = |view: GetOrderResponse| view.timeline.last().unwrap().event_type == ASKED;
    while !asked(stage.served.view(&order).await) {
        // Not its outcome is wanted, but that it is open.
        let _ = client.refund_order(refund(&order, None)).await;
    }
    stage.refused(METHOD, client.ship_order(ship(&order))).await;
    let place = client.watch_order(watch(&stage.pending)).await.unwrap();
    stage.refused(METHOD, client.ship_order(ship(&order))).await;
    drop(place);
    stage.served.until_counted("oms_watchers 0").await;
    stage.served.others.refund(Refunding::Approve);
    until_told(&stage.served, &order, &["StockReleased"]).await;
}

pub(super) async fn database_away(mut stage: Stage) -> RefusalTable {
    let order = stage.confirmed.clone();
    let before = count_rows(&stage.served.running.database.read).await;
    stage.served.running.database.clone().close().await;
    let (mut client, table) = (stage.client(), &mut stage.table);
    table.note("CreateOrder", client.create_order(create()).await);
    table.note("GetOrder", client.get_order(get(&order)).await);
    table.note("PayOrder", client.pay_order(pay(&order)).await);
    table.note("CancelOrder", client.cancel_order(cancel(&order)).await);
    table.note(METHOD, client.refund_order(refund(&order, None)).await);
    table.note("ShipOrder", client.ship_order(ship(&order)).await);
    table.note("CompleteOrder", client.complete_order(complete(&order)).await);
    table.note("ListOrders", client.list_orders(ListOrdersRequest::default()).await);
    table.note("WatchOrder", client.watch_order(watch(&order)).await);
    let again = stage.served.reopened().await;
    assert_eq!(count_rows(&again.read).await, before);
    stage.table
}
