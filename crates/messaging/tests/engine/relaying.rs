//! The relay (rule 9, I6).

use std::sync::Arc;

use async_trait::async_trait;
use oms_messaging::{
    Failure, Log, LogError, PublishError, Record, SimulatedLog, Standing, Subscription,
};
use tokio::sync::{Notify, Semaphore};

use super::{
    bench::{Bench, DLQ, everywhere, with_settings},
    ledger::Fail,
};

async fn due(bench: &Bench) -> i64 {
    bench.count("outbox WHERE published_at IS NULL").await
}

#[tokio::test]
async fn rows_are_published_in_their_order_with_their_headers_and_marked() {
    everywhere(async |bench| {
        for n in 1..=5 {
            bench.say(if n % 2 == 0 { "a" } else { "b" }, n, Standing::Resting).await;
        }
        assert_eq!(bench.relay().step().await.unwrap(), 5);
        let said = bench.said();
        assert_eq!(said["a"], [(2, false), (4, false)]);
        assert_eq!(said["b"], [(1, false), (3, false), (5, false)]);
        assert_eq!(due(&bench).await, 0);
        let first = bench.log.records("events").remove(0);
        assert_eq!(first.header("content-type"), Some(&b"application/cloudevents+json"[..]));
        assert_eq!(first.record.headers.len(), 1);
        let counted = "oms_outbox_published_total{service=\"own\",outcome=\"ok\"} 5";
        assert!(bench.scrape().contains(counted));
    })
    .await;
}

#[tokio::test]
async fn a_batch_is_bounded_and_the_rest_follows() {
    with_settings(
        |settings| settings.relay_batch_max = 2,
        async |bench| {
            for n in 1..=5 {
                bench.say("s", n, Standing::Resting).await;
            }
            let mut relay = bench.relay();
            let mut published = Vec::new();
            for _ in 0..4 {
                published.push(relay.step().await.unwrap());
            }
            assert_eq!(published, [2, 2, 1, 0]);
            assert_eq!(bench.said()["s"], [1, 2, 3, 4, 5].map(|n| (n, false)));
        },
    )
    .await;
}

#[tokio::test]
async fn a_row_is_marked_only_after_its_delivery_report() {
    everywhere(async |bench| {
        bench.say("s", 1, Standing::Resting).await;
        let mut relay = bench.relay();
        assert!(!*relay.status().borrow());
        bench.log.fail_publishes(1);
        assert!(matches!(relay.step().await, Err(Failure::Transient(_))));
        assert!(!*relay.status().borrow());
        assert_eq!(due(&bench).await, 1);
        bench.log.swallow_acks(1);
        assert!(relay.step().await.is_err());
        assert_eq!(due(&bench).await, 1);
        assert_eq!(relay.step().await.unwrap(), 1);
        assert!(*relay.status().borrow());
        assert_eq!(due(&bench).await, 0);
        assert_eq!(bench.said()["s"], [(1, false), (1, false)], "at least once");
    })
    .await;
}

#[tokio::test]
async fn of_a_stream_only_what_comes_before_the_first_failure_is_marked() {
    everywhere(async |bench| {
        bench.log.fail_publishes(1);
        bench.say("a", 1, Standing::Resting).await;
        bench.say("b", 2, Standing::Resting).await;
        bench.say("a", 3, Standing::Resting).await;
        let mut relay = bench.relay();
        assert_eq!(relay.step().await.unwrap(), 1);
        assert_eq!(due(&bench).await, 2);
        assert_eq!(relay.step().await.unwrap(), 0, "the stream steps aside for a while");
        bench.hands.clock.advance_ms(bench.messaging.settings().retry_delay_ms_max + 1);
        assert_eq!(relay.step().await.unwrap(), 2);
        assert_eq!(bench.said()["a"], [(1, false), (3, false)]);
    })
    .await;
}

/// A log whose reports say that everything arrived but the first record.
#[derive(Debug)]
struct Careless(SimulatedLog);

#[async_trait]
impl Log for Careless {
    async fn publish(&self, mut records: Vec<Record>) -> Vec<Result<(), PublishError>> {
        records.remove(0);
        let mut reports = vec![Err(PublishError::Unavailable("lost".to_owned()))];
        reports.extend(self.0.publish(records).await);
        reports
    }

    async fn subscribe(&self, g: &str, t: &[&str]) -> Result<Box<dyn Subscription>, LogError> {
        self.0.subscribe(g, t).await
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.0.ping().await
    }
}

