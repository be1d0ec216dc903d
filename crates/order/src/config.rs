//! The order service's settings, with their defaults. `deploy/config/oms.toml` lists every key.

use std::time::Duration;

use oms_messaging::{KafkaSettings, MessagingSettings};
use oms_service::{
    AdminSettings, DatabaseSettings, GrpcSettings, TlsSettings, Validate,
    idempotency::IdempotencySettings,
};
use oms_telemetry::{LogSettings, TraceSettings};
use serde::{Deserialize, Serialize};

/// Everything this service can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrderConfig {
    /// `[kafka]`: the brokers.
    pub kafka: KafkaSettings,
    /// `[log]`: what is logged.
    pub log: LogSettings,
    /// `[traces]`: where spans go.
    pub traces: TraceSettings,
    /// `[order]`: this service.
    pub order: OrderSettings,
}

/// The section `[order]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrderSettings {
    /// The service's own database.
    pub database: DatabaseSettings,
    /// Where `oms.v1.OrderService` is served, and `orders.Orders` too.
    pub grpc: GrpcSettings,
    /// Where `orders.Orders` alone is served, in plaintext and with TLS.
    pub orders: OrdersSettings,
    /// The admin port.
    pub admin: AdminSettings,
    /// Outbox, relay, inbox, asking.
    pub messaging: MessagingSettings,
    /// How long answers to idempotency keys are kept.
    pub idempotency: IdempotencySettings,
    /// The topic of events; the same for all services.
    pub topic: String,
    /// The topic of dead letters; the same for all services.
    pub dead_letter_topic: String,
    /// The consumer group; instances of this service share it.
    pub consumer_group: String,
    /// A pay run that takes longer is cancelled, in seconds.
    pub run_deadline_s: u64,
    /// How often late runs are looked for, in milliseconds.
    pub deadline_sweep_ms: u64,
    /// Late runs cancelled in one transaction.
    pub deadline_batch_max: u64,
    /// How long a repeated CreateOrder without a key means the same order, in seconds.
    pub repeat_window_s: u64,
    /// How often expired traces of CreateOrder without a key are deleted, in milliseconds.
    pub repeat_sweep_ms: u64,
    /// Such traces deleted in one statement.
    pub repeat_batch_max: u64,
    /// How long a call waits whose caller names no deadline, in milliseconds.
    pub call_wait_ms: u64,
    /// How often orders that calls wait for are looked at, in milliseconds; changes made by this
    /// instance are told at once.
    pub changes_poll_ms: u64,
    /// Orders that calls may wait for at a time; one more is answered UNAVAILABLE.
    pub waiting_orders_max: usize,
    /// Calls that may watch an order at a time; one more is answered UNAVAILABLE. Keep it below
    /// `waiting_orders_max`, so that watchers leave room for the calls that wait for a refund.
    pub watchers_max: usize,
}

/// The section `[order.orders]`: the port of `orders.Orders`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrdersSettings {
    /// `host:port`; `localhost` is both loopbacks, port 0 any free one.
    pub listen: String,
    /// Calls at the same time; one more is answered UNAVAILABLE.
    pub concurrency_max: usize,
    /// The port's certificate.
    pub tls: TlsSettings,
}

impl Default for OrdersSettings {
    fn default() -> Self {
        let GrpcSettings { listen, concurrency_max } = GrpcSettings::at("localhost:5001");
        Self { listen, concurrency_max, tls: TlsSettings::default() }
    }
}

impl OrdersSettings {
    /// As the host takes it.
    #[must_use]
    pub fn grpc(&self) -> GrpcSettings {
        let Self { listen, concurrency_max, .. } = self.clone();
        GrpcSettings { listen, concurrency_max }
    }
}

impl Default for OrderSettings {
    fn default() -> Self {
        Self {
            database: DatabaseSettings::at("sqlite:data/order.db"),
            grpc: GrpcSettings::at("localhost:50051"),
            orders: OrdersSettings::default(),
            admin: AdminSettings::at("localhost:9091"),
            messaging: MessagingSettings::default(),
            idempotency: IdempotencySettings::default(),
            topic: "oms.saga.events".to_owned(),
            dead_letter_topic: "oms.saga.events.dlq".to_owned(),
            consumer_group: "oms-order".to_owned(),
            run_deadline_s: 15 * 60,
            deadline_sweep_ms: 1_000,
            deadline_batch_max: 100,
            repeat_window_s: 10 * 60,
            repeat_sweep_ms: 60_000,
            repeat_batch_max: 500,
            call_wait_ms: 5_000,
            changes_poll_ms: 100,
            waiting_orders_max: 10_000,
            watchers_max: 5_000,
        }
    }
}

/// A year: longer times are mistakes, and every sum with an instant stays in range.
const SECONDS_MAX: u64 = 365 * 24 * 3_600;

