//! Leases, gauges, and the loops around the steps.

use std::{collections::BTreeMap, time::Duration};

use futures::future::try_join_all;
use oms_messaging::{Lease, MessagingMetrics, Standing, crew::WATCHED};
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::bench::{everywhere, key_per_partition, with_settings};

/// What runs of a crew.
const PARTS: [&str; 4] = ["relay", "consumer", "asker", "retention"];

/// The last word about each that is watched.
type Told = BTreeMap<&'static str, Result<(), String>>;

#[tokio::test]
async fn a_lease_has_one_holder_and_is_renewed_while_it_is_used() {
    everywhere(async |bench| {
        let lease = |name| Lease::new(bench.messaging.clone(), name);
        let (mut first, mut second, mut other) = (lease("job"), lease("job"), lease("another"));
        assert!(first.hold().await.unwrap());
        assert!(!second.hold().await.unwrap());
        assert!(other.hold().await.unwrap());
        let third = bench.messaging.settings().lease_ms / 3;
        for _ in 0..12 {
            bench.hands.clock.advance_ms(third);
            assert!(first.hold().await.unwrap());
            assert!(!second.hold().await.unwrap());
        }
        first.release().await;
        assert!(second.hold().await.unwrap());
        assert!(!first.hold().await.unwrap());
        first.release().await;
        assert!(!first.hold().await.unwrap(), "nobody gives back what another holds");
        bench.hands.clock.advance_ms(3 * third + 3);
        assert!(first.hold().await.unwrap());
        assert!(!second.hold().await.unwrap(), "who comes too late has lost it");
    })
    .await;
}

#[tokio::test]
async fn while_it_is_held_a_lease_costs_no_statement() {
    everywhere(async |bench| {
        let mut lease = Lease::new(bench.messaging.clone(), "job");
        assert!(lease.hold().await.unwrap());
        bench.execute("DROP TABLE leases").await;
        assert!(lease.hold().await.unwrap());
        bench.hands.clock.advance_ms(bench.messaging.settings().lease_ms);
        assert!(lease.hold().await.is_err());
    })
    .await;
}

#[tokio::test]
async fn gauges_are_read_from_the_database_before_a_scrape() {
    everywhere(async |bench| {
        bench.say("s", 1, Standing::Resting).await;
        bench.hands.clock.advance_ms(1_500);
        let refresh = bench.crew().gauges(bench.messaging.database().clone());
        refresh().await.unwrap();
        let scraped = bench.scrape();
        for line in [
            "oms_outbox_pending{service=\"own\"} 1",
            "oms_outbox_oldest_age_seconds{service=\"own\"} 1.5",
            "oms_inbox_parked{service=\"own\"} 0",
        ] {
            assert!(scraped.contains(line), "{scraped}");
        }
    })
    .await;
}

#[test]
fn services_of_one_process_share_the_families() {
    let mut registry = Registry::default();
    let all = MessagingMetrics::register(&mut registry);
    let _services = ["order", "payment"].map(|service| all.for_service(service));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert_eq!(text.matches("# HELP oms_outbox_pending ").count(), 1);
    assert!(text.contains("oms_asks_total{service=\"order\"} 0"), "{text}");
    assert!(text.contains("oms_asks_total{service=\"payment\"} 0"), "{text}");
}

#[tokio::test]
async fn the_loops_carry_an_event_through_and_stop_cleanly() {
    everywhere(async |bench| {
        bench.echo();
        let stop = CancellationToken::new();
        let crew = bench.crew();
        let mut status = crew.consumer_status();
        let work = async {
            status.wait_for(|status| status.assigned && status.caught_up).await.unwrap();
            let keys = key_per_partition().await;
            bench.publish((0..4).map(|n| bench.heard(&keys[n as usize], n)).collect()).await;
            while bench.said().len() < 4 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stop.cancel();
        };
        let parts = crew.into_parts(stop.clone());
        assert_eq!(parts.iter().map(|part| part.0).collect::<Vec<_>>(), PARTS);
        let run = async { tokio::join!(try_join_all(parts.into_iter().map(|part| part.1)), work) };
        let (ran, ()) = tokio::time::timeout(Duration::from_secs(60), run).await.unwrap();
        ran.unwrap();
        assert_eq!(bench.count("leases").await, 0, "the lease is given back");
        // Offsets were stored: whoever comes next has nothing to read.
        assert_eq!(bench.consume(&mut bench.consumer()).await.handled, 0);
    })
    .await;
}

