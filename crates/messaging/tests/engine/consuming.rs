//! Batches, duplicates, order.

use super::{
    bench::{asking, everywhere, key_per_partition, record, with_settings},
    ledger::{Fail, UNHEARD},
};

#[tokio::test]
async fn a_hundred_events_are_one_transaction() {
    everywhere(async |bench| {
        bench.publish((1..=100).map(|n| bench.heard(&format!("s-{}", n % 7), n)).collect()).await;
        let mut consumer = bench.consumer();
        let done = bench.consume(&mut consumer).await;
        assert_eq!((done.moved, done.handled), (100, 100));
        assert_eq!(*bench.ledger.loads.lock().unwrap(), [100]);
        assert_eq!(bench.count("inbox").await, 100);
        let committed = bench.ledger.committed.lock().unwrap();
        assert_eq!(committed.len(), 1);
        assert_eq!(committed[0].len(), 7);
    })
    .await;
}

#[tokio::test]
async fn reactions_see_the_events_of_a_partition_in_topic_order() {
    everywhere(async |bench| {
        // Two streams of one partition, interleaved; ids that sort against the topic's order.
        let keys = key_per_partition().await;
        let records = (1..=40).map(|n| bench.heard(&keys[n as usize % 2], 100 - n)).collect();
        bench.publish(records).await;
        bench.consume(&mut bench.consumer()).await;
        let applied = bench.applied().await;
        for parity in [0, 1] {
            let of_stream = applied.iter().copied().filter(|n| n % 2 == parity);
            assert!(of_stream.clone().is_sorted_by(|a, b| a > b), "{applied:?}");
            assert_eq!(of_stream.count(), 20);
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_id_twice_in_a_batch_counts_once() {
    everywhere(async |bench| {
        let records = [1, 2, 1, 1, 3].map(|n| bench.heard("s", n)).to_vec();
        bench.publish(records).await;
        let done = bench.consume(&mut bench.consumer()).await;
        assert_eq!((done.moved, done.duplicates, done.handled), (3, 2, 5));
        assert_eq!(bench.applied().await, [1, 2, 3]);
        assert!(bench.scrape().contains("oms_inbox_duplicates_total{service=\"own\"} 2"));
    })
    .await;
}

#[tokio::test]
async fn what_comes_again_in_a_later_batch_is_applied_once() {
    everywhere(async |bench| {
        bench.publish(vec![bench.heard("s", 1), bench.heard("s", 2)]).await;
        let mut consumer = bench.consumer();
        bench.consume(&mut consumer).await;
        bench.log.redeliver(&bench.group, 0);
        bench.publish(vec![bench.heard("s", 3)]).await;
        let again = bench.consume(&mut consumer).await;
        assert_eq!((again.moved, again.duplicates), (1, 2));
        assert_eq!(bench.applied().await, [1, 2, 3]);
    })
    .await;
}

#[tokio::test]
async fn with_an_empty_inbox_the_reaction_is_asked_again() {
    everywhere(async |bench| {
        bench.publish(vec![bench.heard("s", 1)]).await;
        let mut consumer = bench.consumer();
        bench.consume(&mut consumer).await;
        bench.execute("DELETE FROM inbox").await;
        bench.log.redeliver(&bench.group, 0);
        bench.consume(&mut consumer).await;
        assert_eq!(*bench.ledger.reacted.lock().unwrap(), [1, 1]);
    })
    .await;
}

#[tokio::test]
async fn types_nobody_hears_are_skipped_and_counted() {
    everywhere(async |bench| {
        let unheard = bench.event("s", UNHEARD, 1);
        bench.publish(vec![unheard, bench.heard("s", 2)]).await;
        let mut consumer = bench.consumer();
        let done = bench.consume(&mut consumer).await;
        assert_eq!((done.ignored, done.moved, done.handled), (1, 1, 2));
        assert_eq!(bench.count("inbox").await, 1);
        assert!(bench.scrape().contains("oms_events_ignored_total{service=\"own\"} 1"));
        let status = *consumer.status().borrow();
        assert!(status.assigned && status.caught_up);
        assert_eq!(status.lag, 0);
    })
    .await;
}

#[tokio::test]
async fn a_consumer_has_caught_up_only_at_the_end_of_the_log() {
    with_settings(
        |settings| settings.consume_batch_max = 2,
        async |bench| {
            bench.publish((1..=6).map(|n| bench.heard("s", n)).collect()).await;
            let mut consumer = bench.consumer();
            assert!(!consumer.status().borrow().assigned);
            consumer.step().await.unwrap();
            assert!(consumer.status().borrow().assigned);
            assert!(!consumer.status().borrow().caught_up);
            bench.consume(&mut consumer).await;
            assert!(consumer.status().borrow().caught_up);
        },
    )
    .await;
}

#[tokio::test]
async fn a_consumer_catches_up_under_steady_traffic() {
    with_settings(
        |settings| settings.consume_batch_max = 2,
        async |bench| {
            bench.publish((1..=6).map(|n| bench.heard("s", n)).collect()).await;
            let mut consumer = bench.consumer();
            let mut caught_up = Vec::new();
            for round in 0..3 {
                consumer.step().await.unwrap();
                caught_up.push(consumer.status().borrow().caught_up);
                let new = 7 + 2 * round;
                bench.publish([new, new + 1].map(|n| bench.heard("s", n)).to_vec()).await;
            }
            // Four were left after the first look; as many are always left to be done.
            assert_eq!(caught_up, [false, false, true]);
        },
    )
    .await;
}

#[tokio::test]
async fn when_one_event_fails_the_others_of_its_batch_are_applied_one_by_one() {
    everywhere(async |bench| {
        let keys = key_per_partition().await;
        bench.ledger.fail(3, Fail::Poison);
        let records = (1..=8).map(|n| bench.heard(&keys[n as usize % 4], n)).collect();
        bench.publish(records).await;
        let done = bench.consume(&mut bench.consumer()).await;
        // 7 is of the same stream as 3 and waits behind it.
        assert_eq!((done.moved, done.parked, done.dead_letters), (6, 2, 1));
        let mut applied = bench.applied().await;
        applied.sort_unstable();
        assert_eq!(applied, [1, 2, 4, 5, 6, 8]);
        assert_eq!(bench.ledger.loads.lock().unwrap()[0], 8);
    })
    .await;
}

#[tokio::test]
async fn odd_records_never_stop_a_partition() {
    everywhere(async |bench| {
        let long = vec![b'k'; 5_000];
        let mut odd = vec![
            record(None, Vec::new()),
            record(Some(b"\xff\x00"), b"\xff".to_vec()),
            record(Some(b"a\0b"), b"{\"type\":\"a\\u0000b\"}".to_vec()),
            record(Some(&long), b"[]".to_vec()),
            record(Some(b""), b"{}".to_vec()),
            asking(record(None, b"null".to_vec())),
        ];
        let mut mismatch = bench.heard("other", 7);
        mismatch.key = Some(b"mismatch".to_vec());
        odd.push(mismatch);
        let count = odd.len();
        bench.publish(odd).await;
        bench.publish(vec![bench.heard("s", 1)]).await;
        let done = bench.consume(&mut bench.consumer()).await;
        assert_eq!((done.dead_letters, done.moved), (count as u64, 1));
        // Only a key that can be read marks its stream.
        assert_eq!(bench.count("streams WHERE parked").await, 1);
    })
    .await;
}
