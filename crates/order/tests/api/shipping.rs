//! ShipOrder and CompleteOrder: the way on from CONFIRMED, what they refuse, and their keys.

use oms_proto::oms_v1::{CompleteOrderRequest, OrderStatus, ShipOrderRequest};
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::served::{
    Served, cancel, complete, each_backend, is_replay, keyed, pay, refund, ship, within,
};

const LONG: std::time::Duration = std::time::Duration::from_secs(20);

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, message: &str, reason: &str) {
    let status = answer.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, message));
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_order_is_shipped_and_completed_and_says_both() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let mut client = served.client.clone();
        let order = served.confirmed(10_000).await;
        let answer = client.ship_order(ship(&order)).await.unwrap().into_inner();
        assert_eq!((answer.order_id, answer.status), (order.clone(), OrderStatus::Shipped.into()));
        let answer = client.complete_order(complete(&order)).await.unwrap().into_inner();
        assert_eq!(answer.status(), OrderStatus::Completed);
        let said = served.says(&order, 5).await;
        assert_eq!(said[3..], ["oms.order.shipped.v1", "oms.order.completed.v1"]);
        let view = served.view(&order).await;
        assert_eq!(view.order.unwrap().lifecycle_status(), OrderStatus::Completed);
        let last: Vec<_> = view.timeline[4..].iter().map(|entry| entry.payload.as_str()).collect();
        assert_eq!(last, [r#"{"status":"shipped"}"#, r#"{"status":"completed"}"#]);
        // Once inventory has booked the shipment out, nobody asks any more.
        served.until_rest(&order).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shipping_and_completing_again_is_no_error_and_changes_nothing() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let order = served.confirmed(10_000).await;
    client.ship_order(ship(&order)).await.unwrap();
    // Whatever follows from the first call has come: no row is somebody else's.
    served.until_rest(&order).await;
    let rows = served.rows().await;
    let again = client.ship_order(ship(&order)).await.unwrap().into_inner();
    assert_eq!(again.status(), OrderStatus::Shipped);
    assert_eq!(served.rows().await, rows);
    client.complete_order(complete(&order)).await.unwrap();
    let rows = served.rows().await;
    let again = client.complete_order(complete(&order)).await.unwrap().into_inner();
    assert_eq!(again.status(), OrderStatus::Completed);
    assert_eq!(served.rows().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_status_does_not_allow_is_refused_by_name_and_leaves_no_row() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let pending = served.created(500).await;
    let canceled = served.confirmed(500).await;
    client.cancel_order(cancel(&canceled)).await.unwrap();
    let has_closed = |view: &oms_proto::oms_v1::GetOrderResponse| {
        view.timeline.iter().any(|entry| entry.event_type == "PaymentClosed")
    };
    served.until(&canceled, has_closed).await;
    let refunded = served.confirmed(500).await;
    client.refund_order(refund(&refunded, None)).await.unwrap();
    let confirmed = served.confirmed(500).await;
    let completed = served.confirmed(500).await;
    client.ship_order(ship(&completed)).await.unwrap();
    client.complete_order(complete(&completed)).await.unwrap();
    served.until_rest(&refunded).await;
    served.until_rest(&completed).await;
    let rows = served.rows().await;
    for (order, status) in [
        (&pending, "pending"),
        (&canceled, "canceled"),
        (&refunded, "refunded"),
        (&completed, "completed"),
    ] {
        let message = format!("order cannot be shipped in status {status}");
        let answer = client.ship_order(keyed("ship", ship(order))).await;
        refused(answer, &message, "ORDER_NOT_SHIPPABLE");
    }
    for (order, status) in [
        (&pending, "pending"),
        (&confirmed, "confirmed"),
        (&canceled, "canceled"),
        (&refunded, "refunded"),
    ] {
        let message = format!("order cannot be completed in status {status}");
        let answer = client.complete_order(keyed("complete", complete(order))).await;
        refused(answer, &message, "ORDER_NOT_COMPLETABLE");
    }
    assert_eq!(served.rows().await, rows, "not even the claim of a key");
    let message = "order cannot be canceled in status completed";
    refused(client.cancel_order(cancel(&completed)).await, message, "ORDER_NOT_CANCELABLE");
    let message = "order status must be pending";
    refused(client.pay_order(pay(&completed)).await, message, "ORDER_NOT_PENDING");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_order_no_id_and_another_version_are_told_apart() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let order = served.confirmed(500).await;
    let rows = served.rows().await;
    for (id, code, message) in [
        ("", Code::InvalidArgument, "order_id is required"),
        ("order-1", Code::NotFound, "order not found"),
        ("0190f5fe-7a3b-7000-8000-000000000001", Code::NotFound, "order not found"),
    ] {
        for answer in [
            client.ship_order(ship(id)).await.map(drop),
            client.complete_order(complete(id)).await.map(drop),
        ] {
            let status = answer.unwrap_err();
            assert_eq!((status.code(), status.message()), (code, message));
        }
    }
    let expected_version = Some(3);
    for answer in [
        client.ship_order(ShipOrderRequest { expected_version, ..ship(&order) }).await.map(drop),
        client
            .complete_order(CompleteOrderRequest { expected_version, ..complete(&order) })
            .await
            .map(drop),
    ] {
        let status = answer.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Aborted, "order version is 4, not 3"));
        assert!(status.get_error_details().retry_info().is_some());
    }
    assert_eq!(served.rows().await, rows);
    let expected_version = Some(4);
    client.ship_order(ShipOrderRequest { expected_version, ..ship(&order) }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_gives_the_first_answer_again_and_stands_for_one_request() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let mut client = served.client.clone();
        let order = served.confirmed(10_000).await;
        let early = client.complete_order(keyed("done", complete(&order))).await.unwrap_err();
        assert_eq!(early.code(), Code::FailedPrecondition);
        let first = client.ship_order(keyed("ship", ship(&order))).await.unwrap();
        assert!(!is_replay(first.metadata()));
        // What did nothing was not remembered.
        let done = client.complete_order(keyed("done", complete(&order))).await.unwrap();
        assert!(!is_replay(done.metadata()));
        let again = client.ship_order(keyed("ship", ship(&order))).await.unwrap();
        assert!(is_replay(again.metadata()));
        assert_eq!(again.into_inner(), first.into_inner(), "SHIPPED, although it is COMPLETED");
        for conflict in [
            client.complete_order(keyed("ship", complete(&order))).await.map(drop),
            client.ship_order(keyed("done", ship(&order))).await.map(drop),
            client.cancel_order(keyed("ship", cancel(&order))).await.map(drop),
        ] {
            assert_eq!(conflict.unwrap_err().code(), Code::InvalidArgument);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_ships_with_one_key_are_one_shipment_and_equal_answers() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let order = served.confirmed(10_000).await;
        let mut calls = JoinSet::new();
        for _ in 0..20 {
            let (mut client, order) = (served.client.clone(), order.clone());
            calls.spawn(async move {
                let answer = client.ship_order(within(LONG, keyed("s", ship(&order)))).await;
                let answer = answer.unwrap();
                (is_replay(answer.metadata()), answer.into_inner())
            });
        }
        let answers = calls.join_all().await;
        assert_eq!(answers.iter().filter(|(replayed, _)| !replayed).count(), 1);
        assert!(answers.iter().all(|(_, answer)| *answer == answers[0].1));
        let said = served.says(&order, 4).await;
        assert_eq!(said.iter().filter(|what| *what == "oms.order.shipped.v1").count(), 1);
        assert_eq!(served.view(&order).await.order.unwrap().version, 5);
    }
}

fn says(answer: &Result<(), Status>, message: &str) -> bool {
    answer.as_ref().is_err_and(|status| status.message() == message)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_ships_and_a_cancel_either_all_ships_win_or_the_cancel_does() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        for round in 0..6 {
            let order = served.confirmed(10_000).await;
            let mut calls = JoinSet::new();
            for n in 0..20 {
                let mut client = served.client.clone();
                let request = keyed(&format!("{order}-{n}"), ship(&order));
                calls.spawn(async move { client.ship_order(request).await.map(drop) });
                if n == round * 3 {
                    let (mut client, request) = (served.client.clone(), cancel(&order));
                    calls.spawn(async move { client.cancel_order(request).await.map(drop) });
                }
            }
            let answers = calls.join_all().await;
            let told = |message| answers.iter().filter(|answer| says(answer, message)).count();
            let refused = told("order cannot be shipped in status canceled");
            let lost = told("order cannot be canceled in status shipped");
            let won = answers.iter().filter(|answer| answer.is_ok()).count();
            let status = served.view(&order).await.order.unwrap().lifecycle_status();
            match status {
                OrderStatus::Shipped => assert_eq!((won, refused, lost), (20, 0, 1)),
                OrderStatus::Canceled => assert_eq!((won, refused, lost), (1, 20, 0)),
                other => panic!("{other:?}"),
            }
        }
    }
}
