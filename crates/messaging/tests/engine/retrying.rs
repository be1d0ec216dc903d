//! Failures that are not poison, or not yet.

use super::{
    bench::{DLQ, everywhere, key_per_partition},
    ledger::Fail,
};

#[tokio::test]
async fn a_transient_failure_pauses_only_its_partition_and_loses_nothing() {
    everywhere(async |bench| {
        let keys = key_per_partition().await;
        bench.ledger.fail(1, Fail::Transient(3));
        let one_each = |from: i64| {
            (0..4).map(|i| bench.heard(&keys[i as usize], from + i)).collect::<Vec<_>>()
        };
        bench.publish(one_each(1)).await;
        let mut consumer = bench.consumer();
        let done = bench.consume(&mut consumer).await;
        assert_eq!((done.moved, done.retrying), (3, 1));
        bench.publish(one_each(5)).await;
        let done = bench.consume(&mut consumer).await;
        assert_eq!((done.moved, done.retrying), (3, 1), "the others go on");
        let mut tries = 0;
        while bench.consume(&mut consumer).await.retrying > 0 {
            bench.hands.clock.advance_ms(10_000);
            tries += 1;
            assert!(tries < 10, "never mended");
        }
        let applied = bench.applied().await;
        let place = |n| applied.iter().position(|x| *x == n).unwrap();
        assert_eq!(applied.len(), 8, "{applied:?}");
        assert!(place(1) < place(5), "{applied:?}");
        assert_eq!(bench.count("parked").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_paused_partition_is_not_tried_before_its_time() {
    everywhere(async |bench| {
        bench.ledger.fail(1, Fail::Transient(u32::MAX));
        bench.publish(vec![bench.heard("s", 1)]).await;
        let mut consumer = bench.consumer();
        bench.consume(&mut consumer).await;
        let tries = || bench.ledger.reacted.lock().unwrap().len();
        let before = tries();
        for _ in 0..5 {
            consumer.step().await.unwrap();
        }
        assert_eq!(tries(), before);
        // The delay doubles: after the second failure the first delay is no longer enough.
        let first = bench.messaging.settings().retry_delay_ms_min;
        bench.hands.clock.advance_ms(first);
        consumer.step().await.unwrap();
        assert_eq!(tries(), before + 1);
        bench.hands.clock.advance_ms(first);
        consumer.step().await.unwrap();
        assert_eq!(tries(), before + 1);
        bench.hands.clock.advance_ms(first);
        consumer.step().await.unwrap();
        assert_eq!(tries(), before + 2);
    })
    .await;
}

#[tokio::test]
async fn an_unclassified_failure_becomes_poison_after_its_tries() {
    everywhere(async |bench| {
        let most = bench.messaging.settings().retry_unclassified_max;
        bench.ledger.fail(1, Fail::Unclassified(u32::MAX));
        bench.publish(vec![bench.heard("s", 1)]).await;
        let mut consumer = bench.consumer();
        for tried in 1..=most {
            assert_eq!(bench.count("parked").await, 0, "after {} tries", tried - 1);
            bench.consume(&mut consumer).await;
            bench.hands.clock.advance_ms(10_000);
        }
        assert_eq!(bench.count("parked WHERE reason = 'unclassified'").await, 1);
        bench.relay().step().await.unwrap();
        let letter = bench.log.records(DLQ).pop().unwrap();
        assert_eq!(letter.header("x-retry-count"), Some(most.to_string().as_bytes()));
        assert_eq!(consumer.step().await.unwrap().retrying, 0);
    })
    .await;
}

#[tokio::test]
async fn an_unclassified_failure_that_goes_away_is_no_poison() {
    everywhere(async |bench| {
        bench.ledger.fail(1, Fail::Unclassified(3));
        bench.publish(vec![bench.heard("s", 1), bench.heard("s", 2)]).await;
        let mut consumer = bench.consumer();
        while bench.consume(&mut consumer).await.retrying > 0 {
            bench.hands.clock.advance_ms(10_000);
        }
        assert_eq!(bench.applied().await, [1, 2]);
        assert_eq!(bench.count("parked").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_revoked_partition_leaves_no_queue_behind() {
    everywhere(async |bench| {
        let keys = key_per_partition().await;
        bench.ledger.fail(1, Fail::Transient(u32::MAX));
        bench.ledger.fail(2, Fail::Transient(u32::MAX));
        bench.publish(vec![bench.heard(&keys[0], 1), bench.heard(&keys[1], 2)]).await;
        let mut first = bench.consumer();
        assert_eq!(bench.consume(&mut first).await.retrying, 2);
        // A second member takes half of the partitions, one of the two waiting ones among them.
        let mut second = bench.consumer();
        bench.consume(&mut second).await;
        assert_eq!(bench.consume(&mut first).await.retrying, 1);
        bench.ledger.mend();
        bench.hands.clock.advance_ms(10_000);
        bench.consume(&mut first).await;
        bench.consume(&mut second).await;
        let mut applied = bench.applied().await;
        applied.sort_unstable();
        assert_eq!(applied, [1, 2]);
    })
    .await;
}

#[tokio::test]
async fn when_the_log_begins_anew_all_it_holds_then_is_applied() {
    everywhere(async |bench| {
        bench.ledger.fail(1, Fail::Transient(u32::MAX));
        bench.publish((1..=3).map(|n| bench.heard("s", n)).collect()).await;
        let mut consumer = bench.consumer();
        assert_eq!(bench.consume(&mut consumer).await.retrying, 1);
        bench.log.lose_all();
        // A rebalance delivers from the paused partition again.
        let mut passing = bench.consumer();
        for _ in 0..2 {
            bench.consume(&mut passing).await;
        }
        drop(passing);
        bench.ledger.mend();
        bench.ledger.fail(12, Fail::Transient(1));
        bench.publish(vec![bench.heard("s", 11), bench.heard("s", 12)]).await;
        while bench.consume(&mut consumer).await.retrying > 0 {
            bench.hands.clock.advance_ms(10_000);
        }
        assert_eq!(bench.applied().await, [11, 12]);
    })
    .await;
}

#[tokio::test]
async fn while_the_log_is_away_a_step_says_so_and_nothing_is_lost() {
    everywhere(async |bench| {
        let mut consumer = bench.consumer();
        bench.publish(vec![bench.heard("s", 1)]).await;
        bench.log.down();
        assert!(consumer.step().await.is_err());
        bench.log.up();
        bench.consume(&mut consumer).await;
        assert_eq!(bench.applied().await, [1]);
    })
    .await;
}
