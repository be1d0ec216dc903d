//! What payment counts, it counts once it is committed: an operator's rehearsal never is (saga
//! rule 4).

use std::sync::Arc;

use oms_messaging::{
    Crew, LetterFilter, Log, MessagingMetrics, Record, SimulatedLog, consumer::letters::Orders,
};
use oms_payment::{metrics::PaymentMetrics, reactions::Reactions};
use oms_service::testing::backends;
use prometheus_client::{encoding::text, registry::Registry};

use crate::support::{Bench, ORDER, canceled};

fn record(payload: Vec<u8>) -> Record {
    let (topic, key) = ("events".to_owned(), Some(ORDER.as_bytes().to_vec()));
    Record { topic, key, payload, headers: Vec::new() }
}

/// How often an order was closed, as the page has it.
fn closed(registry: &Registry) -> String {
    let mut page = String::new();
    text::encode(&mut page, registry).unwrap();
    let line = page.lines().find(|line| line.starts_with("oms_payment_closed_total")).unwrap();
    line.rsplit_once(' ').unwrap().1.to_owned()
}

#[tokio::test]
async fn an_order_that_was_only_rehearsed_to_be_closed_is_not_counted_as_closed() {
    for backend in backends() {
        for (discards, expected) in [(true, "0"), (false, "1")] {
            let bench = Bench::new(&backend).await;
            let mut registry = Registry::default();
            let metrics = Arc::new(PaymentMetrics::register(&mut registry));
            let log = SimulatedLog::new(&[("events", 1), ("dead", 1)]);
            let event = record(canceled(ORDER).to_payload().unwrap());
            log.publish(vec![record(b"no event".to_vec()), event]).await;
            let crew = Crew::new(
                bench.messaging.clone(),
                Arc::new(Reactions::new(metrics, bench.wake.clone())),
                Arc::new(log),
                "oms-payment".to_owned(),
                MessagingMetrics::register(&mut Registry::default()).for_service("payment"),
            );
            let letters = crew.dead_letters();
            let mut consumer = crew.into_hands().consumer;
            let (mut parked, mut steps) = (0, 0);
            while parked < 2 {
                parked += consumer.step().await.unwrap().parked;
                steps += 1;
                assert!(steps < 100, "{parked} of 2 are parked");
            }
            let all = LetterFilter::default();
            let one = Orders { max: 1, ..Orders::default() };
            letters.discard(&all, &one).await.unwrap();
            let dry = Orders { dry_run: true, ..one.clone() };
            let rehearsed = letters.redrive(&all, &dry).await.unwrap();
            assert!(rehearsed.settled.len() == 1 && !rehearsed.settled[0].failed());
            assert_eq!(closed(&registry), "0");
            let done = if discards {
                letters.discard(&all, &one).await.unwrap()
            } else {
                letters.redrive(&all, &one).await.unwrap()
            };
            assert!(done.settled.len() == 1 && !done.settled[0].failed());
            assert_eq!(closed(&registry), expected);
        }
    }
}
