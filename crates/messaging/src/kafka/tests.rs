//! What the adapter makes of a broker's own refusals.

use std::time::Duration;

use rdkafka::types::RDKafkaRespErr::{
    self, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE as TOO_LARGE,
    RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER as OUT_OF_ORDER,
};

use super::{EmbeddedBroker, From, KafkaLog, KafkaSettings, ObserveError, Observer};
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

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_sees_everything_and_leaves_no_trace_in_any_group() {
    let (broker, log) = start();
    let settings = KafkaSettings::embedded(broker.bootstrap());
    publish(&log, &["a1", "a2"]).await;
    for _ in 0..2 {
        // The second one begins where the first did: nothing was committed.
        let mut observer = Observer::open(&settings, "t", From::Beginning).await.unwrap();
        let seen = observed(&mut observer, 2).await;
        assert_eq!(seen, ["a1", "a2"]);
        while !observer.has_caught_up() {
            assert!(observer.poll(9, Duration::from_secs(60)).await.unwrap().is_empty());
        }
    }
    let mut fresh = Observer::open(&settings, "t", From::End).await.unwrap();
    publish(&log, &["a3"]).await;
    assert_eq!(observed(&mut fresh, 1).await, ["a3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_leaves_out_what_is_older_than_it_wants() {
    let (broker, log) = start();
    let settings = KafkaSettings::embedded(broker.bootstrap());
    publish(&log, &["a1"]).await;
    let mut all = Observer::open(&settings, "t", From::Beginning).await.unwrap();
    let written = loop {
        if let [only] = &all.poll(9, Duration::from_secs(60)).await.unwrap()[..] {
            break only.written_at.unwrap();
        }
    };
    let late = From::Time(written + Duration::from_millis(1));
    let mut observer = Observer::open(&settings, "t", late).await.unwrap();
    while !observer.has_caught_up() {
        assert_eq!(observer.poll(9, Duration::from_secs(60)).await.unwrap(), []);
    }
    let mut observer = Observer::open(&settings, "t", From::Time(written)).await.unwrap();
    assert_eq!(observed(&mut observer, 1).await, ["a1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_of_no_topic_is_told_so() {
    let (broker, _log) = start();
    let settings = KafkaSettings::embedded(broker.bootstrap());
    // The second time as well: nobody has made it by asking.
    for _ in 0..2 {
        let refused = Observer::open(&settings, "nothing", From::End).await.unwrap_err();
        let bootstrap = broker.bootstrap().to_owned();
        assert_eq!(refused, ObserveError::NoTopic { topic: "nothing".to_owned(), bootstrap });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_with_settings_that_make_no_sense_is_told_which() {
    let mut settings = KafkaSettings::embedded("127.0.0.1:1");
    settings.properties.insert("no.such.thing".to_owned(), "x".to_owned());
    let refused = Observer::open(&settings, "t", From::End).await.unwrap_err();
    let ObserveError::Refused(why) = &refused else { panic!("{refused:?}") };
    assert!(why.starts_with("kafka.properties.no.such.thing: "), "{why}");
}

async fn observed(observer: &mut Observer, count: usize) -> Vec<String> {
    let mut read = Vec::new();
    for _ in 0..100 {
        let some = observer.poll(count, Duration::from_secs(10)).await.unwrap();
        read.extend(some.into_iter().map(|d| String::from_utf8(d.record.payload).unwrap()));
        if read.len() >= count {
            return read;
        }
    }
    panic!("only {read:?}");
}
