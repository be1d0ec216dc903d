//! An order from its creation to its end, as GetOrder tells it.

use oms_proto::oms_v1::{CreateOrderRequest, GetOrderResponse, Order, OrderStatus};

use crate::served::{Served, cancel, create, each_backend, item, pay, refund};

fn story(view: &GetOrderResponse) -> Vec<(i32, &str, &str)> {
    view.timeline
        .iter()
        .map(|entry| (entry.version, entry.event_type.as_str(), entry.payload.as_str()))
        .collect()
}

fn order_of(view: &GetOrderResponse) -> &Order {
    view.order.as_ref().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_order_reads_as_it_was_created() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let mut request = CreateOrderRequest { reference: "ref-1".to_owned(), ..create() };
        request.items = vec![item("SKU-001", 2, 10_000), item("SKU-002", 1, 5_000)];
        request.items[1].name = "Tea, 50 g".to_owned();
        let created = served.client.clone().create_order(request).await.unwrap().into_inner();
        assert_eq!(created.status(), OrderStatus::Pending);

        let view = served.view(&created.order_id).await;
        let order = order_of(&view);
        assert_eq!(order.id, created.order_id);
        assert_eq!(uuid::Uuid::try_parse(&order.id).unwrap().get_version_num(), 7);
        assert_eq!((order.customer_id.as_str(), order.currency.as_str()), ("customer-123", "USD"));
        assert_eq!((order.amount_minor, order.version), (25_000, 1));
        assert_eq!(
            (order.status(), order.lifecycle_status()),
            (OrderStatus::Pending, OrderStatus::Pending)
        );
        assert_eq!((order.captured_minor, order.refunded_minor), (0, 0));
        assert_eq!(order.reference, "ref-1");
        assert_eq!(order.status_reason, None);
        assert_eq!((order.created_at, order.updated_at), (created.created_at, created.created_at));
        assert_eq!(created.created_at.unwrap().nanos % 1_000, 0);
        let items: Vec<_> = order
            .items
            .iter()
            .map(|i| (i.sku.as_str(), i.qty, i.price_minor, i.name.as_str()))
            .collect();
        assert_eq!(items, [("SKU-001", 2, 10_000, ""), ("SKU-002", 1, 5_000, "Tea, 50 g")]);
        assert_eq!(story(&view), [(1, "OrderCreated", r#"{"customer_id":"customer-123"}"#)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeline_of_a_successful_order_is_exactly_the_documents() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let order = served.confirmed(25_000).await;
        let view = served.view(&order).await;
        assert_eq!(
            story(&view)[1..],
            [
                (2, "OrderStatusChanged", r#"{"status":"reserved"}"#),
                (3, "OrderStatusChanged", r#"{"status":"paid"}"#),
                (4, "OrderStatusChanged", r#"{"status":"confirmed"}"#),
            ]
        );
        assert_eq!((order_of(&view).version, order_of(&view).captured_minor), (4, 25_000));
        assert!(view.timeline[1..].iter().all(|entry| !entry.event_id.is_empty()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paying_answers_pending_at_once_and_again_while_the_run_goes_on() {
    let served = Served::start().await;
    served.others.pay(crate::served::Paying::Wait);
    let order = served.created(500).await;
    let mut client = served.client.clone();
    for _ in 0..3 {
        let answer = client.pay_order(pay(&order)).await.unwrap().into_inner();
        assert_eq!(
            (answer.order_id.as_str(), answer.status()),
            (order.as_str(), OrderStatus::Pending)
        );
    }
    served.others.pay(crate::served::Paying::Approve);
    served.reaches(&order, OrderStatus::Confirmed).await;
    assert!(served.counts("oms_saga_started_total 1").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_answers_canceled_at_once_and_everything_goes_back() {
    let served = Served::start().await;
    let order = served.confirmed(10_000).await;
    let mut client = served.client.clone();
    let request = oms_proto::oms_v1::CancelOrderRequest {
        reason: "Customer changed mind".to_owned(),
        ..cancel(&order)
    };
    for _ in 0..2 {
        let answer = client.cancel_order(request.clone()).await.unwrap().into_inner();
        assert_eq!(answer.status(), OrderStatus::Canceled);
    }
    let closed = |view: &GetOrderResponse| {
        ["StockReleased", "PaymentClosed"]
            .iter()
            .all(|event| view.timeline.iter().any(|entry| entry.event_type == *event))
    };
    let view = served.until(&order, closed).await;
    let reason = order_of(&view).status_reason.clone().unwrap();
    assert_eq!(
        (reason.code.as_str(), reason.message.as_str()),
        ("customer", "Customer changed mind")
    );
    assert_eq!(order_of(&view).status(), OrderStatus::Canceled);
    assert_eq!((order_of(&view).captured_minor, order_of(&view).refunded_minor), (10_000, 10_000));
    let versions: Vec<i32> = view.timeline.iter().map(|entry| entry.version).collect();
    assert_eq!(versions, (1..=order_of(&view).version).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_wins_over_a_run_that_goes_on() {
    let served = Served::start().await;
    served.others.pay(crate::served::Paying::Wait);
    let order = served.created(500).await;
    let mut client = served.client.clone();
    client.pay_order(pay(&order)).await.unwrap();
    let answer = client.cancel_order(cancel(&order)).await.unwrap().into_inner();
    assert_eq!(answer.status(), OrderStatus::Canceled);
    // The capture comes after all: it is known, and nothing but that.
    served.others.pay(crate::served::Paying::Approve);
    let settled = |view: &GetOrderResponse| {
        view.timeline.iter().any(|entry| entry.event_type == "PaymentClosed")
    };
    let view = served.until(&order, settled).await;
    assert_eq!(order_of(&view).status(), OrderStatus::Canceled);
    assert_eq!(order_of(&view).captured_minor, order_of(&view).refunded_minor);
    assert!(served.counts("oms_saga_canceled_total 1").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_newest_500_timeline_entries_are_returned() {
    use oms_order::store::entities::{orders, timeline};
    use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
    let served = Served::start().await;
    let order = served.created(500).await;
    let write = &served.running.database.write;
    let rows = (2..=503).map(|version| timeline::ActiveModel {
        order_id: Set(order.clone()),
        version: Set(version),
        event_type: Set("Noted".to_owned()),
        payload: Set("{}".to_owned()),
        occurred_at: Set(0),
        event_id: Set(None),
        trace_id: Set(None),
    });
    timeline::Entity::insert_many(rows).exec_without_returning(write).await.unwrap();
    let row = orders::Entity::find_by_id(&order).one(write).await.unwrap().unwrap();
    let mut row = row.into_active_model();
    row.version = Set(503);
    row.update(write).await.unwrap();
    let view = served.view(&order).await;
    let versions: Vec<i32> = view.timeline.iter().map(|entry| entry.version).collect();
    assert_eq!(versions, (4..=503).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partly_refunded_order_shows_refunded_and_keeps_its_lifecycle() {
    let served = Served::start().await;
    let order = served.confirmed(25_000).await;
    let answer = served.client.clone().refund_order(refund(&order, Some(10_000))).await.unwrap();
    assert_eq!(answer.get_ref().status(), OrderStatus::Refunded);
    assert_eq!(answer.get_ref().refunded_amount, 10_000);
    let view = served.view(&order).await;
    assert_eq!(order_of(&view).status(), OrderStatus::Refunded);
    assert_eq!(order_of(&view).lifecycle_status(), OrderStatus::Confirmed);
    assert_eq!(order_of(&view).refunded_minor, 10_000);
}
