//! The settings in librdkafka's words. Source: librdkafka's CONFIGURATION.md.

use rdkafka::{
    ClientConfig,
    config::RDKafkaLogLevel,
    error::{KafkaError, KafkaResult},
};

use super::KafkaSettings;
use crate::LogError;

/// What the operator's own properties may override, in both kinds of client.
const TUNING: [(&str, &str); 2] = [("client.id", "oms"), ("reconnect.backoff.max.ms", "1000")];

/// The same for producers: a record is sent as soon as a connection is free; batches form behind a
/// busy one.
const PRODUCER_TUNING: [(&str, &str); 1] = [("linger.ms", "0")];

/// The same for consumers.
const CONSUMER_TUNING: [(&str, &str); 4] = [
    // Bounds on what is fetched ahead, and how soon a full queue is looked at again.
    ("queued.min.messages", "10000"),
    ("queued.max.messages.kbytes", "16384"),
    ("fetch.queue.backoff.ms", "10"),
    ("auto.commit.interval.ms", "1000"),
];

/// What both kinds of client share and nobody may change.
const COMMON: [(&str, &str); 1] = [("socket.nagle.disable", "true")];

/// The producer: in order, without duplicates of its own making, and as Java tools hash.
const PRODUCER: [(&str, &str); 3] =
    [("enable.idempotence", "true"), ("acks", "all"), ("partitioner", "murmur2_random")];

/// The consumer: what was stored is committed, and nothing else.
const CONSUMER: [(&str, &str); 5] = [
    ("enable.auto.offset.store", "false"),
    ("enable.auto.commit", "true"),
    ("auto.offset.reset", "earliest"),
    ("enable.partition.eof", "false"),
    ("partition.assignment.strategy", "cooperative-sticky"),
];

/// Other names of the above, and what settings of their own name stand for.
const OTHERS: [&str; 14] = [
    "bootstrap.servers",
    "metadata.broker.list",
    "fetch.wait.max.ms",
    "message.timeout.ms",
    "delivery.timeout.ms",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "message.max.bytes",
    "queue.buffering.max.kbytes",
    "request.required.acks",
    "group.id",
    "group.protocol",
    "transactional.id",
    "test.mock.num.brokers",
];

/// Whether a property is not the operator's to set.
pub(super) fn is_reserved(name: &str) -> bool {
    let fixed = COMMON.iter().chain(&PRODUCER).chain(&CONSUMER).map(|(name, _)| *name);
    fixed.chain(OTHERS).any(|reserved| reserved == name)
}

/// A producer's configuration.
pub(super) fn producer(settings: &KafkaSettings) -> ClientConfig {
    let mut config = common(settings, &PRODUCER_TUNING);
    set(&mut config, &PRODUCER);
    config
        .set("message.timeout.ms", settings.publish_timeout_ms.to_string())
        .set("message.max.bytes", settings.record_bytes_max.to_string())
        .set("queue.buffering.max.kbytes", settings.queue_bytes_max.div_ceil(1024).to_string());
    config
}

/// A group member's configuration.
pub(super) fn consumer(settings: &KafkaSettings, group: &str) -> ClientConfig {
    let mut config = common(settings, &CONSUMER_TUNING);
    set(&mut config, &CONSUMER);
    // A member learns of a rebalance by its heartbeat, so it beats often.
    let heartbeat_ms = (settings.session_timeout_ms / 10).clamp(1, 3_000);
    config
        .set("group.id", group)
        .set("fetch.wait.max.ms", settings.fetch_wait_ms_max.to_string())
        .set("session.timeout.ms", settings.session_timeout_ms.to_string())
        .set("heartbeat.interval.ms", heartbeat_ms.to_string());
    config
}

/// The configuration of a client that neither publishes nor consumes.
pub(super) fn client(settings: &KafkaSettings) -> ClientConfig {
    common(settings, &[])
}

/// Asks librdkafka whether it takes a configuration, without opening anything.
pub(super) fn check(config: &ClientConfig) -> Result<(), LogError> {
    config.create_native_config().map(drop).map_err(refusal)
}

/// Opens a client, or says which property librdkafka does not take.
pub(super) fn open<T>(create: impl FnOnce() -> KafkaResult<T>) -> Result<T, LogError> {
    create().map_err(refusal)
}

fn common(settings: &KafkaSettings, tuning: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    set(&mut config, &TUNING);
    set(&mut config, tuning);
    for (name, value) in &settings.properties {
        config.set(name, value);
    }
    set(&mut config, &COMMON);
    config.set("bootstrap.servers", &settings.bootstrap);
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}

fn set(config: &mut ClientConfig, properties: &[(&str, &str)]) {
    for (name, value) in properties {
        config.set(*name, *value);
    }
}

fn refusal(error: KafkaError) -> LogError {
    match error {
        // The value is left out: it may be a password, also where none belongs.
        KafkaError::ClientConfig(_, why, name, value) => {
            let why = why.replace(&format!("\"{value}\""), "\"***\"");
            LogError(format!("kafka.properties.{name}: {why}"))
        }
        other => LogError(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(name: &str, value: &str) -> KafkaSettings {
        let mut settings = KafkaSettings::default();
        settings.properties.insert(name.to_owned(), value.to_owned());
        settings
    }

    #[test]
    fn librdkafka_takes_the_defaults() {
        let settings = KafkaSettings::default();
        check(&producer(&settings)).unwrap();
        check(&consumer(&settings, "g")).unwrap();
    }

    #[test]
    fn a_property_librdkafka_does_not_know_is_named() {
        let error = check(&producer(&settings("no.such.thing", "secret"))).unwrap_err();
        assert!(error.0.starts_with("kafka.properties.no.such.thing: "), "{error}");
        assert!(!error.0.contains("secret"), "{error}");
    }

    #[test]
    fn tuning_may_be_overridden_but_guarantees_may_not() {
        assert_eq!(producer(&settings("linger.ms", "1")).get("linger.ms"), Some("1"));
        assert_eq!(producer(&settings("acks", "0")).get("acks"), Some("all"));
        assert!(is_reserved("acks") && is_reserved("group.id") && !is_reserved("linger.ms"));
    }
}