#[tokio::test]
async fn a_crew_tells_how_broker_relay_and_consumer_are_until_it_is_stopped() {
    everywhere(async |bench| {
        let told = watch::Sender::new(BTreeMap::new());
        let mut wells = told.subscribe();
        let report = move |name, answer| {
            told.send_modify(|told| drop(told.insert(name, answer)));
        };
        let (crew, stop) = (bench.crew(), CancellationToken::new());
        let watching = crew.watch(report, stop.clone());
        let work = async {
            wells.wait_for(|told| told.len() == WATCHED.len()).await.unwrap();
            let down = |told: &Told| WATCHED.map(|name| told[name].is_err());
            assert_eq!(down(&wells.borrow()), [false, true, true], "nothing has run yet");
            let run = try_join_all(crew.into_parts(stop.clone()).into_iter().map(|part| part.1));
            let look = async {
                wells.wait_for(|told| down(told) == [false; 3]).await.unwrap();
                bench.log.down();
                wells.wait_for(|told| told["broker"].is_err()).await.unwrap();
                bench.log.up();
                wells.wait_for(|told| down(told) == [false; 3]).await.unwrap();
                stop.cancel();
            };
            tokio::join!(run, look).0.unwrap();
        };
        let run = async { tokio::join!(watching, work) };
        tokio::time::timeout(Duration::from_secs(60), run).await.unwrap().0.unwrap();
        // Whoever watched has dropped its callback.
        assert!(wells.has_changed().is_err());
    })
    .await;
}

#[tokio::test]
async fn what_was_said_before_the_stop_is_published_after_it() {
    with_settings(
        |settings| settings.relay_sweep_ms = 3_600_000,
        async |bench| {
            let stop = CancellationToken::new();
            stop.cancel();
            bench.say("s", 1, Standing::Resting).await;
            bench.relay().run(stop).await.unwrap();
            assert_eq!(bench.said()["s"], [(1, false)]);
        },
    )
    .await;
}

#[tokio::test]
async fn a_commit_wakes_the_relay() {
    with_settings(
        |settings| settings.relay_sweep_ms = 3_600_000,
        async |bench| {
            let stop = CancellationToken::new();
            let relay = bench.relay();
            let mut healthy = relay.status();
            let work = async {
                // Its first look found nothing; the next sweep is an hour away.
                healthy.wait_for(|healthy| *healthy).await.unwrap();
                bench.say("s", 1, Standing::Resting).await;
                while bench.said().is_empty() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                stop.cancel();
            };
            let run = async { tokio::join!(relay.run(stop.clone()), work) };
            let (relayed, ()) = tokio::time::timeout(Duration::from_secs(60), run).await.unwrap();
            relayed.unwrap();
        },
    )
    .await;
}

#[tokio::test]
async fn what_is_committed_while_the_relay_rests_travels_together() {
    const AN_HOUR: u64 = 3_600_000;
    with_settings(
        |settings| (settings.relay_sweep_ms, settings.relay_pause_ms) = (AN_HOUR, AN_HOUR),
        async |bench| {
            let stop = CancellationToken::new();
            let relay = bench.relay();
            let mut healthy = relay.status();
            let work = async {
                healthy.wait_for(|healthy| *healthy).await.unwrap();
                bench.say("s", 1, Standing::Resting).await;
                while bench.said().is_empty() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                bench.say("s", 2, Standing::Resting).await;
                bench.say("s", 3, Standing::Resting).await;
                assert_eq!(bench.said()["s"], [(1, false)], "it rests");
                stop.cancel();
            };
            let run = async { tokio::join!(relay.run(stop.clone()), work) };
            let (relayed, ()) = tokio::time::timeout(Duration::from_secs(60), run).await.unwrap();
            relayed.unwrap();
            // Stopped, it leaves nothing behind.
            assert_eq!(bench.said()["s"], [(1, false), (2, false), (3, false)]);
        },
    )
    .await;
}