impl OrderSettings {
    /// Every violation, as `key: what is wrong`; `at` is the path of this section.
    #[must_use]
    pub fn violations(&self, at: &str) -> Vec<String> {
        let mut found = self.database.violations(&format!("{at}.database"));
        found.extend(self.grpc.violations(&format!("{at}.grpc")));
        found.extend(self.orders.grpc().violations(&format!("{at}.orders")));
        found.extend(self.orders.tls.violations(&format!("{at}.orders.tls")));
        found.extend(self.admin.violations(&format!("{at}.admin")));
        found.extend(self.messaging.violations(&format!("{at}.messaging")));
        found.extend(self.idempotency.violations(&format!("{at}.idempotency")));
        let ranges = [
            ("run_deadline_s", self.run_deadline_s, SECONDS_MAX),
            ("deadline_sweep_ms", self.deadline_sweep_ms, SECONDS_MAX),
            ("deadline_batch_max", self.deadline_batch_max, 10_000),
            ("repeat_window_s", self.repeat_window_s, SECONDS_MAX),
            ("repeat_sweep_ms", self.repeat_sweep_ms, SECONDS_MAX),
            ("repeat_batch_max", self.repeat_batch_max, 10_000),
            ("call_wait_ms", self.call_wait_ms, SECONDS_MAX),
            ("changes_poll_ms", self.changes_poll_ms, SECONDS_MAX),
            ("waiting_orders_max", self.waiting_orders_max as u64, 1_000_000),
            ("watchers_max", self.watchers_max as u64, 1_000_000),
        ];
        let outside = ranges.into_iter().filter(|(_, value, most)| value < &1 || value > most);
        found.extend(outside.map(|(key, _, most)| format!("{at}.{key}: must be 1 to {most}")));
        if self.watchers_max >= self.waiting_orders_max {
            found.push(format!(
                "{at}.watchers_max: must be below {at}.waiting_orders_max ({}), or watchers leave \
                 no room for calls that wait; lower it, or raise the other",
                self.waiting_orders_max
            ));
        }
        let named = [
            ("topic", &self.topic),
            ("dead_letter_topic", &self.dead_letter_topic),
            ("consumer_group", &self.consumer_group),
        ];
        let empty = named.into_iter().filter(|(_, name)| name.trim().is_empty());
        found.extend(empty.map(|(key, _)| format!("{at}.{key}: must not be empty")));
        found
    }

    /// How long a call waits whose caller names no deadline.
    #[must_use]
    pub fn call_wait(&self) -> Duration {
        Duration::from_millis(self.call_wait_ms)
    }
}

impl Validate for OrderConfig {
    fn violations(&self) -> Vec<String> {
        let mut found = self.kafka.violations("kafka");
        found.extend(self.log.violations("log"));
        found.extend(self.traces.violations("traces"));
        found.extend(self.order.violations("order"));
        found
    }
}

#[cfg(test)]
mod tests {
    use oms_service::config::{SECTIONS, Sources, load_from};

    use super::*;

    #[test]
    fn the_defaults_violate_nothing_and_survive_being_written_and_read() {
        assert_eq!(OrderConfig::default().violations(), Vec::<String>::new());
        let read: OrderConfig = load_from(Sources::default(), &SECTIONS).unwrap();
        assert_eq!(read, OrderConfig::default());
    }

    #[test]
    fn every_violation_is_told_at_once_with_its_key() {
        let mut config = OrderConfig::default();
        config.order.run_deadline_s = 0;
        config.order.waiting_orders_max = 2_000_000;
        config.order.database.url = "mysql://nowhere".to_owned();
        config.order.grpc.listen = "here".to_owned();
        config.order.orders.concurrency_max = 0;
        config.order.orders.tls.key_path = "key.pem".to_owned();
        config.order.idempotency.keep_hours = 1;
        config.order.topic = " ".to_owned();
        config.kafka.bootstrap = String::new();
        let found = config.violations();
        for key in [
            "order.run_deadline_s:",
            "order.waiting_orders_max:",
            "order.database.url:",
            "order.grpc.listen:",
            "order.orders.concurrency_max:",
            "order.orders.tls.certificate_path:",
            "order.idempotency.keep_hours:",
            "order.topic:",
            "kafka.bootstrap:",
        ] {
            assert!(found.iter().any(|line| line.starts_with(key)), "{key} {found:?}");
        }
        assert_eq!(found.len(), 9, "{found:?}");
    }

    #[test]
    fn watchers_that_leave_no_room_for_calls_that_wait_are_a_violation() {
        let mut config = OrderConfig::default();
        config.order.waiting_orders_max = config.order.watchers_max + 1;
        assert_eq!(config.violations(), Vec::<String>::new());
        config.order.waiting_orders_max -= 1;
        let found = config.violations();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("order.watchers_max: must be below"), "{found:?}");
    }

    #[test]
    fn the_environment_reaches_nested_keys() {
        let environment = vec![
            ("OMS_ORDER__GRPC__LISTEN".to_owned(), "localhost:0".to_owned()),
            ("OMS_ORDER__RUN_DEADLINE_S".to_owned(), "7".to_owned()),
        ];
        let sources = Sources { environment, ..Sources::default() };
        let config: OrderConfig = load_from(sources, &SECTIONS).unwrap();
        assert_eq!(config.order.grpc.listen, "localhost:0");
        assert_eq!(config.order.run_deadline_s, 7);
    }
}
