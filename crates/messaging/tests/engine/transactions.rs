//! Transactions: streams locked first, sequences in commit order (rule 1).

use oms_messaging::{Announcement, Event, Failure, Standing};

use super::{
    bench::{Bench, everywhere, key_per_partition},
    ledger::Number,
};

async fn say_about_both(bench: &Bench, n: i64) -> Result<(), Failure> {
    let mut tx = bench.messaging.begin().await?;
    // Named in either order; locked in one.
    let mut streams = ["a".to_owned(), "b".to_owned()];
    streams.rotate_left(usize::try_from(n % 2).unwrap());
    tx.lock(streams.clone()).await?;
    for stream in streams {
        tx.announce(Announcement::new(stream, "test.said.v1", &Number { n })?)?;
    }
    tx.commit().await
}

#[tokio::test]
async fn concurrent_transactions_leave_no_gap_in_a_sequence() {
    everywhere(async |bench| {
        let told = futures::future::join_all((0..40).map(|n| say_about_both(&bench, n))).await;
        assert!(told.iter().all(Result::is_ok), "{told:?}");
        bench.relay().step().await.unwrap();
        let mut sequences = std::collections::BTreeMap::<_, Vec<i64>>::new();
        for delivery in bench.log.records("events") {
            let event = Event::parse(&delivery.record.payload).unwrap();
            let number = event.sequence_number().unwrap();
            sequences.entry(event.subject).or_default().push(number);
        }
        let expected: Vec<i64> = (1..=40).collect();
        assert_eq!(sequences["a"], expected, "commit order is outbox order");
        assert_eq!(sequences["b"], expected);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_locked_cannot_be_spoken_about() {
    everywhere(async |bench| {
        let mut tx = bench.messaging.begin().await.unwrap();
        let said = Announcement::new("s", "test.said.v1", &Number { n: 1 }).unwrap();
        assert!(matches!(tx.announce(said), Err(Failure::Unclassified(_))));
        assert!(tx.set_standing("s", Standing::Waiting).is_err());
    })
    .await;
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing() {
    everywhere(async |bench| {
        let mut tx = bench.messaging.begin().await.unwrap();
        tx.lock(["s".to_owned()]).await.unwrap();
        let said = Announcement::new("s", "test.said.v1", &Number { n: 1 }).unwrap();
        tx.announce(said).unwrap();
        assert_eq!(tx.resend("s", false).await.unwrap(), 1, "written, not committed");
        drop(tx);
        assert_eq!((bench.count("streams").await, bench.count("outbox").await), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn while_the_database_is_away_every_partition_waits_and_no_offset_is_stored() {
    everywhere(async |bench| {
        let keys = key_per_partition().await;
        bench.publish((0..4).map(|n| bench.heard(&keys[n as usize], n)).collect()).await;
        bench.messaging.database().clone().close().await.unwrap();
        let mut consumer = bench.consumer();
        let step = consumer.step().await.unwrap();
        assert_eq!((step.handled, step.retrying), (0, 4));
        assert!(bench.ledger.loads.lock().unwrap().is_empty());
        bench.hands.clock.advance_ms(10_000);
        assert_eq!(consumer.step().await.unwrap().retrying, 4);
        drop(consumer);
        let mut next = bench.consumer();
        assert_eq!(next.step().await.unwrap().polled, 4, "read again from the start");
    })
    .await;
}
