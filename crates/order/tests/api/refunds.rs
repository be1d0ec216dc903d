//! RefundOrder waits for its outcome, and for its turn.

use std::time::Duration;

use oms_order::{
    OrderConfig,
    commands::{CommandError, Keyed, Patience, RefundOrder, refund_order},
};
use oms_proto::oms_v1::{GetOrderResponse, OrderStatus};
use oms_service::{idempotency::IdempotencyKey, testing::Backend};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_types::StatusExt;

use crate::served::{Refunding, Served, cancel, each_backend, is_replay, keyed, refund, within};

const LONG: Duration = Duration::from_secs(20);

/// A caller that names no time is answered so soon, however busy the machine is.
fn impatient(config: &mut OrderConfig) {
    config.order.call_wait_ms = 50;
}

fn asked(view: &GetOrderResponse) -> bool {
    view.timeline.iter().any(|entry| entry.event_type == "RefundRequested")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_amount_everything_that_is_left_goes_back() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let mut client = served.client.clone();
        let order = served.confirmed(10_000).await;
        let part = client.refund_order(refund(&order, Some(3_000))).await.unwrap().into_inner();
        assert_eq!((part.status(), part.refunded_amount), (OrderStatus::Refunded, 3_000));
        let rest = client.refund_order(refund(&order, None)).await.unwrap().into_inner();
        assert_eq!((rest.status(), rest.refunded_amount), (OrderStatus::Refunded, 7_000));
        let view = served.view(&order).await.order.unwrap();
        assert_eq!(view.lifecycle_status(), OrderStatus::Refunded);
        assert_eq!(view.refunded_minor, 10_000);
        assert!(served.counts("oms_refunds_total{outcome=\"succeeded\"} 2").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_refunds_of_700_on_10_000_exactly_fourteen_succeed() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let order = served.confirmed(10_000).await;
        let mut calls = JoinSet::new();
        for _ in 0..50 {
            let (mut client, order) = (served.client.clone(), order.clone());
            calls.spawn(async move {
                client.refund_order(within(LONG, refund(&order, Some(700)))).await
            });
        }
        let (given, refused): (Vec<_>, Vec<_>) =
            calls.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!((given.len(), refused.len()), (14, 36));
        for refusal in refused {
            let status = refusal.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument);
            assert_eq!(status.message(), "refund exceeds the captured amount");
        }
        assert_eq!(served.view(&order).await.order.unwrap().refunded_minor, 9_800);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_not_known_in_time_goes_on_and_its_key_asks_again() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, impatient).await;
        let mut client = served.client.clone();
        let order = served.confirmed(10_000).await;
        served.others.refund(Refunding::Wait);
        let request = || keyed("r", refund(&order, Some(700)));
        let late = client.refund_order(request()).await.unwrap_err();
        assert_eq!(late.code(), Code::DeadlineExceeded);
        assert!(late.message().contains("still running"), "{}", late.message());
        assert!(late.message().contains("same idempotency-key"), "{}", late.message());

        let again = client.refund_order(request()).await.unwrap_err();
        assert_eq!(again.code(), Code::Aborted);
        assert!(again.get_error_details().retry_info().is_some());

        let mut waiting = client.clone();
        let third = within(LONG, request());
        let mut calls = JoinSet::new();
        calls.spawn(async move { waiting.refund_order(third).await });
        served.others.refund(Refunding::Approve);
        let answer = calls.join_next().await.unwrap().unwrap().unwrap();
        assert!(is_replay(answer.metadata()));
        assert_eq!(answer.get_ref().refunded_amount, 700);
        let view = served.view(&order).await;
        assert_eq!(view.order.as_ref().unwrap().refunded_minor, 700);
        assert_eq!(view.timeline.iter().filter(|e| e.event_type == "RefundRequested").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_refunds_with_one_key_give_back_once_and_answer_alike() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let order = served.confirmed(10_000).await;
        let mut calls = JoinSet::new();
        for _ in 0..20 {
            let (mut client, order) = (served.client.clone(), order.clone());
            let request = within(LONG, keyed("r", refund(&order, Some(700))));
            calls.spawn(async move { client.refund_order(request).await.unwrap().into_inner() });
        }
        let answers = calls.join_all().await;
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(served.view(&order).await.order.unwrap().refunded_minor, 700);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_refund_waits_for_the_first_then_gives_up() {
    let served = Served::start_with(&Backend::Sqlite, impatient).await;
    let mut client = served.client.clone();
    let order = served.confirmed(10_000).await;
    served.others.refund(Refunding::Wait);
    let mut calls = JoinSet::new();
    let (mut first, request) = (client.clone(), within(LONG, refund(&order, Some(1_000))));
    calls.spawn(async move { first.refund_order(request).await });
    served.until(&order, asked).await;

    let busy = client.refund_order(refund(&order, Some(500))).await.unwrap_err();
    assert_eq!(busy.code(), Code::Aborted);
    assert_eq!(busy.message(), "another operation on the order is in progress");
    assert!(busy.get_error_details().retry_info().is_some());

    let (mut second, request) = (client.clone(), within(LONG, refund(&order, Some(500))));
    calls.spawn(async move { second.refund_order(request).await });
    served.others.refund(Refunding::Approve);
    let mut given: Vec<i64> = calls
        .join_all()
        .await
        .into_iter()
        .map(|a| a.unwrap().into_inner().refunded_amount)
        .collect();
    given.sort_unstable();
    assert_eq!(given, [500, 1_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_payment_refuses_fails_and_leaves_everything_refundable() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let order = served.confirmed(10_000).await;
    served.others.refund(Refunding::Fail);
    let failed = client.refund_order(refund(&order, None)).await.unwrap_err();
    assert_eq!((failed.code(), failed.message()), (Code::FailedPrecondition, "refund failed"));
    assert!(served.counts("oms_refunds_total{outcome=\"failed\"} 1").await);
    assert_eq!(served.view(&order).await.order.unwrap().status(), OrderStatus::Confirmed);
    served.others.refund(Refunding::Approve);
    let answer = client.refund_order(refund(&order, None)).await.unwrap().into_inner();
    assert_eq!(answer.refunded_amount, 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_under_way_ends_by_its_own_answer_when_the_order_is_cancelled() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let order = served.confirmed(10_000).await;
    served.others.refund(Refunding::Wait);
    let mut calls = JoinSet::new();
    let (mut first, request) = (client.clone(), within(LONG, refund(&order, Some(1_000))));
    calls.spawn(async move { first.refund_order(request).await });
    served.until(&order, asked).await;
    client.cancel_order(cancel(&order)).await.unwrap();
    served.others.refund(Refunding::Approve);
    let answer = calls.join_next().await.unwrap().unwrap().unwrap().into_inner();
    assert_eq!((answer.status(), answer.refunded_amount), (OrderStatus::Canceled, 1_000));
    let back = |view: &GetOrderResponse| view.order.as_ref().unwrap().refunded_minor == 10_000;
    served.until(&order, back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_does_not_stop_the_refund() {
    let served = Served::start().await;
    let order = served.confirmed(10_000).await;
    served.others.refund(Refunding::Wait);
    let mut calls = JoinSet::new();
    let (mut client, request) = (served.client.clone(), refund(&order, None));
    calls.spawn(async move { client.refund_order(request).await });
    served.until(&order, asked).await;
    calls.shutdown().await;
    served.others.refund(Refunding::Approve);
    served.reaches(&order, OrderStatus::Refunded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_whose_caller_goes_away_before_its_turn_never_begins() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let order = served.confirmed(10_000).await;
        let context = served.context();
        let before = served.rows().await;
        let ahead = context.changes.watch(&order).unwrap();
        let turn = ahead.turn().await;
        for key in [None, Some("r")] {
            let keyed = key.map(|key| {
                let request = keyed(key, refund(&order, None));
                let (method, message) = ("oms.v1.OrderService/RefundOrder", request.get_ref());
                let key = IdempotencyKey::from_request(request.metadata(), method, message);
                Keyed { key: key.unwrap().unwrap(), encode: |_| Vec::new() }
            });
            let gone = CancellationToken::new();
            let wish = RefundOrder { amount: None, reason: String::new(), expected_version: None };
            let until = Instant::now() + LONG * 10;
            let patience = Patience::new(until, gone.clone(), CancellationToken::new());
            let waits = refund_order(&context, order.clone(), wish, keyed, patience);
            let mut waits = std::pin::pin!(waits);
            tokio::select! {
                biased;
                _ = &mut waits => panic!("it is not its turn"),
                _ = served.view(&order) => gone.cancel(),
            }
            let told = tokio::time::timeout(LONG, waits).await.expect("it gives up");
            assert!(matches!(told, Err(CommandError::Refused(_))), "{told:?}");
        }
        drop(turn);
        assert_eq!(served.rows().await, before, "neither a refund nor a claim");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_dropped_while_it_waits_for_its_turn_gives_nothing_back() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let order = served.confirmed(10_000).await;
    served.others.refund(Refunding::Wait);
    let mut calls = JoinSet::new();
    let (mut first, request) = (client.clone(), within(LONG, refund(&order, Some(1_000))));
    calls.spawn(async move { first.refund_order(request).await });
    served.until(&order, asked).await;
    {
        let mut second = client.clone();
        let dropped = second.refund_order(within(LONG, refund(&order, Some(2_000))));
        let mut dropped = std::pin::pin!(dropped);
        tokio::select! {
            biased;
            _ = &mut dropped => panic!("another refund is open"),
            // On the same connection, so that the refund has arrived before it.
            _ = served.view(&order) => {}
        }
    }
    let call = r#"service="oms.v1.OrderService",method="RefundOrder""#;
    let line = format!("oms_grpc_requests_total{{{call},code=\"CANCELLED\"}} 1");
    served.until_counted(&line).await;
    served.others.refund(Refunding::Approve);
    calls.join_next().await.unwrap().unwrap().unwrap();
    // Its turn comes after the dropped one's would have.
    client.refund_order(within(LONG, refund(&order, Some(500)))).await.unwrap();
    assert_eq!(served.view(&order).await.order.unwrap().refunded_minor, 1_500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_answers_calls_that_still_wait() {
    let served = Served::start().await;
    let order = served.confirmed(10_000).await;
    served.others.refund(Refunding::Wait);
    let mut calls = JoinSet::new();
    let (mut client, request) = (served.client.clone(), within(LONG, refund(&order, None)));
    calls.spawn(async move { client.refund_order(request).await });
    served.until(&order, asked).await;
    served.host.drain(Duration::from_secs(10)).await;
    let told = calls.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!(told.code(), Code::DeadlineExceeded);
}
