//! Payment's settings; `deploy/config/oms.toml` lists every key.

use std::time::Duration;

use oms_messaging::{KafkaSettings, MessagingSettings};
use oms_service::{AdminSettings, DatabaseSettings, GrpcSettings, Validate};
use oms_telemetry::{LogSettings, TraceSettings};
use serde::{Deserialize, Serialize};

use crate::worker::WorkerSettings;

/// Everything the payment service can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaymentConfig {
    /// The log that joins the services.
    pub kafka: KafkaSettings,
    /// Log lines.
    pub log: LogSettings,
    /// Where spans go, and which.
    pub traces: TraceSettings,
    /// The service's own section.
    pub payment: PaymentSettings,
}

/// The section `payment`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaymentSettings {
    /// The service's own database.
    pub database: DatabaseSettings,
    /// The gRPC port.
    pub grpc: GrpcSettings,
    /// The admin port of the service's own process.
    pub admin: AdminSettings,
    /// Bounds and intervals of messaging.
    pub messaging: MessagingSettings,
    /// The simulated gateway.
    pub gateway: GatewaySettings,
    /// Bounds and intervals of the worker that calls the gateway.
    pub worker: WorkerSettings,
    /// The topic of events; the same for all services.
    pub topic: String,
    /// The topic of dead letters; the same for all services.
    pub dead_letter_topic: String,
    /// The consumer group; instances of this service share it.
    pub consumer_group: String,
}

impl Default for PaymentSettings {
    fn default() -> Self {
        Self {
            database: DatabaseSettings::at("sqlite:data/payment.db"),
            grpc: GrpcSettings::at("localhost:50053"),
            admin: AdminSettings::at("localhost:9291"),
            messaging: MessagingSettings::default(),
            gateway: GatewaySettings::default(),
            worker: WorkerSettings::default(),
            topic: "oms.saga.events".to_owned(),
            dead_letter_topic: "oms.saga.events.dlq".to_owned(),
            consumer_group: "oms-payment".to_owned(),
        }
    }
}

impl PaymentSettings {
    fn own_violations(&self) -> Vec<String> {
        let named = [
            ("topic", &self.topic),
            ("dead_letter_topic", &self.dead_letter_topic),
            ("consumer_group", &self.consumer_group),
        ];
        let empty = named.into_iter().filter(|(_, value)| value.is_empty());
        let mut found: Vec<String> =
            empty.map(|(key, _)| format!("payment.{key}: must not be empty")).collect();
        if self.gateway.url == self.database.url {
            found.push("payment.gateway.url: must not be the service's own database".to_owned());
        }
        if self.gateway.slow_ms >= self.worker.gateway_timeout_ms {
            let text = "must be less than payment.worker.gateway_timeout_ms, or it never answers";
            found.push(format!("payment.gateway.slow_ms: {text}"));
        }
        found
    }
}

/// The simulated gateway, which keeps a log of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GatewaySettings {
    /// The gateway's database, not the service's.
    pub url: String,
    /// Connections of the PostgreSQL pool. SQLite has one writer and four readers.
    pub connections_max: u32,
    /// How long `pm_card_slow` takes, in milliseconds.
    pub slow_ms: u64,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        let database = DatabaseSettings::at("sqlite:data/gateway.db");
        Self { url: database.url, connections_max: database.connections_max, slow_ms: 2_000 }
    }
}

impl GatewaySettings {
    /// Its database.
    #[must_use]
    pub fn database(&self) -> DatabaseSettings {
        DatabaseSettings { url: self.url.clone(), connections_max: self.connections_max }
    }

    /// How long `pm_card_slow` takes.
    #[must_use]
    pub fn slow(&self) -> Duration {
        Duration::from_millis(self.slow_ms)
    }
}

impl Validate for PaymentConfig {
    fn violations(&self) -> Vec<String> {
        let own = &self.payment;
        let mut found = self.kafka.violations("kafka");
        found.extend(self.log.violations("log"));
        found.extend(self.traces.violations("traces"));
        found.extend(own.database.violations("payment.database"));
        found.extend(own.grpc.violations("payment.grpc"));
        found.extend(own.admin.violations("payment.admin"));
        found.extend(own.messaging.violations("payment.messaging"));
        found.extend(own.gateway.database().violations("payment.gateway"));
        found.extend(own.worker.violations("payment.worker"));
        found.extend(own.own_violations());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_violate_nothing() {
        assert_eq!(PaymentConfig::default().violations(), Vec::<String>::new());
    }

    #[test]
    fn every_violation_is_told_at_once_and_names_its_key() {
        let mut config = PaymentConfig::default();
        config.payment.gateway.url.clone_from(&config.payment.database.url);
        config.payment.gateway.slow_ms = 10_000;
        config.payment.worker.gateway_calls_max = 0;
        config.payment.database.url = "mysql:x".to_owned();
        config.payment.topic = String::new();
        let found = config.violations();
        let keys: Vec<&str> = found.iter().filter_map(|line| line.split(": ").next()).collect();
        assert_eq!(
            keys,
            [
                "payment.database.url",
                "payment.worker.gateway_calls_max",
                "payment.topic",
                "payment.gateway.slow_ms",
            ]
        );
        config.payment.database.url.clone_from(&config.payment.gateway.url);
        assert!(config.violations().iter().any(|line| line.starts_with("payment.gateway.url: ")));
    }
}
