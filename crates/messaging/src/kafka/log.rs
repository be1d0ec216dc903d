//! The log on Kafka's protocol.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use rdkafka::{
    consumer::{Consumer, StreamConsumer},
    producer::Producer,
};

use super::{
    KafkaSettings, aside, config, consumer::KafkaSubscription, membership::Membership,
    producer::Publisher,
};
use crate::{Log, LogError, PublishError, Record, Subscription};

/// Apache Kafka, or the embedded broker, behind [`Log`].
///
/// Cheap while idle: one producer with its connections; each subscription is a client of its own.
pub struct KafkaLog {
    settings: KafkaSettings,
    publisher: Publisher,
}

impl KafkaLog {
    /// Opens the log. No broker need answer yet; the settings must make sense to librdkafka.
    ///
    /// # Errors
    /// When they do not, naming the property.
    pub fn new(settings: &KafkaSettings) -> Result<Self, LogError> {
        config::check(&config::consumer(settings, "oms"))?;
        Ok(Self { settings: settings.clone(), publisher: Publisher::new(settings)? })
    }

    fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.settings.request_timeout_ms)
    }
}

impl fmt::Debug for KafkaLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaLog").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[async_trait]
impl Log for KafkaLog {
    async fn publish(&self, records: Vec<Record>) -> Vec<Result<(), PublishError>> {
        self.publisher.publish(records).await
    }

    async fn subscribe(
        &self,
        group: &str,
        topics: &[&str],
    ) -> Result<Box<dyn Subscription>, LogError> {
        let config = config::consumer(&self.settings, group);
        let consumer: StreamConsumer<Membership> =
            config::open(|| config.create_with_context(Membership::default()))?;
        consumer.subscribe(topics).map_err(|error| LogError(error.to_string()))?;
        Ok(Box::new(KafkaSubscription::new(consumer, self.request_timeout())))
    }

    async fn ping(&self) -> Result<(), LogError> {
        let (producer, timeout) = (self.publisher.producer()?, self.request_timeout());
        let answer =
            aside::blocking(move || producer.client().fetch_metadata(None, timeout).map(drop));
        answer.await?.map_err(|error| {
            LogError(format!("no broker answers at {}: {error}", self.settings.bootstrap))
        })
    }
}
