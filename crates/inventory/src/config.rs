//! What can be set about the inventory service, with defaults and bounds.

use std::path::Path;

use chrono::TimeDelta;
use oms_messaging::{KafkaSettings, MessagingSettings};
use oms_service::{
    AdminSettings, DatabaseSettings, GrpcSettings, Validate, idempotency::IdempotencySettings,
};
use oms_telemetry::LogSettings;
use serde::{Deserialize, Serialize};

use crate::store::Policy;

/// Everything this service reads: its own section and the shared ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InventoryConfig {
    /// The log that joins the services.
    pub kafka: KafkaSettings,
    /// What is logged, and how.
    pub log: LogSettings,
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

    fn own_violations(&self) -> Vec<String> {
        let positive = [
            ("reservation_ttl_s", u64::from(self.reservation_ttl_s)),
            ("expiry_sweep_ms", self.expiry_sweep_ms),
            ("expiry_batch_max", self.expiry_batch_max),
        ];
        let positive = positive
            .into_iter()
            .filter(|(_, value)| *value == 0)
            .map(|(key, _)| format!("inventory.{key}: must be greater than zero"));
        let named = [
            ("topic", &self.topic),
            ("dead_letter_topic", &self.dead_letter_topic),
            ("consumer_group", &self.consumer_group),
        ];
        let named = named
            .into_iter()
            .filter(|(_, value)| value.is_empty())
            .map(|(key, _)| format!("inventory.{key}: must not be empty"));
        positive.chain(named).collect()
    }
}

impl Validate for InventoryConfig {
    fn violations(&self) -> Vec<String> {
        let own = &self.inventory;
        let mut all = self.kafka.violations("kafka");
        all.extend(self.log.violations("log"));
        all.extend(own.database.violations("inventory.database"));
        all.extend(own.grpc.violations("inventory.grpc"));
        all.extend(own.admin.violations("inventory.admin"));
        all.extend(own.messaging.violations("inventory.messaging"));
        all.extend(own.idempotency.violations("inventory.idempotency"));
        all.extend(own.own_violations());
        all
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
        let found = config.violations();
        for key in [
            "inventory.reservation_ttl_s",
            "inventory.expiry_sweep_ms",
            "inventory.expiry_batch_max",
            "inventory.topic",
            "inventory.database.url",
            "inventory.messaging.lease_ms",
        ] {
            assert!(found.iter().any(|line| line.starts_with(&format!("{key}:"))), "{found:#?}");
        }
    }
}
