//! What the adapter makes of a broker's own refusals.

use std::time::Duration;

use rdkafka::types::RDKafkaRespErr::{
    self, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE as TOO_LARGE,
    RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER as OUT_OF_ORDER,
};

use super::{EmbeddedBroker, KafkaLog, KafkaSettings};
use crate::{Log, PublishError, Record};

fn start() -> (EmbeddedBroker, KafkaLog) {
    let broker = EmbeddedBroker::start(&[("t", 1)]).unwrap();
    let log = KafkaLog::new(&KafkaSettings::embedded(broker.bootstrap())).unwrap();
    (broker, log)
}

/// Publishes `k1`-like payloads, whose key is their first letter, and tells how each fared.
async fn publish(log: &KafkaLog, payloads: &[&str]) -> Vec<String> {
    let record = |payload: &&str| Record {
        topic: "t".to_owned(),
        key: Some(payload.as_bytes()[..1].to_vec()),
        payload: payload.as_bytes().to_vec(),
        headers: Vec::new(),
    };
    let reports = log.publish(payloads.iter().map(record).collect()).await;
    let told = |report| match report {
        Ok(()) => "ok".to_owned(),
        Err(PublishError::Refused(_)) => "refused".to_owned(),
        Err(PublishError::Unavailable(why)) => why,
    };
    reports.into_iter().map(told).collect()
}

async fn written(log: &KafkaLog, count: usize) -> Vec<String> {
    let mut subscription = log.subscribe("g", &["t"]).await.unwrap();
    let mut read = Vec::new();
    while read.len() < count {
        let some = subscription.poll(count, Duration::from_secs(60)).await.unwrap();
        assert!(!some.is_empty(), "only {read:?}");
        read.extend(some.into_iter().map(|d| String::from_utf8(d.record.payload).unwrap()));
    }
    subscription.close().await.unwrap();
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_itself_refuses_holds_back_its_key_alone() {
    let (broker, log) = start();
    broker.fail_writes(&[TOO_LARGE]);
    assert_eq!(publish(&log, &["a1", "a2"]).await, ["refused", "behind a refused record"]);
    assert_eq!(publish(&log, &["b1", "a2", "a3"]).await, ["ok", "ok", "ok"]);
    let of_a: Vec<String> =
        written(&log, 3).await.into_iter().filter(|payload| payload != "b1").collect();
    assert_eq!(of_a, ["a2", "a3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_refused_for_its_neighbour_is_offered_again_alone() {
    let (broker, log) = start();
    broker.fail_writes(&[TOO_LARGE]);
    assert_eq!(publish(&log, &["a1", "b1", "a2"]).await, ["ok", "ok", "ok"]);
    let of_a: Vec<String> =
        written(&log, 3).await.into_iter().filter(|payload| payload != "b1").collect();
    assert_eq!(of_a, ["a1", "a2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_librdkafka_gave_up_is_replaced() {
    let (broker, log) = start();
    assert_eq!(publish(&log, &["a1"]).await, ["ok"]);
    let errors: Vec<RDKafkaRespErr> = vec![OUT_OF_ORDER; 1];
    broker.fail_writes(&errors);
    let failed = publish(&log, &["a2"]).await;
    assert_ne!(failed, ["ok"], "the test must bring the producer down");
    assert_eq!(publish(&log, &["a2"]).await, ["ok"]);
    assert_eq!(written(&log, 2).await, ["a1", "a2"]);
}
