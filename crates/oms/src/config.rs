//! Settings of `oms run`: the shared sections, the three services', and its own.

use std::path::Path;

use oms_inventory::config::{InventoryConfig, InventorySettings};
use oms_messaging::KafkaSettings;
use oms_order::config::{OrderConfig, OrderSettings};
use oms_payment::config::{PaymentConfig, PaymentSettings};
use oms_service::{AdminSettings, Validate};
use oms_telemetry::{LogSettings, TraceSettings};
use serde::{Deserialize, Serialize};

/// Everything the embedded arrangement reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OmsConfig {
    pub(crate) kafka: KafkaSettings,
    pub(crate) log: LogSettings,
    pub(crate) traces: TraceSettings,
    pub(crate) order: OrderSettings,
    pub(crate) inventory: InventorySettings,
    pub(crate) payment: PaymentSettings,
    pub(crate) oms: OmsSettings,
}

/// The `[oms]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OmsSettings {
    /// The one admin port of the process.
    pub(crate) admin: AdminSettings,
    /// Where the embedded broker can be reached first, `host:port`.
    pub(crate) kafka_listen: String,
    /// Partitions of the topic on the embedded broker.
    pub(crate) partitions: i32,
    /// How long the embedded broker holds an empty fetch, in milliseconds: the latency of a hop.
    pub(crate) fetch_wait_ms_max: u64,
}

impl Default for OmsSettings {
    fn default() -> Self {
        Self {
            admin: AdminSettings::at("localhost:9091"),
            kafka_listen: "localhost:9092".to_owned(),
            partitions: 12,
            fetch_wait_ms_max: 5,
        }
    }
}

impl Validate for OmsConfig {
    fn violations(&self) -> Vec<String> {
        let mut found = self.order_config().violations();
        found.extend(self.inventory_config().violations());
        found.extend(self.payment_config().violations());
        found.extend(self.oms.admin.violations("oms.admin"));
        found.extend(
            AdminSettings::at(self.oms.kafka_listen.clone())
                .violations("oms.kafka")
                .into_iter()
                .map(|line| line.replacen("oms.kafka.listen", "oms.kafka_listen", 1)),
        );
        if !(1..=1_000).contains(&self.oms.partitions) {
            found.push("oms.partitions: must be between 1 and 1000".to_owned());
        }
        if self.oms.fetch_wait_ms_max == 0 {
            found.push("oms.fetch_wait_ms_max: must be greater than zero".to_owned());
        }
        // The shared sections are checked once for each service.
        found.sort();
        found.dedup();
        found
    }
}

impl OmsConfig {
    /// Whether any database is a file in `folder`.
    pub(crate) fn keeps_data_in(&self, folder: &Path) -> bool {
        let inside = format!("sqlite:{}", folder.display());
        [
            &self.order.database.url,
            &self.inventory.database.url,
            &self.payment.database.url,
            &self.payment.gateway.url,
        ]
        .into_iter()
        .any(|url| url.starts_with(&inside))
    }

    /// Puts everything that still has its default place into `folder`: the databases, and the
    /// local certificate.
    pub(crate) fn keep_data_in(&mut self, folder: &Path) {
        let place = |url: &mut String| {
            if let Some(file) = url.strip_prefix("sqlite:data/") {
                *url = format!("sqlite:{}", folder.join(file).display());
            }
        };
        place(&mut self.order.database.url);
        place(&mut self.inventory.database.url);
        place(&mut self.payment.database.url);
        place(&mut self.payment.gateway.url);
        let tls = &mut self.order.orders.tls.folder;
        if let Some(place) = tls.strip_prefix("data/") {
            *tls = folder.join(place).display().to_string();
        }
    }

    /// Every port any free one, as a second system beside a running one needs.
    pub(crate) fn on_free_ports(mut self) -> Self {
        for listen in [
            &mut self.order.grpc.listen,
            &mut self.order.orders.listen,
            &mut self.inventory.grpc.listen,
            &mut self.payment.grpc.listen,
            &mut self.oms.admin.listen,
            &mut self.oms.kafka_listen,
        ] {
            "localhost:0".clone_into(listen);
        }
        self
    }

    /// Every service talks to this broker, tuned for the embedded one.
    pub(crate) fn with_broker(mut self, bootstrap: &str) -> Self {
        let embedded = KafkaSettings::embedded(bootstrap);
        self.kafka.bootstrap = embedded.bootstrap;
        self.kafka.session_timeout_ms = embedded.session_timeout_ms;
        self.kafka.fetch_wait_ms_max = self.oms.fetch_wait_ms_max;
        self
    }

    fn shared(&self) -> (KafkaSettings, LogSettings, TraceSettings) {
        (self.kafka.clone(), self.log.clone(), self.traces.clone())
    }

    pub(crate) fn order_config(&self) -> OrderConfig {
        let (kafka, log, traces) = self.shared();
        OrderConfig { kafka, log, traces, order: self.order.clone() }
    }

    pub(crate) fn inventory_config(&self) -> InventoryConfig {
        let (kafka, log, traces) = self.shared();
        InventoryConfig { kafka, log, traces, inventory: self.inventory.clone() }
    }

    pub(crate) fn payment_config(&self) -> PaymentConfig {
        let (kafka, log, traces) = self.shared();
        PaymentConfig { kafka, log, traces, payment: self.payment.clone() }
    }
}

#[cfg(test)]
mod tests {
    use oms_service::config::{self as settings, Sources};

    use super::*;

    #[test]
    fn the_defaults_violate_nothing() {
        assert_eq!(OmsConfig::default().violations(), Vec::<String>::new());
    }

    #[test]
    fn the_documented_file_lists_every_key_of_ours_with_its_default() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/config/oms.toml");
        let sources = Sources { file: Some(file.into()), ..Sources::default() };
        let read: OmsConfig = settings::load_from(sources, &settings::SECTIONS).unwrap();
        assert_eq!(read, OmsConfig::default());
        let text = std::fs::read_to_string(file).unwrap();
        let (_, own) = text.split_once("\n[oms]\n").unwrap();
        for key in settings::keys(&read).iter().filter(|key| key.starts_with("oms.")) {
            let leaf = key.rsplit('.').next().unwrap();
            assert!(own.contains(&format!("\n{leaf} = ")), "{key} is missing");
        }
    }

    #[test]
    fn a_fault_in_a_shared_section_is_told_once() {
        let mut config = OmsConfig::default();
        config.kafka.fetch_wait_ms_max = 0;
        config.oms.kafka_listen = "nowhere".to_owned();
        let found = config.violations();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("kafka.fetch_wait_ms_max:"), "{found:?}");
        assert!(found[1].starts_with("oms.kafka_listen:"), "{found:?}");
    }

    #[test]
    fn only_what_is_in_its_default_place_follows_the_data_folder() {
        let mut config = OmsConfig::default();
        config.payment.database.url = "sqlite:elsewhere/payment.db".to_owned();
        config.keep_data_in(Path::new("there"));
        assert_eq!(config.order.database.url, "sqlite:there/order.db");
        assert_eq!(config.order.orders.tls.folder, "there/tls");
        assert_eq!(config.payment.gateway.url, "sqlite:there/gateway.db");
        assert_eq!(config.payment.database.url, "sqlite:elsewhere/payment.db");
    }
}
