//! How a watch ends, and what it is refused for.

use std::time::Duration;

use futures::FutureExt;
use oms_order::queries::Watchers;
use oms_proto::oms_v1::{OrderStatus, WatchOrderRequest};
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::watching::write_on;
use crate::served::{
    Paying, Refunding, Seen, Served, after, cancel, complete, each_backend, get, pay, refund, ship,
    watch, within,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().unwrap().reason.clone()
}

/// Watches an order to its end.
async fn seen_to_the_end(served: &Served, order: &str) -> Seen {
    let (mut client, mut seen) = (served.client.clone(), Seen::default());
    let mut stream = seen.resume(&mut client, order).await.unwrap();
    seen.end(&mut stream).await.unwrap();
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_well_once_nothing_more_comes_of_the_order() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let mut client = served.client.clone();

        let never_paid = served.created(500).await;
        client.cancel_order(cancel(&never_paid)).await.unwrap();
        assert_eq!(seen_to_the_end(&served, &never_paid).await.version(), 2);

        let canceled = served.confirmed(500).await;
        client.cancel_order(cancel(&canceled)).await.unwrap();
        let order = seen_to_the_end(&served, &canceled).await.order.unwrap();
        assert_eq!((order.status(), order.refunded_minor), (OrderStatus::Canceled, 500));
        let kinds: Vec<_> = seen_to_the_end(&served, &canceled).await.entries;
        for kind in ["StockReleased", "PaymentClosed"] {
            assert!(kinds.iter().any(|entry| entry.event_type == kind), "{kind}");
        }

        let refunded = served.confirmed(500).await;
        client.refund_order(refund(&refunded, None)).await.unwrap();
        let seen = seen_to_the_end(&served, &refunded).await;
        assert_eq!(seen.order.unwrap().lifecycle_status(), OrderStatus::Refunded);
        assert_eq!(seen.entries.last().unwrap().event_type, "StockReleased");

        served.others.pay(Paying::Decline);
        let declined = served.created(500).await;
        client.pay_order(pay(&declined)).await.unwrap();
        let order = seen_to_the_end(&served, &declined).await.order.unwrap();
        assert_eq!(order.status_reason.unwrap().code, "payment_declined");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_goes_on_is_watched_to_the_callers_deadline() {
    let served = Served::start().await;
    let partly = served.confirmed(500).await;
    served.client.clone().refund_order(refund(&partly, Some(100))).await.unwrap();
    served.others.pay(Paying::Wait);
    let paying = served.created(500).await;
    served.client.clone().pay_order(pay(&paying)).await.unwrap();
    for (order, status) in [(partly, OrderStatus::Refunded), (paying, OrderStatus::Pending)] {
        // A machine that is busy may need more time to say anything at all.
        let mut time = Duration::from_millis(400);
        let seen = loop {
            match watched_for(&served, &order, time).await {
                Some(seen) => break seen,
                None => time *= 2,
            }
            assert!(time < PATIENCE, "the watch never tells that it goes on");
        };
        assert_eq!(seen.order.unwrap().status(), status);
    }
}

/// What a caller with so much time sees of an order that goes on; nothing when it was too little.
async fn watched_for(served: &Served, order: &str, time: Duration) -> Option<Seen> {
    let late = |status: Status| {
        let codes = [Code::DeadlineExceeded, Code::Cancelled];
        assert!(codes.contains(&status.code()), "{status}");
        let info = status.get_error_details().error_info().cloned();
        info.map(|info| info.reason)
    };
    let begun = served.client.clone().watch_order(within(time, watch(order))).await;
    let mut stream = begun.map_err(late).ok()?.into_inner();
    let mut seen = Seen::default();
    let ended = late(seen.end(&mut stream).await.unwrap_err())?;
    assert_eq!(ended, "STILL_WATCHING");
    seen.order.is_some().then_some(seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_of_what_does_not_exist_is_refused_and_leaves_nothing() {
    let served = Served::start().await;
    let order = served.confirmed(500).await;
    let before = served.rows().await;
    let unknown = "0190f5fe-7a3b-7000-8000-000000000001";
    for (request, code, message) in [
        (watch(""), Code::InvalidArgument, "order_id is required"),
        (watch("order-1"), Code::NotFound, "order not found"),
        (watch(unknown), Code::NotFound, "order not found"),
        (after(unknown, 3), Code::NotFound, "order not found"),
        (after(&order, -1), Code::InvalidArgument, "after_version must not be negative"),
        (after(&order, 5), Code::InvalidArgument, "after_version is 5, the order's version is 4"),
    ] {
        let refused = served.client.clone().watch_order(request).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (code, message));
        let details = refused.get_error_details();
        assert_eq!(details.bad_request().is_some(), code == Code::InvalidArgument);
    }
    assert_eq!(served.rows().await, before);
    served.until_counted("oms_watchers 0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_watchers_than_the_bound_are_told_so_and_one_who_goes_makes_room() {
    let served = Served::start_with(&each_backend()[0], |config| {
        config.order.watchers_max = 3;
        config.order.waiting_orders_max = 2;
    })
    .await;
    let (a, b, c) =
        (served.created(100).await, served.created(200).await, served.created(300).await);
    let mut client = served.client.clone();
    let first = client.watch_order(watch(&a)).await.unwrap();
    let _second = client.watch_order(watch(&b)).await.unwrap();
    let refused = client.watch_order(watch(&c)).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::Unavailable, "too many calls are waiting")
    );
    assert_eq!(reason(&refused), "OVERLOADED");
    let _third = client.watch_order(watch(&b)).await.unwrap();
    let refused = client.watch_order(watch(&b)).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::Unavailable, "too many calls are watching")
    );
    assert_eq!(reason(&refused), "OVERLOADED");
    assert!(refused.get_error_details().retry_info().is_some());
    served.until_counted("oms_watchers 3").await;
    drop(first);
    served.until_counted("oms_watchers 2").await;
    client.watch_order(watch(&c)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_take_no_place_of_the_calls() {
    let served = Served::start_with(&each_backend()[0], |config| {
        config.order.grpc.concurrency_max = 1;
    })
    .await;
    let order = served.created(100).await;
    let mut client = served.client.clone();
    let mut streams = Vec::new();
    for _ in 0..10 {
        let mut stream = client.watch_order(watch(&order)).await.unwrap().into_inner();
        stream.message().await.unwrap().unwrap();
        streams.push(stream);
    }
    client.get_order(get(&order)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_tells_every_watcher_at_once_and_waits_for_none_who_reads_no_more() {
    for backend in each_backend() {
        let home = Served::start_with(&backend, |_| {}).await;
        let order = home.confirmed(100).await;
        let served = home.beside().await;
        let (mut client, mut seen) = (served.client.clone(), Seen::default());
        let mut stream = seen.resume(&mut client, &order).await.unwrap();
        seen.reach(&mut stream, 4).await.unwrap();
        let mut silent_client = served.slow_client(64).await;
        let request: WatchOrderRequest = watch(&order);
        let silent = silent_client.watch_order(request).await.unwrap();
        // A drain gives calls 70 % of its time: these watchers take nothing of it.
        let drain = served.host.drain(PATIENCE * 10);
        tokio::time::timeout(PATIENCE, drain).await.expect("the drain ends");
        let told = seen.end(&mut stream).await.unwrap_err();
        assert_eq!((told.code(), reason(&told).as_str()), (Code::Unavailable, "DRAINING"));
        assert!(told.get_error_details().retry_info().is_some());
        drop(silent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_open_is_watched_to_its_end_although_the_order_is_cancelled() {
    let served = Served::start().await;
    served.others.refund(Refunding::Wait);
    let order = served.confirmed(500).await;
    let (mut client, mut seen) = (served.client.clone(), Seen::default());
    let refunding = {
        let (mut client, order) = (client.clone(), order.clone());
        async move { client.refund_order(within(PATIENCE, refund(&order, Some(100)))).await }
    };
    let mut stream = seen.resume(&mut client, &order).await.unwrap();
    let watching = async {
        seen.reach(&mut stream, 5).await.unwrap();
        client.cancel_order(cancel(&order)).await.unwrap();
        seen.reach(&mut stream, 6).await.unwrap();
        // The refund that is open holds the watch, though the order is cancelled.
        served.others.refund(Refunding::Fail);
        seen.end(&mut stream).await.unwrap();
        seen
    };
    let (refused, seen) = tokio::join!(refunding, watching);
    assert_eq!(refused.unwrap_err().message(), "refund failed");
    let view = served.view(&order).await;
    assert_eq!((seen.entries, seen.order), (view.timeline, view.order));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_begins_while_a_watch_catches_up_is_watched_to_its_end() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let order = served.confirmed(500).await;
    client.ship_order(ship(&order)).await.unwrap();
    served.until_rest(&order).await;
    client.complete_order(complete(&order)).await.unwrap();
    // More than watchers share, so that this one reads alone.
    write_on(&served, &order, 60).await;
    // Nobody but the test wakes it.
    let (tasks, context) = (served.host.tasks().clone(), served.context());
    let changes = context.changes.clone();
    let watchers = Watchers::new(tasks, context.read, context.changes, context.metrics, 1);
    let mut followed = watchers.follow(&order, 0).await.unwrap();

    served.others.refund(Refunding::Wait);
    let request = within(PATIENCE, refund(&order, Some(100)));
    let mut refunding = JoinSet::new();
    refunding.spawn(async move { client.refund_order(request).await });
    served
        .until(&order, |view| view.timeline.last().unwrap().event_type == "RefundRequested")
        .await;
    let told = followed.next().await.unwrap().unwrap();
    assert_eq!(told.entries.last().unwrap().event_type, "RefundRequested");
    {
        let next = followed.next().now_or_never();
        assert!(next.is_none(), "it ended beside a refund: {next:?}");
    }
    served.others.refund(Refunding::Approve);
    refunding.join_next().await.unwrap().unwrap().unwrap();
    // The refund was another instance's.
    changes.step(&served.running.database.read).await.unwrap();
    let told = followed.next().await.unwrap().unwrap();
    let view = served.view(&order).await;
    assert_eq!(told.entries.last().unwrap().version, view.order.unwrap().version);
    assert!(followed.next().await.unwrap().is_none());
}
