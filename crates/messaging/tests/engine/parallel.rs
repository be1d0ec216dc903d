//! Several workers: partitions side by side, order within each, and room that is bounded.

use std::{sync::atomic::Ordering, time::Duration};

use oms_messaging::{Consumer, Log, MessagingSettings};
use sea_orm::DatabaseBackend;
use tokio_util::sync::CancellationToken;

use super::{
    bench::{Bench, TOPIC, key_per_partition, with_settings},
    ledger::{Fail, Ledger},
};

const PATIENCE: Duration = Duration::from_secs(60);

fn four_workers(settings: &mut MessagingSettings) {
    settings.consume_parallel_max = 4;
    // Small, so that a worker that is held up has no room soon.
    settings.consume_batch_max = 5;
    (settings.retry_delay_ms_min, settings.retry_delay_ms_max) = (1, 1);
}

/// Runs consumers until the work beside them is done.
async fn beside(consumers: Vec<Consumer<Ledger>>, work: impl Future<Output = ()>) {
    let stop = CancellationToken::new();
    let runs = consumers.into_iter().map(|consumer| consumer.run(stop.clone()));
    let work = async {
        work.await;
        stop.cancel();
    };
    let all = async { tokio::join!(futures::future::join_all(runs), work).0 };
    for ended in tokio::time::timeout(PATIENCE, all).await.expect("it hangs") {
        ended.unwrap();
    }
}

/// Waits until so many events are applied. The clock goes on, so that what waits is tried again.
async fn applied(bench: &Bench, wanted: usize) {
    while bench.applied().await.len() < wanted {
        bench.hands.clock.advance_ms(10);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Events `1..=count` of each key in turn; the number tells the key: `n % 4`.
fn of_all(bench: &Bench, keys: &[String], count: i64) -> Vec<oms_messaging::Record> {
    (1..=count).map(|n| bench.heard(&keys[(n % 4) as usize], n)).collect()
}

/// Each once, and those of one key in their order.
async fn each_once_in_order(bench: &Bench, count: i64) {
    let applied = bench.applied().await;
    for key in 0..4 {
        let of_key: Vec<i64> = applied.iter().copied().filter(|n| n % 4 == key).collect();
        let expected: Vec<i64> = (1..=count).filter(|n| n % 4 == key).collect();
        assert_eq!(of_key, expected, "key {key}");
    }
    assert_eq!(bench.count("inbox").await, count);
}

#[tokio::test]
async fn many_workers_apply_each_event_once_and_a_partition_in_its_order() {
    with_settings(four_workers, async |bench| {
        let keys = key_per_partition().await;
        bench.publish(of_all(&bench, &keys, 200)).await;
        beside(vec![bench.consumer()], applied(&bench, 200)).await;
        each_once_in_order(&bench, 200).await;
        // The offsets were stored: who comes next has nothing to do.
        let done = bench.consume(&mut bench.consumer()).await;
        assert_eq!(done.handled, 0);
    })
    .await;
}

#[tokio::test]
async fn a_head_that_fails_holds_up_its_partition_alone_however_much_follows() {
    with_settings(four_workers, async |bench| {
        let keys = key_per_partition().await;
        bench.ledger.fail(1, Fail::Transient(u32::MAX));
        bench.publish(of_all(&bench, &keys, 200)).await;
        let work = async {
            // All but the fifty behind the one that fails.
            applied(&bench, 150).await;
            assert!(bench.applied().await.iter().all(|n| n % 4 != 1));
            bench.ledger.mend();
            applied(&bench, 200).await;
        };
        beside(vec![bench.consumer()], work).await;
        each_once_in_order(&bench, 200).await;
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_waits_for_a_lock_holds_up_nobody_else_and_takes_few_records_in() {
    with_settings(four_workers, async |bench| {
        if bench.backend() != DatabaseBackend::Postgres {
            // SQLite has one writer: who holds it holds up everybody.
            return;
        }
        let keys = key_per_partition().await;
        let mut lock = bench.messaging.begin().await.unwrap();
        lock.lock([keys[1].clone()]).await.unwrap();
        bench.publish(of_all(&bench, &keys, 400)).await;
        let work = async {
            applied(&bench, 300).await;
            assert!(bench.applied().await.iter().all(|n| n % 4 != 1));
            // In its transaction, in its lanes, in its channel, and what the reader holds for it.
            let taken = bench.ledger.looked_at.load(Ordering::SeqCst) - 300;
            let batch = bench.messaging.settings().consume_batch_max;
            assert!(taken <= 4 * batch, "{taken} of 100 were taken from the log");
            lock.commit().await.unwrap();
            applied(&bench, 400).await;
        };
        beside(vec![bench.consumer()], work).await;
        each_once_in_order(&bench, 400).await;
    })
    .await;
}

#[tokio::test]
async fn members_that_come_and_go_lose_nothing_and_repeat_nothing() {
    with_settings(four_workers, async |bench| {
        let keys = key_per_partition().await;
        bench.publish(of_all(&bench, &keys, 200)).await;
        let one = beside(vec![bench.consumer()], applied(&bench, 400));
        let others = async {
            applied(&bench, 20).await;
            // Joins, takes partitions over, and leaves in the middle; then another one dies.
            beside(vec![bench.consumer()], applied(&bench, 60)).await;
            bench
                .publish((201..=400).map(|n| bench.heard(&keys[(n % 4) as usize], n)).collect())
                .await;
            let dies = bench.consumer().run(CancellationToken::new());
            tokio::select! {
                ended = dies => panic!("{ended:?}"),
                () = applied(&bench, 300) => {}
            }
        };
        tokio::join!(one, others);
        each_once_in_order(&bench, 400).await;
    })
    .await;
}

#[tokio::test]
async fn a_failure_from_before_a_rebalance_does_not_stop_the_partition_that_came_back() {
    with_settings(four_workers, async |bench| {
        let keys = key_per_partition().await;
        // In its batch, and then by itself.
        bench.ledger.fail(1, Fail::Transient(2));
        let closed = bench.ledger.gate.write().await;
        bench.publish(vec![bench.heard(&keys[3], 1)]).await;
        let work = async {
            while bench.ledger.loads.lock().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // Another member takes the last partition and gives it back, and the first one sees
            // both before its worker, in the middle of a transaction, learns of the failure.
            let mut other = bench.log.subscribe(&bench.group, &[TOPIC]).await.unwrap();
            while other.poll(1, Duration::from_millis(10)).await.unwrap().is_empty() {}
            drop(other);
            // It is looked at for the first time, by the other one not at all, and again.
            while bench.ledger.looked_at.load(Ordering::SeqCst) < 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            drop(closed);
            applied(&bench, 1).await;
            bench.publish(vec![bench.heard(&keys[3], 2)]).await;
            applied(&bench, 2).await;
        };
        beside(vec![bench.consumer()], work).await;
        assert_eq!(bench.applied().await, [1, 2]);
    })
    .await;
}
