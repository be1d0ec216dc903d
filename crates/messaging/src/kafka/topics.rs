//! Topics as a file says (`deploy/kafka/topics.yaml`): made where they are missing, never changed.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    types::RDKafkaErrorCode,
};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::{KafkaSettings, aside, bridge, config};
use crate::LogError;

/// How long a topic may take to be known to its broker after it was made.
const KNOWN_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const MIN_IN_SYNC: &str = "min.insync.replicas";

type Admin = Arc<AdminClient<DefaultClientContext>>;

/// A topic as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its partitions.
    pub partitions: i32,
    /// Copies of each partition, where there are as many brokers.
    pub replicas: i32,
    /// Kafka's own settings of the topic, by Kafka's names.
    pub config: BTreeMap<String, String>,
}

/// What became of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ensured {
    /// The topic as it was asked for.
    pub topic: Topic,
    /// Whether it was made now; otherwise it was there.
    pub made: bool,
}

/// Why topics are not as they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicsError {
    /// The text lists no topics.
    #[error("{0}")]
    Malformed(String),
    /// librdkafka does not take the settings; the property is named where it says which.
    #[error("{0}")]
    Refused(String),
    /// No broker answers, or not in time.
    #[error("cannot reach {bootstrap}: {reason}")]
    Unreachable {
        /// The brokers that were asked.
        bootstrap: String,
        /// What librdkafka said.
        reason: String,
    },
    /// The broker does not make it.
    #[error("the broker does not make {name}: {reason}")]
    NotMade {
        /// The topic.
        name: String,
        /// What it said.
        reason: String,
    },
    /// It is there, and other than it should be.
    #[error(
        "{name} has {there} partitions and should have {wanted}; their number must never change \
         while an order is under way, so it is left as it is"
    )]
    OtherPartitions {
        /// The topic.
        name: String,
        /// How many it has.
        there: usize,
        /// How many it should have.
        wanted: i32,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    topics: Vec<Topic>,
}

/// The topics that a YAML file lists.
///
/// # Errors
/// When it lists something else.
pub fn parse(yaml: &str) -> Result<Vec<Topic>, TopicsError> {
    let file: Result<File, _> = serde_saphyr::from_str(yaml);
    file.map(|file| file.topics).map_err(|error| TopicsError::Malformed(error.to_string()))
}

/// Makes every topic that is not there and waits until the brokers know it. Where there are fewer
/// brokers than replicas, as many replicas are made as there are brokers. Nothing that is there is
/// changed.
///
/// # Errors
/// The first topic that cannot be made, or has another number of partitions.
pub async fn ensure(
    settings: &KafkaSettings,
    topics: Vec<Topic>,
) -> Result<Vec<Ensured>, TopicsError> {
    let within = Duration::from_millis(settings.request_timeout_ms);
    let client = config::client(settings);
    let admin = open(client.clone())?;
    let looker = Looker { admin: admin.clone(), bootstrap: settings.bootstrap.clone(), within };
    let brokers = match looker.brokers().await {
        Err(TopicsError::Unreachable { bootstrap, reason }) => {
            let why = aside::blocking(move || bridge::last_failure(&client, within)).await;
            let why = why.ok().flatten().map(|why| format!(": {why}")).unwrap_or_default();
            return Err(TopicsError::Unreachable { bootstrap, reason: reason + &why });
        }
        asked => asked?,
    };
    let topics: Vec<Topic> = topics.into_iter().map(|topic| topic.fitting(brokers)).collect();
    let options = AdminOptions::new().request_timeout(Some(within));
    let wanted: Vec<NewTopic<'_>> = topics.iter().map(Topic::wanted).collect();
    let answers = admin.create_topics(&wanted, &options).await;
    let answers = answers.map_err(|error| looker.unreachable(error))?;
    let mut ensured = Vec::new();
    for (topic, answer) in topics.iter().zip(answers) {
        let made = match answer {
            Ok(_) => true,
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => false,
            Err((name, error)) => {
                return Err(TopicsError::NotMade { name, reason: error.to_string() });
            }
        };
        looker.wait_until_known(topic).await?;
        ensured.push(Ensured { topic: topic.clone(), made });
    }
    aside::drop_aside((looker, admin));
    Ok(ensured)
}

