//! What the Kafka adapter can be told.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::config;

/// Where the brokers are and how patient the adapter is; the defaults fit Apache Kafka.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KafkaSettings {
    /// Brokers to begin with, `host:port`, separated by commas.
    pub bootstrap: String,
    /// How long a broker may hold an empty fetch, in milliseconds. Apache Kafka answers as soon as
    /// a record arrives; the embedded broker does not, so that 1 to 5 is right there.
    pub fetch_wait_ms_max: u64,
    /// How long a record may stay undelivered before its publish fails, in milliseconds.
    pub publish_timeout_ms: u64,
    /// How long one question to the broker (ping, lag) may take, in milliseconds.
    pub request_timeout_ms: u64,
    /// Silence after which the group gives a dead member's partitions away, in milliseconds.
    /// Apache Kafka takes no less than 6,000.
    pub session_timeout_ms: u64,
    /// Largest record, in bytes. At most the topic's own `max.message.bytes`.
    pub record_bytes_max: u64,
    /// Unsent records held in memory, in bytes. Publishing waits when they are more.
    pub queue_bytes_max: u64,
    /// Further properties of librdkafka, for TLS, SASL and tuning. What the delivery guarantees
    /// rest on cannot be changed here.
    pub properties: BTreeMap<String, String>,
}

impl Default for KafkaSettings {
    fn default() -> Self {
        Self {
            bootstrap: "localhost:9092".to_owned(),
            fetch_wait_ms_max: 100,
            publish_timeout_ms: 10_000,
            request_timeout_ms: 5_000,
            session_timeout_ms: 10_000,
            record_bytes_max: 1_000_000,
            queue_bytes_max: 32 * 1024 * 1024,
            properties: BTreeMap::new(),
        }
    }
}

impl KafkaSettings {
    /// What fits the embedded broker: it holds an empty fetch for the whole wait, and lets a group
    /// that had a member before wait for the session timeout less one second before it goes on.
    #[must_use]
    pub fn embedded(bootstrap: &str) -> Self {
        Self {
            bootstrap: bootstrap.to_owned(),
            fetch_wait_ms_max: 5,
            session_timeout_ms: 1_500,
            ..Self::default()
        }
    }

    /// Every violation, as `key: what is wrong`; `at` is the path of this section. Names and
    /// values in `properties` are librdkafka's to judge, when the log is opened.
    #[must_use]
    pub fn violations(&self, at: &str) -> Vec<String> {
        let ranges = [
            ("fetch_wait_ms_max", self.fetch_wait_ms_max, 1, 300_000),
            ("publish_timeout_ms", self.publish_timeout_ms, 1, 600_000),
            ("request_timeout_ms", self.request_timeout_ms, 1, 600_000),
            ("session_timeout_ms", self.session_timeout_ms, 1_000, 1_800_000),
            ("record_bytes_max", self.record_bytes_max, 1_000, 100_000_000),
            ("queue_bytes_max", self.queue_bytes_max, 1_024, 2_000_000_000),
        ];
        let mut found: Vec<String> = ranges
            .into_iter()
            .filter(|(_, value, least, most)| value < least || value > most)
            .map(|(key, _, least, most)| format!("{at}.{key}: must be between {least} and {most}"))
            .collect();
        if self.bootstrap.trim().is_empty() {
            found.push(format!("{at}.bootstrap: must name a broker, host:port"));
        }
        if self.record_bytes_max > self.queue_bytes_max {
            found.push(format!("{at}.queue_bytes_max: must be at least record_bytes_max"));
        }
        found.extend(self.properties.keys().filter(|name| config::is_reserved(name)).map(|name| {
            format!("{at}.properties.{name}: is set by OMS; what it promises rests on it")
        }));
        found
    }
}

/// Values that may be secrets are left out.
impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSettings")
            .field("bootstrap", &self.bootstrap)
            .field("fetch_wait_ms_max", &self.fetch_wait_ms_max)
            .field("publish_timeout_ms", &self.publish_timeout_ms)
            .field("request_timeout_ms", &self.request_timeout_ms)
            .field("session_timeout_ms", &self.session_timeout_ms)
            .field("record_bytes_max", &self.record_bytes_max)
            .field("queue_bytes_max", &self.queue_bytes_max)
            .field("properties", &self.properties.keys())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_violate_nothing() {
        for settings in [KafkaSettings::default(), KafkaSettings::embedded("localhost:1")] {
            assert_eq!(settings.violations("kafka"), Vec::<String>::new());
        }
    }

    #[test]
    fn every_violation_is_told_at_once() {
        let settings = KafkaSettings {
            bootstrap: " ".to_owned(),
            fetch_wait_ms_max: 0,
            publish_timeout_ms: 0,
            request_timeout_ms: 0,
            session_timeout_ms: 999,
            record_bytes_max: 5_000,
            queue_bytes_max: 4_000,
            properties: BTreeMap::from([("acks".to_owned(), "0".to_owned())]),
        };
        let found = settings.violations("kafka");
        let keys: Vec<&str> = found.iter().filter_map(|line| line.split(": ").next()).collect();
        assert_eq!(
            keys,
            [
                "kafka.fetch_wait_ms_max",
                "kafka.publish_timeout_ms",
                "kafka.request_timeout_ms",
                "kafka.session_timeout_ms",
                "kafka.bootstrap",
                "kafka.queue_bytes_max",
                "kafka.properties.acks",
            ]
        );
    }

    #[test]
    fn a_password_is_not_printed() {
        let properties = BTreeMap::from([("sasl.password".to_owned(), "hunter2".to_owned())]);
        let shown = format!("{:?}", KafkaSettings { properties, ..KafkaSettings::default() });
        assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
    }
}