#[tokio::test]
async fn a_row_that_overtook_another_is_not_taken_for_delivered() {
    everywhere(async |bench| {
        bench.say("a", 1, Standing::Resting).await;
        bench.say("a", 2, Standing::Resting).await;
        let mut relay = bench.relay_on(Arc::new(Careless(bench.log.clone())));
        assert!(relay.step().await.is_err());
        assert_eq!(due(&bench).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_refused_record_blocks_only_its_stream_until_it_is_offered_again() {
    everywhere(async |bench| {
        let long = "a-stream-whose-name-alone-makes-its-records-longer-than-those-of-others";
        bench.say(long, 1, Standing::Resting).await;
        bench.say("good", 2, Standing::Resting).await;
        let longest = "SELECT CAST(min(length(payload)) AS BIGINT) FROM outbox";
        let shorter = usize::try_from(bench.numbers(longest).await[0]).unwrap();
        bench.log.limit_record_bytes(shorter + 60);
        let mut relay = bench.relay();
        assert_eq!(relay.step().await.unwrap(), 1);
        assert_eq!(bench.count("outbox WHERE refused_reason IS NOT NULL").await, 1);
        // Mended, but not offered before its time; nor is anything else of its stream.
        bench.log.limit_record_bytes(1_000_000);
        bench.say(long, 3, Standing::Resting).await;
        bench.say("good", 4, Standing::Resting).await;
        assert_eq!(relay.step().await.unwrap(), 1);
        bench.hands.clock.advance_ms(bench.messaging.settings().refused_delay_ms);
        assert_eq!(relay.step().await.unwrap(), 2);
        let said = bench.said();
        assert_eq!(said[long], [(1, false), (3, false)]);
        assert_eq!(said["good"], [(2, false), (4, false)]);
        assert_eq!(bench.count("outbox WHERE refused_until IS NOT NULL").await, 0);
        let counted = "oms_outbox_published_total{service=\"own\",outcome=\"refused\"} 1";
        assert!(bench.scrape().contains(counted));
    })
    .await;
}

#[tokio::test]
async fn a_refused_dead_letter_does_not_hold_back_the_events_of_its_stream() {
    everywhere(async |bench| {
        bench.ledger.fail(1, Fail::Poison);
        bench.publish(vec![bench.heard("s", 1)]).await;
        bench.consume(&mut bench.consumer()).await;
        bench.say("s", 2, Standing::Resting).await;
        // The dead letter is longer than any event by its headers.
        let longest = "SELECT CAST(max(length(payload)) AS BIGINT) FROM outbox";
        let payload = usize::try_from(bench.numbers(longest).await[0]).unwrap();
        bench.log.limit_record_bytes(payload + 100);
        let mut relay = bench.relay();
        assert_eq!(relay.step().await.unwrap(), 1);
        bench.say("s", 3, Standing::Resting).await;
        assert_eq!(relay.step().await.unwrap(), 1);
        assert_eq!(bench.said()["s"], [(2, false), (3, false)]);
        assert!(bench.log.records(DLQ).is_empty());
    })
    .await;
}

/// A log that tells when a publish has begun, and ends it when it is let go.
#[derive(Debug)]
struct Gated {
    log: SimulatedLog,
    began: Notify,
    go: Semaphore,
}

#[async_trait]
impl Log for Gated {
    async fn publish(&self, records: Vec<Record>) -> Vec<Result<(), PublishError>> {
        let reports = self.log.publish(records).await;
        self.began.notify_one();
        self.go.acquire().await.unwrap().forget();
        reports
    }

    async fn subscribe(&self, g: &str, t: &[&str]) -> Result<Box<dyn Subscription>, LogError> {
        self.log.subscribe(g, t).await
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.log.ping().await
    }
}

#[tokio::test]
async fn a_resend_during_a_publish_is_not_lost() {
    everywhere(async |bench| {
        bench.say("s", 1, Standing::Waiting).await;
        bench.say("t", 2, Standing::Waiting).await;
        let (began, go) = (Notify::new(), Semaphore::new(0));
        let gated = Arc::new(Gated { log: bench.log.clone(), began, go });
        let mut relay = bench.relay_on(gated.clone());
        let meanwhile = async {
            gated.began.notified().await;
            let mut tx = bench.messaging.begin().await.unwrap();
            tx.lock(["s".to_owned()]).await.unwrap();
            assert_eq!(tx.resend("s", true).await.unwrap(), 1);
            tx.commit().await.unwrap();
            gated.go.add_permits(10);
        };
        let (published, ()) = tokio::join!(relay.step(), meanwhile);
        published.unwrap();
        assert_eq!(due(&bench).await, 1, "the newer wish is not marked");
        relay.step().await.unwrap();
        assert_eq!(bench.said()["s"], [(1, false), (1, true)]);
        assert_eq!(bench.said()["t"].len(), 1);
        assert_eq!(due(&bench).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_question_in_flight_is_not_asked_again_by_an_answer() {
    everywhere(async |bench| {
        bench.say("s", 1, Standing::Waiting).await;
        bench.relay().step().await.unwrap();
        bench.asked_again("s", true).await;
        let (began, go) = (Notify::new(), Semaphore::new(0));
        let gated = Arc::new(Gated { log: bench.log.clone(), began, go });
        let mut relay = bench.relay_on(gated.clone());
        bench.hands.clock.advance_ms(bench.messaging.settings().lease_ms);
        let meanwhile = async {
            gated.began.notified().await;
            bench.asked_again("s", false).await;
            gated.go.add_permits(10);
        };
        let (published, ()) = tokio::join!(relay.step(), meanwhile);
        published.unwrap();
        relay.step().await.unwrap();
        assert_eq!(bench.said()["s"], [(1, false), (1, true), (1, false)]);
    })
    .await;
}

/// A broker that has lost the leader of what belongs to some keys.
#[derive(Debug)]
struct Leaderless {
    log: SimulatedLog,
}

#[async_trait]
impl Log for Leaderless {
    async fn publish(&self, records: Vec<Record>) -> Vec<Result<(), PublishError>> {
        let mut reports = Vec::new();
        for record in records {
            let lost = record.key.as_ref().is_some_and(|key| key.starts_with(b"lost"));
            match lost {
                true => reports.push(Err(PublishError::Unavailable("no leader".to_owned()))),
                false => reports.extend(self.log.publish(vec![record]).await),
            }
        }
        reports
    }

    async fn subscribe(&self, g: &str, t: &[&str]) -> Result<Box<dyn Subscription>, LogError> {
        self.log.subscribe(g, t).await
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.log.ping().await
    }
}

#[tokio::test]
async fn rows_nobody_takes_now_do_not_fill_every_batch() {
    let small = |settings: &mut oms_messaging::MessagingSettings| settings.relay_batch_max = 4;
    with_settings(small, async |bench| {
        let mut relay = bench.relay_on(Arc::new(Leaderless { log: bench.log.clone() }));
        bench.say("fine-0", 1, Standing::Resting).await;
        for n in 0..3 {
            bench.say(&format!("lost-{n}"), 10 + n, Standing::Resting).await;
        }
        for n in 0..8 {
            bench.say(&format!("fine-{n}"), 20 + n, Standing::Resting).await;
        }
        while relay.step().await.unwrap() > 0 {}
        assert_eq!(due(&bench).await, 3, "only what has no leader waits");
        let mut healed = bench.relay();
        let settings = bench.messaging.settings();
        bench.hands.clock.advance_ms(settings.lease_ms.max(settings.retry_delay_ms_max) + 1);
        while healed.step().await.unwrap() > 0 {}
        assert_eq!(due(&bench).await, 0);
    })
    .await;
}

#[tokio::test]
async fn of_two_relays_one_is_active_until_its_lease_ends() {
    everywhere(async |bench| {
        let (mut first, mut second) = (bench.relay(), bench.relay());
        first.step().await.unwrap();
        bench.say("s", 1, Standing::Resting).await;
        assert_eq!(second.step().await.unwrap(), 0);
        assert_eq!(first.step().await.unwrap(), 1);
        bench.say("s", 2, Standing::Resting).await;
        // The first one dies; its lease runs out.
        drop(first);
        assert_eq!(second.step().await.unwrap(), 0);
        bench.hands.clock.advance_ms(bench.messaging.settings().lease_ms);
        assert_eq!(second.step().await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_resend_never_says_a_dead_letter_again() {
    everywhere(async |bench| {
        bench.ledger.fail(1, Fail::Poison);
        bench.publish(vec![bench.heard("s", 1)]).await;
        bench.consume(&mut bench.consumer()).await;
        bench.say("s", 2, Standing::Resting).await;
        let mut relay = bench.relay();
        relay.step().await.unwrap();
        let mut tx = bench.messaging.begin().await.unwrap();
        tx.lock(["s".to_owned()]).await.unwrap();
        assert_eq!(tx.resend("s", false).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(relay.step().await.unwrap(), 1);
        assert_eq!(bench.log.records(DLQ).len(), 1);
    })
    .await;
}
