//! A broker inside this process: librdkafka's own, made for tests and good enough for one machine.
//!
//! It speaks Kafka's protocol on loopback, on a port of its choice, so [`super::KafkaLog`] serves
//! it as it serves Apache Kafka. Its log is in memory and short (5 MB or 100,000 records a
//! partition) and dies with it: what is lost is asked for again (rule 10).
//!
//! This is the only module with `unsafe` code in OMS: one call of librdkafka's has no safe wrapper.
#![allow(unsafe_code)]

use std::{fmt, future::Future, time::Duration};

use rdkafka::{
    ClientConfig,
    bindings::{rd_kafka_handle_mock_cluster, rd_kafka_mock_group_initial_rebalance_delay_ms},
    client::Client,
    producer::{Producer, ThreadedProducer},
};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{aside, bridge::Bridge, config, forwarder};
use crate::LogError;

/// How long a broker may take to stop before it goes on unobserved. Its log is in memory: nothing
/// is lost that would be kept otherwise.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// A running broker. It stops when it is dropped.
pub struct EmbeddedBroker {
    /// Owns the broker. Taken when the broker is stopped or dropped, both of which block.
    host: Option<ThreadedProducer<Bridge>>,
    bootstrap: String,
}

impl EmbeddedBroker {
    /// Starts a broker with these topics, by name and number of partitions.
    ///
    /// # Errors
    /// When the machine gives no port or thread, or a topic is impossible.
    pub fn start(topics: &[(&str, i32)]) -> Result<Self, LogError> {
        let host: ThreadedProducer<Bridge> = config::open(|| {
            ClientConfig::new().set("test.mock.num.brokers", "1").create_with_context(Bridge)
        })?;
        let bootstrap = create(host.client(), topics)?;
        let_groups_begin_at_once(host.client())?;
        Ok(Self { host: Some(host), bootstrap })
    }

    /// Where it listens, `host:port`.
    #[must_use]
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Makes `listener` a second address to begin at: its connections are handed on to the broker
    /// until `stop`. Clients then learn the broker's own address, so that it stays a good address
    /// for clients on this machine alone.
    pub fn forward(
        &self,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> impl Future<Output = Result<(), LogError>> + Send + 'static {
        forwarder::forward(self.bootstrap.clone(), listener, stop)
    }

    /// Answers the next requests to write with these errors.
    #[cfg(test)]
    pub(super) fn fail_writes(&self, errors: &[rdkafka::types::RDKafkaRespErr]) {
        let cluster = self.host.as_ref().and_then(|host| host.client().mock_cluster()).unwrap();
        cluster.request_errors(rdkafka::types::RDKafkaApiKey::Produce, errors);
    }

    /// Stops the broker and waits until it has stopped, but not for long.
    pub async fn stop(mut self) {
        if let Some(host) = self.host.take()
            && timeout(STOP_WAIT, aside::dropped(host)).await.is_err()
        {
            tracing::warn!("the embedded broker takes long to stop");
        }
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        if let Some(host) = self.host.take() {
            aside::drop_aside(host);
        }
    }
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedBroker").field("bootstrap", &self.bootstrap).finish_non_exhaustive()
    }
}

/// Creates the topics, for which the broker has no request of its own, and tells its address.
fn create(host: &Client<Bridge>, topics: &[(&str, i32)]) -> Result<String, LogError> {
    let cluster = host.mock_cluster().ok_or_else(none)?;
    for (topic, partitions) in topics {
        cluster
            .create_topic(topic, *partitions, 1)
            .map_err(|error| LogError(format!("embedded broker: topic {topic:?}: {error}")))?;
    }
    Ok(cluster.bootstrap_servers())
}

/// By default a group's first members wait three seconds for more of them to come.
fn let_groups_begin_at_once(host: &Client<Bridge>) -> Result<(), LogError> {
    // SAFETY: the pointer is the client's own, which lives as long as the borrow. The function only
    // reads a field of it and gives null or the cluster that the client owns.
    let cluster = unsafe { rd_kafka_handle_mock_cluster(host.native_ptr()) };
    if cluster.is_null() {
        return Err(none());
    }
    // SAFETY: `cluster` is not null and lives as long as `host`. The function hands a number to the
    // cluster's own thread and waits for its answer; it keeps no pointer of ours.
    unsafe { rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0) };
    Ok(())
}

fn none() -> LogError {
    LogError("embedded broker: librdkafka made none".to_owned())
}
