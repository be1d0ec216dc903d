//! Whoever watches an order sees everything that happens to it once, in order.

use std::time::Duration;

use oms_order::{
    commands::{self, CancelOrder, Patience},
    store::entities::{orders, timeline},
};
use oms_proto::oms_v1::{CancelOrderRequest, OrderStatus, TimelineEntry};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use tokio::{sync::Barrier, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::served::{Paying, Seen, Served, after, cancel, each_backend, pay};

/// Writes so many entries more on an order's timeline, as nobody is told.
pub(super) async fn write_on(served: &Served, order: &str, count: i32) {
    let write = &served.running.database.write;
    let row = orders::Entity::find_by_id(order).one(write).await.unwrap().unwrap();
    let version = row.version;
    let entries = (version + 1..=version + count).map(|version| timeline::ActiveModel {
        order_id: Set(order.to_owned()),
        version: Set(version),
        event_type: Set("Noted".to_owned()),
        payload: Set(format!(r#"{{"n":{version}}}"#)),
        occurred_at: Set(0),
        event_id: Set(None),
        trace_id: Set(None),
    });
    timeline::Entity::insert_many(entries).exec_without_returning(write).await.unwrap();
    let row_version = row.row_version + 1;
    let mut row = row.into_active_model();
    row.version = Set(version + count);
    row.row_version = Set(row_version);
    row.update(write).await.unwrap();
}

fn kinds(entries: &[TimelineEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.event_type.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_tells_the_order_as_it_is_at_once_and_then_all_that_happens() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let order = served.created(5_000).await;
        let (mut client, mut seen) = (served.client.clone(), Seen::default());
        let mut stream = seen.resume(&mut client, &order).await.unwrap();
        assert!(seen.take(&mut stream).await.unwrap());
        assert_eq!(seen.order.as_ref(), served.view(&order).await.order.as_ref());
        assert_eq!(kinds(&seen.entries), ["OrderCreated"]);

        client.pay_order(pay(&order)).await.unwrap();
        seen.reach(&mut stream, 4).await.unwrap();
        assert_eq!(seen.order.as_ref().unwrap().status(), OrderStatus::Confirmed);
        client.cancel_order(cancel(&order)).await.unwrap();
        seen.end(&mut stream).await.unwrap();
        let view = served.view(&order).await;
        assert_eq!(seen.entries, view.timeline);
        assert_eq!(seen.order, view.order);
        assert_eq!(seen.order.unwrap().refunded_minor, 5_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_after_the_present_version_tells_the_order_and_waits() {
    let served = Served::start().await;
    let order = served.confirmed(5_000).await;
    let mut client = served.client.clone();
    let mut stream = client.watch_order(after(&order, 4)).await.unwrap().into_inner();
    let first = stream.message().await.unwrap().unwrap();
    assert_eq!((first.order.unwrap().version, first.timeline.len()), (4, 0));
    client.cancel_order(cancel(&order)).await.unwrap();
    let next = stream.message().await.unwrap().unwrap();
    assert_eq!(next.timeline[0].version, 5);
}

/// Watches to the end, and watches anew after each `step` entries.
async fn watch_in_pieces(
    mut client: oms_proto::oms_v1::order_service_client::OrderServiceClient<
        tonic::transport::Channel,
    >,
    order: String,
    step: i32,
    begun: std::sync::Arc<Barrier>,
) -> Seen {
    let mut seen = Seen::default();
    let mut stream = seen.resume(&mut client, &order).await.unwrap();
    assert!(seen.take(&mut stream).await.unwrap());
    begun.wait().await;
    loop {
        let until = seen.version() + step;
        while seen.version() < until {
            if !seen.take(&mut stream).await.unwrap() {
                return seen;
            }
        }
        drop(stream);
        stream = seen.resume(&mut client, &order).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_watchers_see_one_sequence_wherever_they_begin_anew() {
    const WATCHERS: usize = 200;
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let order = served.created(5_000).await;
        let begun = std::sync::Arc::new(Barrier::new(WATCHERS + 1));
        let mut watchers = JoinSet::new();
        for n in 0..WATCHERS {
            // Every distance between two watches occurs; the last ones never begin anew.
            let step = i32::try_from(n % 10 + 1).unwrap();
            let (client, order) = (served.client.clone(), order.clone());
            watchers.spawn(watch_in_pieces(client, order, step, begun.clone()));
        }
        begun.wait().await;
        let mut client = served.client.clone();
        client.pay_order(pay(&order)).await.unwrap();
        served.reaches(&order, OrderStatus::Confirmed).await;
        client.cancel_order(cancel(&order)).await.unwrap();
        let all = watchers.join_all().await;
        let view = served.view(&order).await;
        assert!(view.timeline.len() >= 7, "{:?}", kinds(&view.timeline));
        for seen in all {
            assert_eq!(seen.entries, view.timeline);
            assert_eq!(seen.order, view.order);
        }
        // Cut at every point, by those who come back after it.
        let last = i32::try_from(view.timeline.len()).unwrap();
        for version in 0..=last {
            let mut seen = Seen {
                entries: view.timeline[..usize::try_from(version).unwrap()].to_vec(),
                order: None,
            };
            let mut stream = seen.resume(&mut client, &order).await.unwrap();
            seen.end(&mut stream).await.unwrap();
            assert_eq!((seen.entries, seen.order), (view.timeline.clone(), view.order.clone()));
        }
        served.until_counted("oms_watchers 0").await;
    }
}

const MANY: usize = 200;

/// Lets many watch a new order that is then changed, until all have seen its end. Returns how
/// often the change was looked at.
async fn looks_of_many(served: &Served, change: impl AsyncFnOnce(&str)) -> u64 {
    let order = served.created(5_000).await;
    let mut streams = Vec::new();
    for _ in 0..MANY {
        let (mut client, mut seen) = (served.client.clone(), Seen::default());
        let mut stream = seen.resume(&mut client, &order).await.unwrap();
        seen.take(&mut stream).await.unwrap();
        streams.push((seen, stream));
    }
    let reads = served.counted("oms_watch_reads_total").await;
    let mut watchers = JoinSet::new();
    for (mut seen, mut stream) in streams {
        watchers.spawn(async move {
            seen.end(&mut stream).await.unwrap();
            seen.version()
        });
    }
    change(&order).await;
    assert_eq!(watchers.join_all().await, [2; MANY]);
    served.counted("oms_watch_reads_total").await - reads
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_are_told_what_their_own_instance_commits() {
    // Nobody looks for changes elsewhere meanwhile.
    let served = Served::start_with(&each_backend()[0], |config| {
        config.order.changes_poll_ms = 3_600_000;
    })
    .await;
    let mut client = served.client.clone();
    let change = async |order: &str| {
        client.cancel_order(cancel(order)).await.unwrap();
    };
    assert_eq!(looks_of_many(&served, change).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_of_one_order_share_their_looks() {
    let served = Served::start_with(&each_backend()[0], |_| {}).await;
    let elsewhere = served.context();
    let change = async |order: &str| {
        let never = CancellationToken::new();
        let patience =
            Patience::new(Instant::now() + Duration::from_secs(20), never.clone(), never);
        let wish = CancelOrder { reason: String::new(), expected_version: None };
        let order = order.to_owned();
        commands::cancel_order(&elsewhere, order, wish, None, patience).await.unwrap();
    };
    let looks = looks_of_many(&served, change).await;
    // The search for changes elsewhere wakes all when it sees the order first, and when it changed.
    assert!((1..=4).contains(&looks), "{looks} looks for {MANY} watchers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_watcher_keeps_nobody_waiting_and_misses_nothing() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let order = served.created(5_000).await;
        // The first response does not fit into what this one takes unread.
        let (mut slow_client, mut slow) = (served.slow_client(64).await, Seen::default());
        let mut slow_stream = slow.resume(&mut slow_client, &order).await.unwrap();
        let (mut client, mut quick) = (served.client.clone(), Seen::default());
        let mut quick_stream = quick.resume(&mut client, &order).await.unwrap();
        assert!(quick.take(&mut quick_stream).await.unwrap());
        for _ in 0..3 {
            write_on(&served, &order, 600).await;
            quick.reach(&mut quick_stream, quick.version() + 600).await.unwrap();
        }
        let cancel = CancelOrderRequest { reason: "last".to_owned(), ..cancel(&order) };
        client.cancel_order(cancel).await.unwrap();
        quick.end(&mut quick_stream).await.unwrap();
        assert_eq!(slow.version(), 0, "it has not read a word");
        slow.end(&mut slow_stream).await.unwrap();
        assert_eq!(quick.version(), 1_802);
        assert_eq!(slow.entries, quick.entries);
        assert_eq!(slow.order, quick.order);
        // So does one that begins far behind: 500 entries at a time, the order with the last.
        let mut stream = client.watch_order(after(&order, 100)).await.unwrap().into_inner();
        let mut pages = Vec::new();
        while let Some(response) = stream.message().await.unwrap() {
            pages.push((response.timeline.len(), response.order.is_some()));
        }
        assert_eq!(pages, [(500, false), (500, false), (500, false), (202, true)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_goes_on_after_a_kill_where_it_was() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let order = served.confirmed(5_000).await;
        let (mut client, mut seen) = (served.client.clone(), Seen::default());
        let mut stream = seen.resume(&mut client, &order).await.unwrap();
        seen.reach(&mut stream, 4).await.unwrap();
        served.host.kill();
        seen.take(&mut stream).await.unwrap_err();
        let served = served.restart().await;
        let mut client = served.client.clone();
        client.cancel_order(cancel(&order)).await.unwrap();
        let mut stream = seen.resume(&mut client, &order).await.unwrap();
        seen.end(&mut stream).await.unwrap();
        assert_eq!(seen.entries, served.view(&order).await.timeline);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_instance_does_is_seen_too() {
    for backend in each_backend() {
        let here = Served::start_with(&backend, |_| {}).await;
        let there = here.beside().await;
        here.others.pay(Paying::Approve);
        let order = here.created(5_000).await;
        let (mut client, mut seen) = (here.client.clone(), Seen::default());
        let mut stream = seen.resume(&mut client, &order).await.unwrap();
        assert!(seen.take(&mut stream).await.unwrap());
        let mut elsewhere = there.client.clone();
        elsewhere.pay_order(pay(&order)).await.unwrap();
        seen.reach(&mut stream, 4).await.unwrap();
        elsewhere.cancel_order(cancel(&order)).await.unwrap();
        seen.end(&mut stream).await.unwrap();
        assert_eq!(seen.entries, there.view(&order).await.timeline);
        // What was seen at one instance is known to the other, without waiting for a look.
        let at = seen.version();
        let mut stream = elsewhere.watch_order(after(&order, at)).await.unwrap().into_inner();
        assert_eq!(stream.message().await.unwrap().unwrap().order.unwrap().version, at);
    }
}