fn open(client: ClientConfig) -> Result<Admin, TopicsError> {
    let opened = config::open(|| client.create());
    opened.map(Arc::new).map_err(|LogError(why)| TopicsError::Refused(why))
}

impl Topic {
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

/// Asks the brokers what there is.
struct Looker {
    admin: Admin,
    bootstrap: String,
    within: Duration,
}

impl Looker {
    async fn brokers(&self) -> Result<i32, TopicsError> {
        let (admin, within) = (self.admin.clone(), self.within);
        let asked = aside::blocking(move || {
            let cluster = admin.inner().fetch_metadata(None, within)?;
            Ok::<_, rdkafka::error::KafkaError>(cluster.brokers().len())
        });
        let brokers = asked.await.map_err(|error| self.unreachable(error))?;
        let brokers = brokers.map_err(|error| self.unreachable(error))?;
        Ok(i32::try_from(brokers).unwrap_or(i32::MAX))
    }

    /// The answer to the making comes before every part of the broker knows the topic.
    async fn wait_until_known(&self, topic: &Topic) -> Result<(), TopicsError> {
        let until = Instant::now() + KNOWN_WITHIN;
        loop {
            let (there, led) = self.partitions(&topic.name).await?;
            if there > 0 && Ok(there) != usize::try_from(topic.partitions) {
                let (name, wanted) = (topic.name.clone(), topic.partitions);
                return Err(TopicsError::OtherPartitions { name, there, wanted });
            }
            if there > 0 && led == there {
                return Ok(());
            }
            if Instant::now() > until {
                let reason = format!("{} is not there after {KNOWN_WITHIN:?}", topic.name);
                return Err(self.unreachable(reason));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// How many partitions a topic has, and how many of them have a leader.
    async fn partitions(&self, topic: &str) -> Result<(usize, usize), TopicsError> {
        let (admin, within, name) = (self.admin.clone(), self.within, topic.to_owned());
        let asked = aside::blocking(move || {
            let seen = admin.inner().fetch_metadata(Some(&name), within)?;
            let partitions = seen.topics().iter().flat_map(|topic| topic.partitions());
            let led = partitions.clone().filter(|one| one.error().is_none() && one.leader() >= 0);
            Ok::<_, rdkafka::error::KafkaError>((partitions.count(), led.count()))
        });
        let seen = asked.await.map_err(|error| self.unreachable(error))?;
        seen.map_err(|error| self.unreachable(error))
    }

    fn unreachable(&self, reason: impl ToString) -> TopicsError {
        TopicsError::Unreachable { bootstrap: self.bootstrap.clone(), reason: reason.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../../../deploy/kafka/topics.yaml");

    #[test]
    fn the_file_names_both_topics_with_what_the_services_rest_on() {
        let topics = parse(FILE).unwrap();
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
        let topic = parse(FILE).unwrap().remove(0);
        assert_eq!(topic.clone().fitting(5).config[MIN_IN_SYNC], "2");
        let topic = topic.fitting(1);
        assert_eq!((topic.replicas, topic.config[MIN_IN_SYNC].as_str()), (1, "1"));
    }

    #[test]
    fn what_is_no_list_of_topics_is_refused() {
        for wrong in ["", "topics: 3", "topics: [{name: a}]", "topics: []\nmore: 1"] {
            assert!(matches!(parse(wrong), Err(TopicsError::Malformed(_))), "{wrong}");
        }
    }

    #[tokio::test]
    async fn brokers_that_are_away_are_told_by_their_address() {
        let mut settings = KafkaSettings { bootstrap: "127.0.0.1:1".into(), ..Default::default() };
        settings.request_timeout_ms = 200;
        let error = ensure(&settings, parse(FILE).unwrap()).await.unwrap_err();
        assert!(error.to_string().starts_with("cannot reach 127.0.0.1:1: "), "{error}");
        assert!(error.to_string().contains("Connection refused"), "{error}");
    }
}
