//! Asking when there is much to do: behind the log, at start, with a store that fails.

use std::time::Duration;

use oms_messaging::{ConsumerStatus, Standing};
use sea_orm::DatabaseBackend;
use tokio::sync::watch;

use super::bench::{Bench, everywhere};

/// A consumer that was two batches and so much behind when it measured last.
fn behind(bench: &Bench, more: i64) -> ConsumerStatus {
    let batch = i64::try_from(bench.messaging.settings().consume_batch_max).unwrap();
    ConsumerStatus { assigned: true, caught_up: false, lag: 2 * batch + more }
}

#[tokio::test]
async fn asking_does_not_amplify_overload() {
    everywhere(async |bench| {
        let longest = bench.messaging.settings().ask_delay_ms_max;
        bench.say("s", 1, Standing::Waiting).await;
        bench.hands.clock.advance_ms(bench.messaging.settings().ask_after_ms);
        let status = watch::Sender::new(behind(&bench, 1));
        let mut asker = bench.asker().following(status.subscribe());
        bench.hands.clock.advance_ms(longest - 1);
        assert_eq!(asker.step().await.unwrap(), 0, "behind");
        bench.hands.clock.advance_ms(1);
        assert_eq!(asker.step().await.unwrap(), 1, "behind, but silent for very long");
        bench.hands.clock.advance_ms(longest);
        assert_eq!(asker.step().await.unwrap(), 0, "behind again");
        status.send_replace(behind(&bench, 0));
        assert_eq!(asker.step().await.unwrap(), 1, "two batches are not really behind");
    })
    .await;
}

#[tokio::test]
async fn the_ask_at_start_waits_until_answers_would_be_heard() {
    everywhere(async |bench| {
        bench.say("s", 1, Standing::Waiting).await;
        let status = watch::Sender::new(ConsumerStatus::default());
        let mut asker = bench.asker().following(status.subscribe());
        assert_eq!(asker.sweep().await.unwrap(), 0, "no partitions");
        status.send_replace(behind(&bench, 1));
        assert_eq!(asker.sweep().await.unwrap(), 0, "behind");
        status.send_replace(behind(&bench, 0));
        assert_eq!(asker.sweep().await.unwrap(), 1);
        assert_eq!(asker.sweep().await.unwrap(), 0, "once");
    })
    .await;
}

#[tokio::test]
async fn the_ask_at_start_reaches_more_streams_than_one_chunk_holds() {
    everywhere(async |bench| {
        let mut tx = bench.messaging.begin().await.unwrap();
        let streams: Vec<String> = (0..1_001).map(|n| format!("s-{n}")).collect();
        tx.lock(streams.clone()).await.unwrap();
        for stream in &streams {
            tx.set_standing(stream, Standing::Waiting).unwrap();
        }
        tx.commit().await.unwrap();
        assert_eq!(bench.asker().ask_all_waiting_now().await.unwrap(), 1_001);
        assert_eq!(bench.asker().ask_all_waiting_now().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_ask_at_start_does_not_wait_for_a_stream_somebody_works_on() {
    everywhere(async |bench| {
        for (n, stream) in [(1, "a"), (2, "b")] {
            bench.say(stream, n, Standing::Waiting).await;
        }
        // SQLite has one writer and no locks on rows.
        if bench.backend() == DatabaseBackend::Postgres {
            let mut tx = bench.messaging.begin().await.unwrap();
            tx.lock(["a".to_owned()]).await.unwrap();
            assert_eq!(bench.asker().ask_all_waiting_now().await.unwrap(), 1);
            drop(tx);
            // The pool rolls back in its own time.
            let asked = tokio::time::timeout(Duration::from_secs(30), async {
                loop {
                    match bench.asker().ask_all_waiting_now().await.unwrap() {
                        0 => tokio::task::yield_now().await,
                        asked => break asked,
                    }
                }
            });
            assert_eq!(asked.await.unwrap(), 1);
        } else {
            assert_eq!(bench.asker().ask_all_waiting_now().await.unwrap(), 2);
        }
    })
    .await;
}

#[tokio::test]
async fn a_failed_ask_at_start_keeps_nothing_from_being_asked_and_is_made_up_for() {
    everywhere(async |bench| {
        bench.say("due", 1, Standing::Waiting).await;
        bench.hands.clock.advance_ms(bench.messaging.settings().ask_after_ms);
        bench.say("later", 2, Standing::Waiting).await;
        let (refuse, allow) = match bench.backend() {
            DatabaseBackend::Postgres => (
                "ALTER TABLE streams ADD CONSTRAINT refused \
                 CHECK (id <> 'later' OR ask_at > 1800000030000000)",
                "ALTER TABLE streams DROP CONSTRAINT refused",
            ),
            _ => (
                "CREATE TRIGGER refused BEFORE UPDATE ON streams WHEN OLD.id = 'later' \
                 BEGIN SELECT RAISE(ABORT, 'refused'); END",
                "DROP TRIGGER refused",
            ),
        };
        bench.execute(refuse).await;
        let mut asker = bench.asker();
        asker.sweep().await.unwrap_err();
        assert_eq!(bench.count("outbox WHERE ask").await, 1, "what was due");
        bench.execute(allow).await;
        // All that waits, also what was asked about in the meantime.
        assert_eq!(asker.sweep().await.unwrap(), 2);
        assert_eq!(bench.count("outbox WHERE ask").await, 2);
    })
    .await;
}
