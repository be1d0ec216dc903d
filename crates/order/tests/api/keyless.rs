//! CreateOrder without a key: the same parameters soon after are a retry.

use oms_order::forgetting::Forgetting;
use oms_proto::oms_v1::{CreateOrderRequest, OrderStatus};
use tokio::task::JoinSet;
use tonic::Code;

use crate::served::{Served, cancel, create, create_for, each_backend, item, pay};

async fn id_of(served: &Served, request: CreateOrderRequest) -> String {
    served.client.clone().create_order(request).await.unwrap().into_inner().order_id
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_retries_make_one_order() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let mut calls = JoinSet::new();
        for _ in 0..50 {
            let mut client = served.client.clone();
            calls.spawn(async move {
                loop {
                    match client.create_order(create()).await {
                        Ok(answer) => break answer.into_inner(),
                        // They all want one lock: who had no turn in time is told to come again.
                        Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
                    }
                }
            });
        }
        let answers = calls.join_all().await;
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(served.orders().await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_parameters_are_another_order() {
    let served = Served::start().await;
    let mut two = create();
    two.items.push(item("SKU-002", 1, 10_000));
    let mut turned = two.clone();
    turned.items.reverse();
    let first = id_of(&served, create()).await;
    let others =
        [create_for("customer-123", 9_999), create_for("customer-124", 10_000), two, turned];
    for other in others {
        assert_ne!(id_of(&served, other).await, first);
    }
    assert_eq!(served.orders().await, 5);
    assert_eq!(id_of(&served, create()).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn once_paid_or_cancelled_the_same_parameters_are_a_new_purchase() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let mut client = served.client.clone();
        let first = id_of(&served, create()).await;
        client.pay_order(pay(&first)).await.unwrap();
        let second = id_of(&served, create()).await;
        assert_ne!(first, second);
        assert_eq!(id_of(&served, create()).await, second);
        client.cancel_order(cancel(&second)).await.unwrap();
        assert_ne!(id_of(&served, create()).await, second);
        served.reaches(&first, OrderStatus::Confirmed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_window_the_same_parameters_are_a_new_purchase() {
    let served = Served::start().await;
    let first = id_of(&served, create()).await;
    served.clock.forward(599);
    assert_eq!(id_of(&served, create()).await, first);
    served.clock.forward(2);
    let second = id_of(&served, create()).await;
    assert_ne!(first, second);
    assert_eq!(id_of(&served, create()).await, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_are_forgotten_after_the_window_and_not_before() {
    let served = Served::start().await;
    id_of(&served, create()).await;
    let mut forgetting = Forgetting::new(served.context());
    assert_eq!(forgetting.step().await.unwrap(), 0);
    served.clock.forward(601);
    assert_eq!(forgetting.step().await.unwrap(), 1);
    assert_eq!(forgetting.step().await.unwrap(), 0);
}
