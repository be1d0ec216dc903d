//! Topics as `deploy/kafka/topics.yaml` says.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    types::RDKafkaErrorCode,
};
use serde::Deserialize;

use crate::committed;

const FILE: &str = "deploy/kafka/topics.yaml";
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const KNOWN_WITHIN: Duration = Duration::from_secs(60);
const MIN_IN_SYNC: &str = "min.insync.replicas";

/// What the file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    topics: Vec<Topic>,
}

/// A topic as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its partitions.
    pub partitions: i32,
    /// Copies of each partition.
    pub replicas: i32,
    /// Kafka's own settings of the topic, by Kafka's names.
    pub config: BTreeMap<String, String>,
}

/// Every topic of the file.
///
/// # Errors
/// When the file cannot be read or says something else than topics.
pub fn all() -> anyhow::Result<Vec<Topic>> {
    let text =
        fs::read_to_string(committed(FILE)).with_context(|| format!("cannot read {FILE}"))?;
    let file: File = serde_saphyr::from_str(&text).with_context(|| FILE)?;
    Ok(file.topics)
}

/// Makes every topic of the file that is not there, each name with `suffix` behind it, and waits
/// until the brokers know them.
///
/// # Errors
/// When a broker refuses one, or none answers.
pub async fn create(bootstrap: &str, suffix: &str) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", bootstrap).create()?;
    let cluster = admin.inner().fetch_metadata(None, ANSWER_WITHIN)?;
    let brokers = i32::try_from(cluster.brokers().len())?;
    let topics: Vec<Topic> =
        all()?.into_iter().map(|topic| topic.named(suffix).fitting(brokers)).collect();
    let wanted: Vec<NewTopic<'_>> = topics.iter().map(Topic::wanted).collect();
    for answer in admin.create_topics(&wanted, &AdminOptions::new()).await? {
        match answer {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, error)) => bail!("the broker does not make {name}: {error}"),
        }
    }
    topics.iter().try_for_each(|topic| known(&admin, topic))
}

impl Topic {
    fn named(mut self, suffix: &str) -> Self {
        self.name.push_str(suffix);
        self
    }

    /// No more replicas than brokers, and no more in sync than there are.
    fn fitting(mut self, brokers: i32) -> Self {
        self.replicas = self.replicas.min(brokers);
        let replicas = self.replicas;
        if let Some(least) = self.config.get_mut(MIN_IN_SYNC) {
            *least = least.parse::<i32>().unwrap_or(replicas).min(replicas).to_string();
        }
        self
    }

    fn wanted(&self) -> NewTopic<'_> {
        let replicas = TopicReplication::Fixed(self.replicas);
        let topic = NewTopic::new(&self.name, self.partitions, replicas);
        self.config.iter().fold(topic, |topic, (name, value)| topic.set(name, value))
    }
}

/// The answer to the making comes before every part of the broker knows the topic.
fn known(admin: &AdminClient<DefaultClientContext>, topic: &Topic) -> anyhow::Result<()> {
    let until = Instant::now() + KNOWN_WITHIN;
    loop {
        let seen = admin.inner().fetch_metadata(Some(&topic.name), ANSWER_WITHIN)?;
        let partitions = seen.topics().iter().flat_map(|topic| topic.partitions());
        let led = partitions.filter(|one| one.error().is_none() && one.leader() >= 0).count();
        if led == usize::try_from(topic.partitions)? {
            return Ok(());
        }
        ensure!(Instant::now() < until, "{} is not there after {KNOWN_WITHIN:?}", topic.name);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_names_both_topics_with_what_the_services_rest_on() {
        let topics = all().unwrap();
        let names: Vec<_> = topics.iter().map(|one| (one.name.as_str(), one.partitions)).collect();
        assert_eq!(names, [("oms.saga.events", 12), ("oms.saga.events.dlq", 1)]);
        for topic in &topics {
            assert_eq!(topic.config["cleanup.policy"], "delete");
            assert_eq!(topic.config["unclean.leader.election.enable"], "false");
            let hours = topic.config["retention.ms"].parse::<u64>().unwrap() / 3_600_000;
            assert!(hours >= 168, "{} is kept for {hours} hours", topic.name);
        }
    }

    #[test]
    fn one_broker_gets_one_replica_and_is_asked_for_no_more() {
        let topic = all().unwrap().remove(0).named(".x").fitting(1);
        assert_eq!((topic.name.as_str(), topic.replicas), ("oms.saga.events.x", 1));
        assert_eq!(topic.config[MIN_IN_SYNC], "1");
        assert_eq!(all().unwrap().remove(0).fitting(5).config[MIN_IN_SYNC], "2");
    }
}
