//! Publishing: in order per key, with a delivery report per record.
//!
//! A record is sent only once the one before it of the same key was delivered; keys do not wait
//! for each other. Sending all at once would be one round trip, but then a record that times out,
//! or that the broker refuses for good, could be overtaken by the next one of its key, which the
//! saga does not bear (rule 9: strict order per order).
//!
//! Held by `a_refused_record_holds_back_the_rest_of_its_key` and
//! `what_the_broker_itself_refuses_holds_back_its_key_alone`.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use futures::future::join_all;
use rdkafka::{
    ClientConfig,
    error::KafkaError,
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord, Producer},
    types::RDKafkaErrorCode,
};
use tokio::sync::Mutex;

use super::{KafkaSettings, aside, bridge::Bridge, config};
use crate::{LogError, PublishError, Record};

type Report = Result<(), PublishError>;

/// The producing side of the log.
pub(super) struct Publisher {
    config: ClientConfig,
    /// Taken when the publisher is dropped, which blocks.
    producer: RwLock<Option<FutureProducer<Bridge>>>,
    /// One batch at a time, so that two batches cannot interleave within a key.
    turn: Mutex<()>,
    queue_timeout: Duration,
}

impl Publisher {
    /// Opens a producer.
    pub(super) fn new(settings: &KafkaSettings) -> Result<Self, LogError> {
        let config = config::producer(settings);
        Ok(Self {
            producer: RwLock::new(Some(open(&config)?)),
            config,
            turn: Mutex::new(()),
            queue_timeout: Duration::from_millis(settings.publish_timeout_ms),
        })
    }

    /// The producer in use.
    pub(super) fn producer(&self) -> Result<FutureProducer<Bridge>, LogError> {
        let producer = self.producer.read().unwrap_or_else(PoisonError::into_inner).clone();
        producer.ok_or_else(|| LogError("the log is closed".to_owned()))
    }

    /// Publishes, and reports on each record.
    pub(super) async fn publish(&self, records: Vec<Record>) -> Vec<Report> {
        let _turn = self.turn.lock().await;
        let producer = match self.producer() {
            Ok(producer) => producer,
            Err(error) => {
                let unavailable = || Err(PublishError::Unavailable(error.to_string()));
                return records.iter().map(|_| unavailable()).collect();
            }
        };
        let chains = chains(&records);
        let sent =
            join_all(chains.iter().map(|chain| self.send_chain(&producer, &records, chain))).await;
        let mut reports: Vec<Report> =
            records.iter().map(|_| Err(PublishError::Unavailable("not sent".to_owned()))).collect();
        for (index, report) in sent.into_iter().flatten() {
            reports[index] = report;
        }
        if chains.len() > 1 {
            for chain in &chains {
                self.retry_alone(&producer, &records, chain, &mut reports).await;
            }
        }
        self.replace_if_dead(&producer);
        reports
    }

    /// Sends the records of one key, each after the one before it, up to the first failure.
    async fn send_chain(
        &self,
        producer: &FutureProducer<Bridge>,
        records: &[Record],
        chain: &[usize],
    ) -> Vec<(usize, Report)> {
        let mut reports = Vec::with_capacity(chain.len());
        let mut behind = None;
        for &index in chain {
            let report = match behind {
                Some(why) => Err(PublishError::Unavailable(String::from(why))),
                None => self.send(producer, &records[index]).await,
            };
            behind = behind.or(match &report {
                Ok(()) => None,
                Err(PublishError::Refused(_)) => Some("behind a refused record"),
                Err(PublishError::Unavailable(_)) => Some("behind an undelivered record"),
            });
            reports.push((index, report));
        }
        reports
    }

    /// A broker refuses a whole batch for one bad record in it, and does not say which. So what
    /// was refused in company is offered again by itself.
    async fn retry_alone(
        &self,
        producer: &FutureProducer<Bridge>,
        records: &[Record],
        chain: &[usize],
        reports: &mut [Report],
    ) {
        let refused = |index: &usize| matches!(reports[*index], Err(PublishError::Refused(_)));
        let Some(first) = chain.iter().position(refused) else { return };
        for (index, report) in self.send_chain(producer, records, &chain[first..]).await {
            reports[index] = report;
        }
    }

    async fn send(&self, producer: &FutureProducer<Bridge>, record: &Record) -> Report {
        let headers = record.headers.iter().fold(
            OwnedHeaders::new_with_capacity(record.headers.len()),
            |headers, (key, value)| headers.insert(Header { key, value: Some(value) }),
        );
        let message = FutureRecord {
            topic: &record.topic,
            partition: None,
            payload: Some(&record.payload),
            key: record.key.as_ref(),
            timestamp: None,
            headers: Some(headers),
        };
        match producer.send(message, self.queue_timeout).await {
            Ok(_) => Ok(()),
            Err((error, _)) => Err(classify(&error)),
        }
    }

    /// librdkafka declares a producer dead when the broker's and its own idea of what was written
    /// cannot be brought together, for example after a broker lost data. A new one starts afresh.
    fn replace_if_dead(&self, used: &FutureProducer<Bridge>) {
        let Some((code, why)) = used.client().fatal_error() else { return };
        match open(&self.config) {
            Ok(fresh) => {
                tracing::warn!(target: "kafka", ?code, "replacing the producer: {why}");
                let mut slot = self.producer.write().unwrap_or_else(PoisonError::into_inner);
                aside::drop_aside(slot.replace(fresh));
            }
            Err(error) => tracing::error!(target: "kafka", %error, "no new producer: {why}"),
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let producer = self.producer.get_mut().unwrap_or_else(PoisonError::into_inner);
        aside::drop_aside(producer.take());
    }
}

fn open(config: &ClientConfig) -> Result<FutureProducer<Bridge>, LogError> {
    config::open(|| config.create_with_context(Bridge))
}

/// The batch by key, in order; records without a key go each by itself.
fn chains(records: &[Record]) -> Vec<Vec<usize>> {
    let mut chains: Vec<Vec<usize>> = Vec::new();
    let mut of_key: HashMap<(&str, &[u8]), usize> = HashMap::new();
    for (index, record) in records.iter().enumerate() {
        let Some(key) = &record.key else {
            chains.push(vec![index]);
            continue;
        };
        let chain = *of_key.entry((&record.topic, key)).or_insert_with(|| {
            chains.push(Vec::new());
            chains.len() - 1
        });
        chains[chain].push(index);
    }
    chains
}

/// Whether another try can help. In doubt it can: a refused record waits for an operator.
fn classify(error: &KafkaError) -> PublishError {
    use RDKafkaErrorCode as Code;
    let for_good = match error {
        KafkaError::Nul(_) => true,
        other => matches!(
            other.rdkafka_error_code(),
            Some(
                Code::MessageSizeTooLarge
                    | Code::MessageBatchTooLarge
                    | Code::InvalidMessageSize
                    | Code::InvalidRecord
                    | Code::InvalidTimestamp
                    | Code::InvalidTopic
                    | Code::InvalidArgument
                    | Code::UnsupportedForMessageFormat
                    | Code::PolicyViolation
            )
        ),
    };
    if for_good {
        PublishError::Refused(error.to_string())
    } else {
        PublishError::Unavailable(error.to_string())
    }
}
