//! Retention keeps what somebody may still need.

use oms_messaging::{Announcement, Retention, Standing};
use sea_orm::DatabaseBackend;

use super::{
    bench::{Bench, everywhere},
    ledger::Number,
};

const HOUR_MS: u64 = 3_600_000;

async fn rows(bench: &Bench) -> (i64, i64, i64) {
    (bench.count("outbox").await, bench.count("inbox").await, bench.count("streams").await)
}

#[tokio::test]
async fn rows_are_kept_until_their_stream_has_ended_and_retention_has_passed() {
    everywhere(async |bench| {
        *bench.ledger.standing.lock().unwrap() = Some(Standing::Ended);
        bench.echo();
        bench.publish(vec![bench.heard("ended", 1)]).await;
        bench.consume(&mut bench.consumer()).await;
        bench.say("rests", 2, Standing::Resting).await;
        bench.say("waits", 3, Standing::Waiting).await;
        bench.relay().step().await.unwrap();
        let mut retention = Retention::new(bench.messaging.clone());
        let whole = bench.messaging.settings().retention_hours * HOUR_MS;
        bench.hands.clock.advance_ms(whole);
        assert_eq!(retention.step().await.unwrap(), 0);
        assert_eq!(rows(&bench).await, (3, 1, 3));
        bench.hands.clock.advance_ms(1);
        assert_eq!(retention.step().await.unwrap(), 1);
        assert_eq!(rows(&bench).await, (2, 0, 3), "the stream's own row stays");
        assert_eq!(retention.step().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_published_or_is_parked_is_kept() {
    everywhere(async |bench| {
        bench.say("unpublished", 1, Standing::Ended).await;
        bench.say("parked", 2, Standing::Ended).await;
        let mut tx = bench.messaging.begin().await.unwrap();
        tx.lock(["parked".to_owned()]).await.unwrap();
        tx.set_parked("parked", true).unwrap();
        tx.commit().await.unwrap();
        let mut retention = Retention::new(bench.messaging.clone());
        bench.hands.clock.advance_ms(10_000 * HOUR_MS);
        assert_eq!(retention.step().await.unwrap(), 0);
        bench.relay().step().await.unwrap();
        assert_eq!(retention.step().await.unwrap(), 1);
        assert_eq!(bench.count("outbox WHERE stream = 'parked'").await, 1);
        assert_eq!(bench.count("outbox").await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_said_between_the_look_and_the_lock_keeps_its_stream() {
    everywhere(async |bench| {
        bench.say("s", 1, Standing::Ended).await;
        bench.relay().step().await.unwrap();
        bench.hands.clock.advance_ms(10_000 * HOUR_MS);
        let mut retention = Retention::new(bench.messaging.clone());
        let mut holder = bench.messaging.begin().await.unwrap();
        holder.lock(["s".to_owned()]).await.unwrap();
        let cleaned = if bench.backend() == DatabaseBackend::Postgres {
            // Retention has looked, or will look, and waits for the holder's lock.
            let say = async {
                holder.announce(Announcement::new("s", "x", &Number { n: 2 }).unwrap()).unwrap();
                holder.commit().await.unwrap();
            };
            tokio::join!(retention.step(), say).0
        } else {
            // One connection, given in the order in which it is asked for: retention looks, the
            // stream says something, retention locks.
            let let_go = async { drop(holder) };
            tokio::join!(retention.step(), bench.say("s", 2, Standing::Ended), let_go).0
        };
        assert_eq!(cleaned.unwrap(), 0);
        assert_eq!(bench.count("outbox").await, 2);
    })
    .await;
}
