//! The process dies at every fault point and comes back (I6): every event is applied once, every
//! row is on the log at least once, and per stream in order.

use std::collections::BTreeMap;

use super::bench::{Bench, TOPIC, with_settings};

const EVENTS: i64 = 12;

const POINTS: [&str; 6] = [
    "relay.before_publish",
    "relay.after_publish",
    "relay.after_mark",
    "consumer.before_commit",
    "consumer.after_commit",
    "consumer.after_store",
];

/// Lives until everything is done (true) or it dies (false).
async fn live(bench: &Bench) -> bool {
    let (mut consumer, mut relay) = (bench.consumer(), bench.relay());
    // A lease left by a dead relay runs out.
    bench.hands.clock.advance_ms(bench.messaging.settings().lease_ms);
    let life = async {
        loop {
            let step = consumer.step().await.unwrap();
            if relay.step().await.unwrap() == 0 && step.is_idle() {
                break;
            }
        }
    };
    bench.hands.plan.survives(life).await
}

fn firsts(numbers: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let mut seen = Vec::new();
    for n in numbers {
        if !seen.contains(&n) {
            seen.push(n);
        }
    }
    seen
}

async fn crash_at(bench: &Bench, point: &'static str, nth: u32) {
    bench.echo();
    let stream = |n: i64| format!("s-{}", n % 5);
    bench.publish((1..=EVENTS).map(|n| bench.heard(&stream(n), n)).collect()).await;
    bench.hands.plan.arm(point, nth);
    assert!(!live(bench).await, "{point} was not reached {nth} times");
    assert!(live(bench).await);
    let mut of_stream = BTreeMap::<_, Vec<_>>::new();
    for n in 1..=EVENTS {
        of_stream.entry(stream(n)).or_default().push(n);
    }
    let mut applied = bench.applied().await;
    for (stream, expected) in &of_stream {
        let order: Vec<i64> = applied.iter().copied().filter(|n| expected.contains(n)).collect();
        assert_eq!(order, *expected, "{point} {nth} {stream}: applied once, in order");
    }
    applied.sort_unstable();
    assert_eq!(applied, (1..=EVENTS).collect::<Vec<_>>());
    let said = bench.said();
    for (stream, expected) in &of_stream {
        let told = firsts(said[stream].iter().map(|(n, _)| *n));
        assert_eq!(told, *expected, "{point} {nth} {stream}: said in order");
    }
    assert_eq!(bench.count("outbox WHERE published_at IS NULL").await, 0);
    assert_eq!(bench.count("outbox").await, EVENTS);
}

#[tokio::test]
async fn dying_at_any_fault_point_loses_nothing_and_repeats_no_effect() {
    for point in POINTS {
        for nth in [1, 2] {
            with_settings(
                |settings| settings.consume_batch_max = 5,
                async |bench| crash_at(&bench, point, nth).await,
            )
            .await;
        }
    }
}

#[tokio::test]
async fn dying_while_poison_is_parked_leaves_one_dead_letter() {
    for point in POINTS {
        with_settings(
            |_| (),
            async |bench| {
                bench.ledger.fail(2, super::ledger::Fail::Poison);
                bench.publish((1..=4).map(|n| bench.heard("s", n)).collect()).await;
                for nth in 1..=4 {
                    bench.hands.plan.arm(point, nth);
                    live(&bench).await;
                }
                bench.hands.plan.arm("nowhere", 1);
                assert!(live(&bench).await);
                assert_eq!(bench.applied().await, [1], "{point}");
                assert_eq!(bench.count("parked").await, 3, "{point}");
                assert_eq!(bench.count("outbox").await, 1, "{point}");
                assert!(!bench.log.records(super::bench::DLQ).is_empty(), "{point}");
                assert_eq!(bench.log.records(TOPIC).len(), 4);
            },
        )
        .await;
    }
}
