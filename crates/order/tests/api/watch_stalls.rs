//! Whoever watches and reads no more keeps nobody waiting.

use std::time::Duration;

use oms_proto::oms_v1::{WatchOrderResponse, order_service_client::OrderServiceClient as Client};
use tokio::task::JoinSet;
use tonic::{Streaming, transport::Channel};

use super::watching::write_on;
use crate::served::{Seen, Served, cancel, each_backend, get, pay, watch};

/// Only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Watches that take one byte of their answer and never read it. They begin together, so that some
/// are asked for their second word while others still look.
async fn stalled(
    served: &Served,
    order: &str,
    connections: usize,
    streams: usize,
) -> Vec<(Client<Channel>, Streaming<WatchOrderResponse>)> {
    let mut watches = JoinSet::new();
    for _ in 0..connections {
        let client = served.slow_client(1).await;
        for _ in 0..streams {
            let (mut client, request) = (client.clone(), watch(order));
            watches.spawn(async move {
                let stream = client.watch_order(request).await.unwrap().into_inner();
                (client, stream)
            });
        }
    }
    let begun = tokio::time::timeout(PATIENCE, watches.join_all()).await;
    begun.expect("not every watch begins")
}

/// A watch that began before them and one that begins after them see the order to its end.
async fn others_see_everything(served: &Served, connections: usize, streams: usize, entries: i32) {
    let order = served.created(5_000).await;
    write_on(served, &order, entries).await;
    let mut client = served.client.clone();
    let mut early = Seen::default();
    let mut early_stream = early.resume(&mut client, &order).await.unwrap();
    early.reach(&mut early_stream, 1 + entries).await.unwrap();
    let silent = stalled(served, &order, connections, streams).await;

    let mut late = Seen::default();
    let mut late_stream = late.resume(&mut client, &order).await.unwrap();
    late.reach(&mut late_stream, 1 + entries).await.unwrap();
    client.pay_order(pay(&order)).await.unwrap();
    early.reach(&mut early_stream, 4 + entries).await.unwrap();
    client.cancel_order(cancel(&order)).await.unwrap();
    early.end(&mut early_stream).await.unwrap();
    late.end(&mut late_stream).await.unwrap();
    assert_eq!((&early.entries, &early.order), (&late.entries, &late.order));
    let read = tokio::time::timeout(PATIENCE, client.get_order(get(&order))).await;
    let view = read.expect("they keep the connections for reading").unwrap().into_inner();
    assert_eq!((view.order, early.entries.last()), (early.order, view.timeline.last()));
    drop(silent);
    served.until_counted("oms_watchers 0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_who_read_no_more_keep_no_other_watcher_of_the_order_waiting() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        others_see_everything(&served, 5, 1, 0).await;
        others_see_everything(&served, 1, 10, 0).await;
        others_see_everything(&served, 3, 100, 0).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_who_stop_between_two_pages_keep_no_connection_to_the_database() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        // More than two pages each.
        others_see_everything(&served, 1, 60, 1_100).await;
    }
}
