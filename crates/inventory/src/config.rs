//! What can be set about the inventory service, with defaults and bounds.

use std::path::Path;

use chrono::TimeDelta;
use oms_messaging::{KafkaSettings, MessagingSettings};
use oms_service::{
    AdminSettings, DatabaseSettings, GrpcSettings, Validate, idempotency::IdempotencySettings,
};
use oms_telemetry::{LogSettings, TraceSettings};
use serde::{Deserialize, Serialize};

use crate::{catalogue, store::Policy};

/// Everything this service reads: its own section and the shared ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InventoryConfig {
    /// The log that joins the services.
    pub kafka: KafkaSettings,
    /// What is logged, and how.
    pub log: LogSettings,
    /// Where spans go, and which.
    pub traces: TraceSettings,
    /// The service's own section.
    pub inventory: InventorySettings,
}

/// The `[inventory]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InventorySettings {
    /// The service's own database.
    pub database: DatabaseSettings,
    /// Where `oms.v1.InventoryService` is served.
    pub grpc: GrpcSettings,
    /// Metrics and health.
    pub admin: AdminSettings,
    /// Bounds and intervals of messaging.
    pub messaging: MessagingSettings,
    /// How long idempotency keys are kept.
    pub idempotency: IdempotencySettings,
    /// The topic of events; the same for all services.
    pub topic: String,
    /// The topic of dead letters; the same for all services.
    pub dead_letter_topic: String,
    /// The consumer group; instances of this service share it.
    pub consumer_group: String,
    /// How long an uncommitted hold waits before inventory asks about it, in seconds.
    pub reservation_ttl_s: u32,
    /// How often expired holds are looked for, in milliseconds.
    pub expiry_sweep_ms: u64,
    /// Expired holds announced in one sweep.
    pub expiry_batch_max: u64,
    /// CSV file with the stock of the first start; empty means the built-in catalogue.
    pub catalogue_path: String,
}

impl Default for InventorySettings {
    fn default() -> Self {
        Self {
            database: DatabaseSettings::at("sqlite:data/inventory.db"),
            grpc: GrpcSettings::at("localhost:50052"),
            admin: AdminSettings::at("localhost:9191"),
            messaging: MessagingSettings::default(),
            idempotency: IdempotencySettings::default(),
            topic: "oms.saga.events".to_owned(),
            dead_letter_topic: "oms.saga.events.dlq".to_owned(),
            consumer_group: "oms-inventory".to_owned(),
            reservation_ttl_s: 20 * 60,
            expiry_sweep_ms: 1_000,
            expiry_batch_max: 200,
            catalogue_path: String::new(),
        }
    }
}

impl InventorySettings {
    /// The operator's decisions about holds.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy { hold_for: TimeDelta::seconds(i64::from(self.reservation_ttl_s)) }
    }

    /// The catalogue's file, if one is set.
    #[must_use]
    pub fn catalogue_file(&self) -> Option<&Path> {
        (!self.catalogue_path.is_empty()).then(|| Path::new(&self.catalogue_path))
    }

    /// Every violation, as `key: what is wrong`; `at` is the path of this section.
    #[must_use]
    pub fn violations(&self, at: &str) -> Vec<String> {
        let mut found = self.database.violations(&format!("{at}.database"));
        found.extend(self.grpc.violations(&format!("{at}.grpc")));
        found.extend(self.admin.violations(&format!("{at}.admin")));
        found.extend(self.messaging.violations(&format!("{at}.messaging")));
        found.extend(self.idempotency.violations(&format!("{at}.idempotency")));
        let ranges = [
            ("reservation_ttl_s", u64::from(self.reservation_ttl_s), TTL_S_MAX),
            ("expiry_sweep_ms", self.expiry_sweep_ms, 86_400_000),
            ("expiry_batch_max", self.expiry_batch_max, 1_000),
        ];
        let outside = ranges.into_iter().filter(|(_, value, most)| *value < 1 || value > most);
        found.extend(outside.map(|(key, _, most)| format!("{at}.{key}: must be 1 to {most}")));
        let named = [
            ("topic", &self.topic),
            ("dead_letter_topic", &self.dead_letter_topic),
            ("consumer_group", &self.consumer_group),
        ];
        let empty = named.into_iter().filter(|(_, name)| name.trim().is_empty());
        found.extend(empty.map(|(key, _)| format!("{at}.{key}: must not be empty")));
        // Read here too, so that a bad catalogue is a bad setting, said before anything starts.
        if let Err(error) = catalogue::read(self.catalogue_file()) {
            let lines = error.to_string();
            found.extend(lines.lines().map(|line| format!("{at}.catalogue_path: {line}")));
        }
        found
    }
}

/// A year: a hold that waits longer is a mistake.
const TTL_S_MAX: u64 = 365 * 24 * 3_600;

impl Validate for InventoryConfig {
    fn violations(&self) -> Vec<String> {
        let mut found = self.kafka.violations("kafka");
        found.extend(self.log.violations("log"));
        found.extend(self.traces.violations("traces"));
        found.extend(self.inventory.violations("inventory"));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(InventoryConfig::default().violations(), Vec::<String>::new());
    }

    #[test]
    fn every_violation_is_listed_at_once() {
        let mut config = InventoryConfig::default();
        config.inventory.reservation_ttl_s = 0;
        config.inventory.expiry_sweep_ms = 0;
        config.inventory.expiry_batch_max = 0;
        config.inventory.topic = String::new();
        config.inventory.database.url = "nowhere".to_owned();
        config.inventory.messaging.lease_ms = 0;
        config.inventory.catalogue_path = "no/such/file.csv".to_owned();
        let found = config.violations();
        for key in [
            "inventory.reservation_ttl_s",
            "inventory.expiry_sweep_ms",
            "inventory.expiry_batch_max",
            "inventory.topic",
            "inventory.database.url",
            "inventory.messaging.lease_ms",
            "inventory.catalogue_path",
        ] {
            assert!(found.iter().any(|line| line.starts_with(&format!("{key}:"))), "{found:#?}");
        }
    }
}
