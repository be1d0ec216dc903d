//! Idempotency keys: one effect, one answer (I7).

use oms_order::OrderConfig;
use oms_proto::oms_v1::{CreateOrderResponse, OrderStatus, RefundOrderRequest};
use oms_service::testing::Backend;
use tonic::Code;

use crate::served::{
    Paying, Refunding, Served, cancel, create, create_for, each_backend, is_replay, keyed, pay,
    refund,
};

const CALLS: usize = 200;

/// The last of so many calls has its turn only after all the others.
fn patient(config: &mut OrderConfig) {
    config.order.call_wait_ms = 60_000;
}

async fn at_once(backend: &Backend) {
    let served = Served::start_with(backend, patient).await;
    let calls: Vec<_> = (0..CALLS)
        .map(|_| {
            let mut client = served.client.clone();
            async move {
                let response = loop {
                    match client.create_order(keyed("one", create())).await {
                        Ok(response) => break response,
                        // They all want one lock: who had no turn in time is told to come again.
                        Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
                    }
                };
                (is_replay(response.metadata()), response.into_inner())
            }
        })
        .collect();
    let answers: Vec<(bool, CreateOrderResponse)> = futures_of(calls).await;
    assert_eq!(answers.len(), CALLS);
    assert!(answers.iter().all(|(_, answer)| *answer == answers[0].1));
    assert_eq!(answers.iter().filter(|(replayed, _)| !replayed).count(), 1);
    assert_eq!(served.orders().await, 1);
    let line = format!("oms_idempotency_replays_total {}", CALLS - 1);
    assert!(served.counts(&line).await);
}

/// All at once, each in a task of its own.
async fn futures_of<T: Send + 'static>(
    calls: Vec<impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut tasks = tokio::task::JoinSet::new();
    for call in calls {
        tasks.spawn(call);
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_creations_with_one_key_make_one_order_and_equal_answers() {
    for backend in each_backend() {
        at_once(&backend).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_another_order_also_with_the_same_parameters() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let mut ids = Vec::new();
    for key in ["a", "b", "a"] {
        ids.push(client.create_order(keyed(key, create())).await.unwrap().into_inner().order_id);
    }
    // Nor does a key meet a call without one.
    ids.push(client.create_order(create()).await.unwrap().into_inner().order_id);
    assert_eq!(ids[0], ids[2]);
    assert!(ids[0] != ids[1] && ids[0] != ids[3] && ids[1] != ids[3]);
    assert_eq!(served.orders().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_for_one_method_and_one_body() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let mut client = served.client.clone();
        let order = client.create_order(keyed("k", create())).await.unwrap().into_inner().order_id;
        let before = served.rows().await;
        let conflicts = [
            client.create_order(keyed("k", create_for("somebody", 1))).await.map(drop),
            client.pay_order(keyed("k", pay(&order))).await.map(drop),
            client.cancel_order(keyed("k", cancel(&order))).await.map(drop),
            client.refund_order(keyed("k", refund(&order, None))).await.map(drop),
        ];
        for conflict in conflicts {
            let status = conflict.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument);
            assert_eq!(status.message(), "idempotency-key was used for another request");
        }
        assert_eq!(served.rows().await, before);
        assert_eq!(served.view(&order).await.order.unwrap().status(), OrderStatus::Pending);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_gives_the_first_answer_whatever_became_of_the_order() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let mut client = served.client.clone();
        let order = served.created(10_000).await;
        let first = client.pay_order(keyed("pay", pay(&order))).await.unwrap();
        assert!(!is_replay(first.metadata()));
        served.reaches(&order, OrderStatus::Confirmed).await;
        let again = client.pay_order(keyed("pay", pay(&order))).await.unwrap();
        assert!(is_replay(again.metadata()));
        assert_eq!(again.into_inner(), first.into_inner());

        let first = client.refund_order(keyed("part", refund(&order, Some(4_000)))).await.unwrap();
        assert!(!is_replay(first.metadata()));
        assert_eq!(first.get_ref().refunded_amount, 4_000);
        let canceled = client.cancel_order(keyed("cancel", cancel(&order))).await.unwrap();
        let again = client.refund_order(keyed("part", refund(&order, Some(4_000)))).await.unwrap();
        assert!(is_replay(again.metadata()));
        assert_eq!(again.into_inner(), first.into_inner());
        let again = client.cancel_order(keyed("cancel", cancel(&order))).await.unwrap();
        assert!(is_replay(again.metadata()));
        assert_eq!(again.into_inner(), canceled.into_inner());
        assert!(served.counts("oms_idempotency_replays_total 3").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_did_nothing_is_not_remembered() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let order = served.created(10_000).await;
    let early = client.refund_order(keyed("r", refund(&order, None))).await.unwrap_err();
    assert_eq!(early.message(), "order is not eligible for refund");
    client.pay_order(pay(&order)).await.unwrap();
    served.reaches(&order, OrderStatus::Confirmed).await;
    let response = client.refund_order(keyed("r", refund(&order, None))).await.unwrap();
    assert!(!is_replay(response.metadata()));
    assert_eq!(response.get_ref().refunded_amount, 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refusal_of_a_refund_that_was_started_is_remembered() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let mut client = served.client.clone();
        let order = served.confirmed(10_000).await;
        served.others.refund(Refunding::Fail);
        let request = RefundOrderRequest { reason: "torn".to_owned(), ..refund(&order, None) };
        for replayed in [false, true] {
            let status = client.refund_order(keyed("r", request.clone())).await.unwrap_err();
            assert_eq!(status.code(), Code::FailedPrecondition);
            assert_eq!(status.message(), "refund failed");
            assert_eq!(is_replay(status.metadata()), replayed);
            served.others.refund(Refunding::Approve);
        }
        // Without the key it is a new wish.
        client.refund_order(request).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_payments_with_one_key_start_one_run() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    served.others.pay(Paying::Wait);
    let order = served.created(500).await;
    let calls = (0..50)
        .map(|_| {
            let (mut client, order) = (served.client.clone(), order.clone());
            async move { client.pay_order(keyed("p", pay(&order))).await.unwrap().into_inner() }
        })
        .collect();
    let answers = futures_of(calls).await;
    assert!(answers.iter().all(|answer| answer.status() == OrderStatus::Pending));
    assert!(served.counts("oms_saga_started_total 1").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_no_key_is_refused() {
    let served = Served::start().await;
    let before = served.rows().await;
    for key in [String::new(), "k".repeat(256)] {
        let status = served.client.clone().create_order(keyed(&key, create())).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    }
    assert_eq!(served.rows().await, before);
}
