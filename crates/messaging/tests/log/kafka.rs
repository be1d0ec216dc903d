//! What only the Kafka adapter and the embedded broker can show.

use std::{sync::Arc, time::Duration};

use oms_messaging::{
    EmbeddedBroker, KafkaLog, KafkaSettings, Log, PublishError, Record, Subscription,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(60);

fn settings(bootstrap: &str) -> KafkaSettings {
    KafkaSettings {
        publish_timeout_ms: 1_000,
        request_timeout_ms: 1_000,
        ..KafkaSettings::embedded(bootstrap)
    }
}

fn record(key: &str) -> Record {
    let key = Some(key.as_bytes().to_vec());
    Record { topic: "t".to_owned(), key, payload: b"v".to_vec(), headers: Vec::new() }
}

/// An address where nobody listens.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

async fn first(subscription: &mut Box<dyn Subscription>) -> Record {
    let read = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(first) =
                subscription.poll(1, Duration::from_millis(50)).await.unwrap().pop()
            {
                return first;
            }
        }
    });
    let read = read.await.unwrap();
    assert!(read.written_at.is_some(), "the broker keeps the time of writing");
    read.record
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_publishing_and_pinging_fail_in_bounded_time() {
    let log = KafkaLog::new(&settings(&nowhere().await)).unwrap();
    let reports = tokio::time::timeout(PATIENCE, log.publish(vec![record("a"), record("a")]));
    let reports = reports.await.unwrap();
    assert!(matches!(&reports[0], Err(PublishError::Unavailable(why)) if !why.contains("behind")));
    assert!(matches!(&reports[1], Err(PublishError::Unavailable(why)) if why.contains("behind")));
    tokio::time::timeout(PATIENCE, log.ping()).await.unwrap().unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_a_subscription_still_closes() {
    let log = KafkaLog::new(&settings(&nowhere().await)).unwrap();
    let mut subscription = log.subscribe("g", &["t"]).await.unwrap();
    let _ = subscription.poll(1, Duration::from_millis(10)).await;
    assert!(subscription.assigned().is_empty());
    let _ = tokio::time::timeout(PATIENCE, subscription.close()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_errors_of_an_outage_are_told_as_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let log = KafkaLog::new(&settings(&listener.local_addr().unwrap().to_string())).unwrap();
    let mut subscription = log.subscribe("g", &["t"]).await.unwrap();
    let waiting = tokio::time::timeout(PATIENCE, async {
        // Every connection that is lost is an error in the client's queue, written before the next
        // is made; the last one stays, so that no error comes after these.
        for _ in 0..12 {
            drop(listener.accept().await.unwrap());
        }
        let last = listener.accept().await.unwrap();
        while subscription.poll(1, Duration::from_millis(10)).await.is_ok() {}
        last
    });
    let _last = waiting.await.unwrap();
    subscription.poll(1, Duration::ZERO).await.expect("another error of the same outage");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_address_is_a_good_bootstrap_until_it_is_stopped() {
    let broker = EmbeddedBroker::start(&[("t", 2)]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let stop = CancellationToken::new();
    let forwarding = broker.forward(listener, stop.clone());
    let using = async {
        let log: Arc<dyn Log> = Arc::new(KafkaLog::new(&settings(&address)).unwrap());
        log.ping().await.unwrap();
        for report in log.publish(vec![record("a")]).await {
            report.unwrap();
        }
        let mut subscription = log.subscribe("g", &["t"]).await.unwrap();
        assert_eq!(first(&mut subscription).await, record("a"));
        subscription.close().await.unwrap();
        stop.cancel();
    };
    let (forwarded, ()) = tokio::join!(forwarding, using);
    forwarded.unwrap();
    let late = KafkaLog::new(&settings(&address)).unwrap();
    late.ping().await.unwrap_err();
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_broker_is_away() {
    let broker = EmbeddedBroker::start(&[("t", 1)]).unwrap();
    let log = KafkaLog::new(&settings(broker.bootstrap())).unwrap();
    log.ping().await.unwrap();
    broker.stop().await;
    log.ping().await.unwrap_err();
}

#[test]
fn a_broker_and_its_clients_can_be_dropped_without_a_runtime() {
    let broker = EmbeddedBroker::start(&[("t", 1)]).unwrap();
    let log = KafkaLog::new(&settings(broker.bootstrap())).unwrap();
    drop(log);
    drop(broker);
}

#[test]
fn an_impossible_topic_is_told_by_name() {
    let error = EmbeddedBroker::start(&[("t", 1), ("t", 2)]).unwrap_err();
    assert!(error.0.contains("\"t\""), "{error}");
}
