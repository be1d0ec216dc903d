//! What orders refuse, and what they refuse it with.

use oms_proto::oms_v1::{CancelOrderRequest, OrderStatus, PayOrderRequest, RefundOrderRequest};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::served::{Paying, Served, cancel, get, pay, refund};

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, message: &str) -> Status {
    let status = answer.unwrap_err();
    assert_eq!((status.code(), status.message()), (code, message));
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_unknown_or_no_id_is_not_found() {
    let served = Served::start().await;
    let before = served.rows().await;
    let mut client = served.client.clone();
    for id in [
        "0190f5fe-7a3b-7000-8000-000000000001",
        "0190F5FE-7A3B-7000-8000-000000000001",
        "00000000-0000-0000-0000-000000000000",
        "0190f5fe7a3b70008000000000000001",
        "{0190f5fe-7a3b-7000-8000-000000000001}",
        "urn:uuid:0190f5fe-7a3b-7000-8000-000000000001",
        "order-1",
        "'; DROP TABLE orders; --",
        "\0",
        "ы",
    ] {
        let not_found = |answer| refused(answer, Code::NotFound, "order not found");
        not_found(client.get_order(get(id)).await.map(drop));
        not_found(client.pay_order(pay(id)).await.map(drop));
        not_found(client.cancel_order(cancel(id)).await.map(drop));
        let status = not_found(client.refund_order(refund(id, None)).await.map(drop));
        assert_eq!(status.get_error_details().error_info().unwrap().reason, "ORDER_NOT_FOUND");
    }
    assert_eq!(served.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_in_capitals_names_the_same_order() {
    let served = Served::start().await;
    let order = served.created(500).await;
    let view = served.view(&order.to_uppercase()).await;
    assert_eq!(view.order.unwrap().id, order);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_pending_order_can_be_paid() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let order = served.confirmed(10_000).await;
    let message = "order status must be pending";
    let status = refused(client.pay_order(pay(&order)).await, Code::FailedPrecondition, message);
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "ORDER_NOT_PENDING");

    let canceled = served.created(500).await;
    client.cancel_order(cancel(&canceled)).await.unwrap();
    refused(client.pay_order(pay(&canceled)).await, Code::FailedPrecondition, message);

    client.refund_order(refund(&order, None)).await.unwrap();
    refused(client.pay_order(pay(&order)).await, Code::FailedPrecondition, message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_tells_why_when_asked_to_pay_again() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    for (how, code, message, reason) in [
        (
            Paying::OutOfStock,
            Code::ResourceExhausted,
            "inventory unavailable",
            "inventory_unavailable",
        ),
        (Paying::Decline, Code::FailedPrecondition, "payment declined", "payment_declined"),
    ] {
        served.others.pay(how);
        let order = served.created(500).await;
        client.pay_order(pay(&order)).await.unwrap();
        let view = served.reaches(&order, OrderStatus::Canceled).await.order.unwrap();
        assert_eq!(view.status_reason.unwrap().code, reason);
        refused(client.pay_order(pay(&order)).await, code, message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_back_in_full_cannot_be_cancelled() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let order = served.confirmed(10_000).await;
    client.refund_order(refund(&order, None)).await.unwrap();
    let message = "order cannot be canceled in status refunded";
    refused(client.cancel_order(cancel(&order)).await, Code::FailedPrecondition, message);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_refunded_that_was_not_taken_or_is_back_already() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let message = "order is not eligible for refund";
    let pending = served.created(500).await;
    let code = Code::FailedPrecondition;
    refused(client.refund_order(refund(&pending, None)).await, code, message);

    let canceled = served.confirmed(10_000).await;
    client.cancel_order(cancel(&canceled)).await.unwrap();
    let has = |event: &'static str| {
        move |view: &oms_proto::oms_v1::GetOrderResponse| {
            view.timeline.iter().any(|entry| entry.event_type == event)
        }
    };
    served.until(&canceled, has("PaymentClosed")).await;
    refused(client.refund_order(refund(&canceled, Some(1))).await, code, message);

    let refunded = served.confirmed(10_000).await;
    client.refund_order(refund(&refunded, None)).await.unwrap();
    refused(client.refund_order(refund(&refunded, Some(1))).await, code, message);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_than_expected_is_aborted() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let order = served.confirmed(10_000).await;
    let before = served.rows().await;
    let (order_id, expected_version) = (order.clone(), Some(1));
    let answers = [
        client.pay_order(PayOrderRequest { expected_version, ..pay(&order) }).await.map(drop),
        client
            .cancel_order(CancelOrderRequest { expected_version, ..cancel(&order) })
            .await
            .map(drop),
        client
            .refund_order(RefundOrderRequest { expected_version, ..refund(&order, None) })
            .await
            .map(drop),
    ];
    for answer in answers {
        let status = refused(answer, Code::Aborted, "order version is 4, not 1");
        assert!(status.get_error_details().retry_info().is_some());
    }
    assert_eq!(served.rows().await, before);
    let expected_version = Some(4);
    let request = CancelOrderRequest { order_id, reason: String::new(), expected_version };
    client.cancel_order(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_unavailable_with_a_time_to_try_again() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let order = served.confirmed(10_000).await;
    served.running.database.clone().close().await;
    let answers = [
        client.get_order(get(&order)).await.map(drop),
        client.create_order(crate::served::create()).await.map(drop),
        client.pay_order(pay(&order)).await.map(drop),
        client.cancel_order(cancel(&order)).await.map(drop),
        client.refund_order(refund(&order, None)).await.map(drop),
    ];
    for answer in answers {
        let status = refused(answer, Code::Unavailable, "the database is not available");
        assert!(status.get_error_details().retry_info().is_some());
    }
}
