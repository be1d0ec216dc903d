//! Refusals of runs that are open, of calls that wait, and of a database that is away.

use std::time::Duration;

use oms_service::testing::{RefusalTable, count_rows};
use tokio::task::JoinSet;
use tonic::Code;

use super::stage::Stage;
use crate::served::{Refunding, cancel, create, get, keyed, pay, refund, within};

const METHOD: &str = "RefundOrder";

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
    let back = |view: &oms_proto::oms_v1::GetOrderResponse| {
        view.order.as_ref().unwrap().refunded_minor == 1
    };
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
    let asked = |view: &oms_proto::oms_v1::GetOrderResponse| {
        view.timeline.last().unwrap().event_type == "RefundRequested"
    };
    stage.served.until(&stage.confirmed, asked).await;
    let (mut client, pending) = (stage.client(), stage.pending.clone());
    stage.refused(METHOD, client.refund_order(refund(&pending, None))).await;
    stage.served.others.refund(Refunding::Approve);
    calls.join_next().await.unwrap().unwrap().unwrap();
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
    let again = stage.served.reopened().await;
    assert_eq!(count_rows(&again.read).await, before);
    stage.table
}
