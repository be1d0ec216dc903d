//! A call whose time ends while it waits behind an equal one.

use std::time::Duration;

use oms_service::testing::{Backend, backends};
use prost::Message;
use tokio::task::JoinSet;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::served::{
    Served, cancel, complete, create, create_for, each_backend, keyed, pay, refund, ship, within,
};

const SHORT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(60);

const METHODS: [&str; 6] =
    ["CreateOrder", "PayOrder", "CancelOrder", "RefundOrder", "ShipOrder", "CompleteOrder"];

/// An order that allows the method.
async fn order_for(served: &Served, method: &str) -> String {
    match method {
        "CreateOrder" | "PayOrder" | "CancelOrder" => served.created(10_000).await,
        "RefundOrder" | "ShipOrder" => served.confirmed(10_000).await,
        _ => {
            let order = served.confirmed(10_000).await;
            served.client.clone().ship_order(ship(&order)).await.unwrap();
            served.until_rest(&order).await;
            order
        }
    }
}

fn so<T>(time: Duration, message: T) -> Request<T> {
    within(time, keyed("one", message))
}

/// Calls the method with the one key; the answer's bytes.
async fn call(
    served: &Served,
    method: &str,
    order: &str,
    time: Duration,
) -> Result<Vec<u8>, Status> {
    fn bytes<M: Message>(answer: &tonic::Response<M>) -> Vec<u8> {
        answer.get_ref().encode_to_vec()
    }
    let mut client = served.client.clone();
    match method {
        "CreateOrder" => client.create_order(so(time, create())).await.map(|a| bytes(&a)),
        "PayOrder" => client.pay_order(so(time, pay(order))).await.map(|a| bytes(&a)),
        "CancelOrder" => client.cancel_order(so(time, cancel(order))).await.map(|a| bytes(&a)),
        "RefundOrder" => {
            client.refund_order(so(time, refund(order, None))).await.map(|a| bytes(&a))
        }
        "ShipOrder" => client.ship_order(so(time, ship(order))).await.map(|a| bytes(&a)),
        "CompleteOrder" => {
            client.complete_order(so(time, complete(order))).await.map(|a| bytes(&a))
        }
        other => panic!("no method {other}"),
    }
}

/// A machine that is busy may answer after the caller's time, which tells nothing: asks again then.
async fn in_time<T>(mut call: impl AsyncFnMut() -> Result<T, Status>) -> Status {
    loop {
        match call().await {
            Err(late) if matches!(late.code(), Code::DeadlineExceeded | Code::Cancelled) => {}
            Err(status) => return status,
            Ok(_) => panic!("the first call has not ended"),
        }
    }
}

fn is_running(method: &str, status: &Status) {
    assert_eq!(status.code(), Code::Aborted, "{method}: {status}");
    let details = status.get_error_details();
    let reason = &details.error_info().unwrap().reason;
    assert_eq!(reason, "IDEMPOTENCY_KEY_RUNNING", "{method}");
    assert!(details.retry_info().is_some(), "{method}");
}

/// The first call of `one` hangs before its commit; `two` asks meanwhile.
async fn behind(method: &str, served: Served, beside: bool) {
    let order = order_for(&served, method).await;
    let asked = if beside { Some(served.beside().await) } else { None };
    let rows = served.rows().await;
    served.crash.arm("command.before_commit");
    let mut first = JoinSet::new();
    let (mut client, of) = (served.client.clone(), order.clone());
    let name = method.to_owned();
    first.spawn(async move {
        // Its answer never comes: the instance dies.
        let _ = match name.as_str() {
            "CreateOrder" => client.create_order(so(LONG, create())).await.map(drop),
            "PayOrder" => client.pay_order(so(LONG, pay(&of))).await.map(drop),
            "CancelOrder" => client.cancel_order(so(LONG, cancel(&of))).await.map(drop),
            "RefundOrder" => client.refund_order(so(LONG, refund(&of, None))).await.map(drop),
            "ShipOrder" => client.ship_order(so(LONG, ship(&of))).await.map(drop),
            _ => client.complete_order(so(LONG, complete(&of))).await.map(drop),
        };
    });
    served.crash.happened().await;
    let at = asked.as_ref().unwrap_or(&served);
    let told = in_time(async || call(at, method, &order, SHORT).await).await;
    is_running(method, &told);
    // Nor is it known yet that another wish conflicts.
    let other = || so(SHORT, create_for("somebody", 1));
    let told = in_time(async || at.client.clone().create_order(other()).await).await;
    is_running(method, &told);
    assert_eq!(served.rows().await, rows, "{method}: nothing was done");
    if method == "RefundOrder" {
        // The others of these tests forget with a restart what they took.
        return;
    }
    // With the first call's end the key is free.
    let served = served.restart().await;
    call(&served, method, &order, LONG).await.expect(method);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_behind_an_equal_call_until_its_deadline_is_told_that_the_key_runs() {
    for backend in each_backend() {
        for method in METHODS {
            behind(method, Served::start_with(&backend, |_| {}).await, false).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_is_whoever_waits_behind_an_equal_call_of_another_instance() {
    // On SQLite another instance waits for the one writer, and cannot know for whom.
    for backend in backends().into_iter().filter(|backend| *backend != Backend::Sqlite) {
        for method in METHODS {
            behind(method, Served::start_with(&backend, |_| {}).await, true).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_a_deadline_waits_as_long_as_the_setting_says() {
    let change = |config: &mut oms_order::OrderConfig| config.order.call_wait_ms = 100;
    let served = Served::start_with(&Backend::Sqlite, change).await;
    served.crash.arm("command.before_commit");
    let mut first = JoinSet::new();
    let mut client = served.client.clone();
    first.spawn(async move { client.create_order(keyed("one", create())).await });
    served.crash.happened().await;
    let told = served.client.clone().create_order(keyed("one", create())).await.unwrap_err();
    is_running("CreateOrder", &told);
}
