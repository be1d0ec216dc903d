//! A log of some kind with fresh topics, and how to read from it patiently.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use oms_messaging::{
    Delivery, EmbeddedBroker, KafkaLog, KafkaSettings, Log, PublishError, Record, SimulatedLog,
    Subscription,
};
use oms_seams::{Ids, SystemIds};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    metadata::MetadataPartition,
};
use tokio::time::Instant;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A kind of log.
pub(crate) enum Bench {
    Simulated,
    Embedded,
    Apache(String),
}

/// A log of that kind with one fresh topic.
pub(crate) struct Bed {
    pub(crate) topic: String,
    fresh: String,
    source: Source,
}

enum Source {
    Simulated(SimulatedLog),
    Kafka(KafkaSettings, #[allow(dead_code, reason = "stops when dropped")] Option<EmbeddedBroker>),
}

impl Bench {
    pub(crate) fn simulated() -> Option<Self> {
        Some(Self::Simulated)
    }

    pub(crate) fn embedded() -> Option<Self> {
        Some(Self::Embedded)
    }

    #[allow(clippy::disallowed_methods, reason = "tests are told of servers by the environment")]
    pub(crate) fn apache() -> Option<Self> {
        std::env::var("OMS_TEST_KAFKA").ok().map(Self::Apache)
    }

    /// A log with a topic of so many partitions.
    pub(crate) async fn with_partitions(self, partitions: i32) -> Bed {
        let fresh = SystemIds.next().to_string();
        let topic = format!("oms.contract.{fresh}");
        let source = match self {
            Self::Simulated => Source::Simulated(SimulatedLog::new(&[(&topic, partitions)])),
            Self::Embedded => {
                let broker = EmbeddedBroker::start(&[(&topic, partitions)]).unwrap();
                Source::Kafka(KafkaSettings::embedded(broker.bootstrap()), Some(broker))
            }
            Self::Apache(bootstrap) => {
                create_topic(&bootstrap, &topic, partitions).await;
                let session_timeout_ms = 6_000;
                let defaults = KafkaSettings::default();
                Source::Kafka(KafkaSettings { bootstrap, session_timeout_ms, ..defaults }, None)
            }
        };
        Bed { topic, fresh, source }
    }
}

impl Bed {
    /// The log as another process would open it.
    pub(crate) fn log(&self) -> Arc<dyn Log> {
        match &self.source {
            Source::Simulated(log) => Arc::new(log.clone()),
            Source::Kafka(settings, _) => Arc::new(KafkaLog::new(settings).unwrap()),
        }
    }

    /// A member of a group that no other test has.
    pub(crate) async fn join(&self, log: &Arc<dyn Log>, group: &str) -> Reader {
        let group = format!("{group}-{}", self.fresh);
        Reader { subscription: log.subscribe(&group, &[&self.topic]).await.unwrap() }
    }

    /// A record for the topic.
    pub(crate) fn record(&self, key: &str, payload: &str) -> Record {
        Record {
            topic: self.topic.clone(),
            key: Some(key.as_bytes().to_vec()),
            payload: payload.as_bytes().to_vec(),
            headers: Vec::new(),
        }
    }

    /// Publishes one record after the other; each must be delivered.
    pub(crate) async fn publish_singly(
        &self,
        log: &Arc<dyn Log>,
        keys_and_payloads: &[(&str, &str)],
    ) {
        for (key, payload) in keys_and_payloads {
            publish(log, vec![self.record(key, payload)]).await;
        }
    }
}

/// Publishes a batch; all of it must be delivered.
pub(crate) async fn publish(log: &Arc<dyn Log>, records: Vec<Record>) {
    for report in log.publish(records).await {
        report.unwrap();
    }
}

/// A subscription read with patience.
pub(crate) struct Reader {
    pub(crate) subscription: Box<dyn Subscription>,
}

impl Reader {
    /// One short poll.
    pub(crate) async fn poll(&mut self) -> Vec<Delivery> {
        self.subscription.poll(100, Duration::from_millis(50)).await.unwrap()
    }

    /// Polls until so many records came.
    pub(crate) async fn read(&mut self, count: usize) -> Vec<Delivery> {
        let mut read = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while read.len() < count {
            assert!(Instant::now() < deadline, "only {} of {count} records came", read.len());
            let missing = count - read.len();
            read.extend(self.subscription.poll(missing, Duration::from_millis(50)).await.unwrap());
        }
        read
    }

    /// Polls until the group gave this member so many partitions; gives what came meanwhile.
    pub(crate) async fn settle(&mut self, partitions: usize) -> Vec<Delivery> {
        let mut read = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while self.subscription.assigned().len() != partitions {
            let has = self.subscription.assigned();
            assert!(Instant::now() < deadline, "has {has:?}, not {partitions} partitions");
            read.extend(self.poll().await);
        }
        read
    }

    /// Stores behind each of these records.
    pub(crate) fn store(&mut self, read: &[Delivery]) {
        let next: BTreeMap<_, _> =
            read.iter().map(|d| (d.partition.clone(), d.offset + 1)).collect();
        for (partition, next) in next {
            self.subscription.store(&partition, next).unwrap();
        }
    }

    pub(crate) async fn close(self) {
        tokio::time::timeout(PATIENCE, self.subscription.close()).await.unwrap().unwrap();
    }
}

/// The payloads as text.
pub(crate) fn payloads(read: &[Delivery]) -> Vec<String> {
    read.iter().map(|d| String::from_utf8(d.record.payload.clone()).unwrap()).collect()
}

/// `ok`, `refused` or what made it unavailable, per record.
pub(crate) fn told(reports: &[Result<(), PublishError>]) -> Vec<&str> {
    reports
        .iter()
        .map(|report| match report {
            Ok(()) => "ok",
            Err(PublishError::Refused(_)) => "refused",
            Err(PublishError::Unavailable(why)) => why,
        })
        .collect()
}

async fn create_topic(bootstrap: &str, topic: &str, partitions: i32) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", bootstrap).create().unwrap();
    let wanted = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    for created in admin.create_topics([&wanted], &AdminOptions::new()).await.unwrap() {
        created.unwrap();
    }
    // The answer comes before every part of the broker knows the topic.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let known = admin.inner().fetch_metadata(Some(topic), PATIENCE).unwrap();
        let led = |p: &MetadataPartition| p.error().is_none() && p.leader() >= 0;
        if known.topics()[0].partitions().iter().filter(|p| led(p)).count() as i32 == partitions {
            return;
        }
        assert!(Instant::now() < deadline, "the topic never became usable");
        tokio::task::yield_now().await;
    }
}
