//! ShipOrder and open refund runs: behind one for all that is left it waits, beside one for a part
//! it does not.

use std::time::Duration;

use oms_order::commands::{CommandError, Patience, ShipOrder, ship_order};
use oms_proto::oms_v1::{GetOrderResponse, OrderStatus, RefundOrderResponse, ShipOrderResponse};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

use crate::served::{Refunding, Served, each_backend, keyed, refund, ship, within};

const SHORT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(60);

type Refunds = JoinSet<Result<Response<RefundOrderResponse>, Status>>;
type Ships = JoinSet<Result<Response<ShipOrderResponse>, Status>>;

fn asked(view: &GetOrderResponse) -> bool {
    view.timeline.iter().any(|entry| entry.event_type == "RefundRequested")
}

/// A confirmed order with a refund run that stays open until the others' mood changes.
async fn refunding(served: &Served, cents: Option<i64>) -> (String, Refunds) {
    let order = served.confirmed(10_000).await;
    served.others.refund(Refunding::Wait);
    let mut calls = JoinSet::new();
    let (mut client, request) = (served.client.clone(), within(LONG, refund(&order, cents)));
    calls.spawn(async move { client.refund_order(request).await });
    served.until(&order, asked).await;
    (order, calls)
}

/// A ship on its way, once it waits.
async fn waiting_ship(served: &Served, order: &str) -> Ships {
    let mut calls = JoinSet::new();
    let (mut client, request) = (served.client.clone(), within(LONG, ship(order)));
    calls.spawn(async move { client.ship_order(request).await });
    // Beside the refund.
    served.until_counted("oms_waiting_calls 2").await;
    calls
}

/// A machine that is busy may answer after the caller's time, which tells nothing: asks again then,
/// with more time.
async fn in_time<T>(
    mut call: impl AsyncFnMut(Duration) -> Result<Response<T>, Status>,
) -> Result<Response<T>, Status> {
    let mut time = SHORT;
    loop {
        match call(time).await {
            Err(late)
                if matches!(late.code(), Code::DeadlineExceeded | Code::Cancelled)
                    && time < LONG =>
            {
                time *= 2;
            }
            answer => return answer,
        }
    }
}

fn busy(answer: Result<Response<ShipOrderResponse>, Status>) {
    let busy = answer.unwrap_err();
    assert_eq!(busy.code(), Code::Aborted);
    assert_eq!(busy.message(), "another operation on the order is in progress");
    let details = busy.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "ORDER_BUSY");
    assert!(details.retry_info().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn at_its_deadline_it_gives_up_and_the_order_stays_as_it_was() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let mut client = served.client.clone();
        let (order, mut refunds) = refunding(&served, None).await;
        let (before, rows) = (served.view(&order).await, served.rows().await);
        let plain = async |time| client.ship_order(within(time, ship(&order))).await;
        busy(in_time(plain).await);
        let keyed = async |time| client.ship_order(within(time, keyed("s", ship(&order)))).await;
        busy(in_time(keyed).await);
        assert_eq!(served.rows().await, rows, "not even the claim of its key");
        assert_eq!(served.view(&order).await, before);
        served.others.refund(Refunding::Approve);
        refunds.join_next().await.unwrap().unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_a_deadline_waits_as_long_as_the_setting_says() {
    let change = |config: &mut oms_order::OrderConfig| config.order.call_wait_ms = 200;
    let served = Served::start_with(&oms_service::testing::Backend::Sqlite, change).await;
    let (order, _refunds) = refunding(&served, None).await;
    busy(served.client.clone().ship_order(ship(&order)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_refund_fails_the_goods_leave() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let (order, mut refunds) = refunding(&served, None).await;
        let mut ships = waiting_ship(&served, &order).await;
        served.others.refund(Refunding::Fail);
        refunds.join_next().await.unwrap().unwrap().unwrap_err();
        let answer = ships.join_next().await.unwrap().unwrap().unwrap().into_inner();
        assert_eq!(answer.status(), OrderStatus::Shipped);
        served.until_rest(&order).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_everything_went_back_there_is_nothing_to_ship() {
    let served = Served::start().await;
    let (order, mut refunds) = refunding(&served, None).await;
    let mut ships = waiting_ship(&served, &order).await;
    served.others.refund(Refunding::Approve);
    refunds.join_next().await.unwrap().unwrap().unwrap();
    let refused = ships.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(refused.message(), "order cannot be shipped in status refunded");
    assert!(!served.said(&order).contains(&"oms.order.shipped.v1".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_refund_of_a_part_it_ships_at_once_whoever_waits_for_the_refund() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let (order, mut refunds) = refunding(&served, Some(1_000)).await;
    // A second refund stands in the turn until the first has ended.
    let (mut second, request) = (client.clone(), within(LONG, refund(&order, Some(500))));
    refunds.spawn(async move { second.refund_order(request).await });
    served.until_counted("oms_waiting_calls 2").await;
    let answer = client.ship_order(ship(&order)).await.unwrap().into_inner();
    assert_eq!(answer.status(), OrderStatus::Shipped);
    served.others.refund(Refunding::Approve);
    for given in refunds.join_all().await {
        given.unwrap();
    }
    let seen = served.view(&order).await.order.unwrap();
    assert_eq!((seen.status(), seen.refunded_minor), (OrderStatus::Refunded, 1_500));
    assert_eq!(seen.lifecycle_status(), OrderStatus::Shipped);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_after_shipping_can_be_refunded_and_releases_nothing() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let order = served.confirmed(10_000).await;
    client.ship_order(ship(&order)).await.unwrap();
    let part = client.refund_order(refund(&order, Some(4_000))).await.unwrap().into_inner();
    assert_eq!((part.status(), part.refunded_amount), (OrderStatus::Refunded, 4_000));
    let rest = client.refund_order(refund(&order, None)).await.unwrap().into_inner();
    assert_eq!(rest.refunded_amount, 6_000);
    let seen = served.view(&order).await;
    assert_eq!(seen.order.unwrap().lifecycle_status(), OrderStatus::Refunded);
    assert!(!seen.timeline.iter().any(|entry| entry.event_type == "StockReleased"));
    served.until_rest(&order).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ship_whose_caller_has_gone_never_begins() {
    let served = Served::start().await;
    let order = served.confirmed(10_000).await;
    let before = served.rows().await;
    let (gone, until) = (CancellationToken::new(), Instant::now() + LONG);
    gone.cancel();
    let wish = ShipOrder { expected_version: None };
    let patience = Patience::new(until, gone, CancellationToken::new());
    let told = ship_order(&served.context(), order, wish, None, patience).await;
    assert!(matches!(told, Err(CommandError::Refused(_))), "{told:?}");
    assert_eq!(served.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_answers_ships_that_still_wait() {
    let served = Served::start().await;
    let (order, _refunds) = refunding(&served, None).await;
    let mut ships = waiting_ship(&served, &order).await;
    served.host.drain(Duration::from_secs(10)).await;
    busy(ships.join_next().await.unwrap().unwrap());
}
