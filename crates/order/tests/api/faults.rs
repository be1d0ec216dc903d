//! A crash before or after a command's commit.

use oms_proto::oms_v1::OrderStatus;
use tokio::task::JoinSet;

use crate::served::{Served, create, is_replay, keyed, pay};

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_commit_leaves_nothing_and_the_key_is_free() {
    let served = Served::start().await;
    let before = served.rows().await;
    served.crash.arm("command.before_commit");
    let mut calls = JoinSet::new();
    let mut client = served.client.clone();
    calls.spawn(async move { client.create_order(keyed("k", create())).await });
    served.crash.happened().await;
    let served = served.restart().await;
    assert_eq!(served.rows().await, before);
    let response = served.client.clone().create_order(keyed("k", create())).await.unwrap();
    assert!(!is_replay(response.metadata()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_commit_is_answered_by_the_key() {
    let served = Served::start().await;
    served.crash.arm("command.after_commit");
    let mut calls = JoinSet::new();
    let mut client = served.client.clone();
    calls.spawn(async move { client.create_order(keyed("k", create())).await });
    served.crash.happened().await;
    let served = served.restart().await;
    assert_eq!(served.orders().await, 1);
    let response = served.client.clone().create_order(keyed("k", create())).await.unwrap();
    assert!(is_replay(response.metadata()));
    let order = response.into_inner().order_id;
    assert_eq!(served.view(&order).await.order.unwrap().id, order);
    assert_eq!(served.orders().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_after_a_restart() {
    let served = Served::start().await;
    let order = served.created(500).await;
    served.crash.arm("command.after_commit");
    let mut calls = JoinSet::new();
    let (mut client, request) = (served.client.clone(), pay(&order));
    calls.spawn(async move { client.pay_order(request).await });
    served.crash.happened().await;
    let served = served.restart().await;
    served.reaches(&order, OrderStatus::Confirmed).await;
}
