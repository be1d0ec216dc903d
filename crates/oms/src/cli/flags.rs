//! Flags that commands share, in headings of their own.
//!
//! They are this side's configuration, so the environment is read here and nowhere else, by clap
//! where it is a flag's: a flag wins over its variable, a variable over the default, and `--help`
//! shows both. The
//! variables have one underscore (`OMS_ORDER_ADDR`), so that the services' settings
//! (`OMS_ORDER__…`) are never taken for them.

use std::time::Duration;

use clap::Args;
use oms_messaging::KafkaSettings;

use super::{Exit, Failure};

/// How long a broker may hold an empty fetch: short, because the embedded one always does.
const FETCH_WAIT_MS: u64 = 50;

/// Where the three services are, `host:port` or a URL.
#[derive(Args, Clone, Debug)]
pub(crate) struct AddressFlags {
    /// The order service.
    #[arg(long, global = true, value_name = "HOST:PORT", help_heading = "Connection")]
    #[arg(env = "OMS_ORDER_ADDR", hide_env_values = true, default_value = "localhost:50051")]
    pub(crate) order_addr: String,
    /// The inventory service.
    #[arg(long, global = true, value_name = "HOST:PORT", help_heading = "Connection")]
    #[arg(env = "OMS_INVENTORY_ADDR", hide_env_values = true, default_value = "localhost:50052")]
    pub(crate) inventory_addr: String,
    /// The payment service.
    #[arg(long, global = true, value_name = "HOST:PORT", help_heading = "Connection")]
    #[arg(env = "OMS_PAYMENT_ADDR", hide_env_values = true, default_value = "localhost:50053")]
    pub(crate) payment_addr: String,
}

/// Where operators are served: the admin port of a process.
#[derive(Args, Clone, Debug)]
pub(crate) struct AdminFlags {
    /// The admin port of a process: 9091 of `oms run` and of order, 9191 of inventory, 9291 of
    /// payment.
    #[arg(long, value_name = "HOST:PORT", help_heading = "Connection")]
    #[arg(env = "OMS_ADMIN_ADDR", hide_env_values = true, default_value = "localhost:9091")]
    pub(crate) admin_addr: String,
}

/// Where the admin ports of all services are.
#[derive(Args, Clone, Debug)]
pub(crate) struct AdminPortsFlags {
    /// The admin ports to ask, separated by commas: `oms run` has one for all services, and each
    /// service one where it has a process of its own.
    #[arg(long, value_name = "HOST:PORT,…", help_heading = "Connection", value_delimiter = ',')]
    #[arg(env = "OMS_ADMIN_ADDR", hide_env_values = true)]
    #[arg(default_value = "localhost:9091,localhost:9191,localhost:9291")]
    pub(crate) admin_addr: Vec<String>,
}

/// Where Kafka is.
#[derive(Args, Clone, Debug)]
pub(crate) struct KafkaFlags {
    /// Kafka's brokers to begin with.
    #[arg(long, global = true, value_name = "HOST:PORT", help_heading = "Connection")]
    #[arg(env = "OMS_BOOTSTRAP", hide_env_values = true, default_value = "localhost:9092")]
    pub(crate) bootstrap: String,
    /// A property of librdkafka, for TLS and SASL. May be repeated.
    #[arg(long, global = true, value_name = "NAME=VALUE", help_heading = "Connection")]
    #[arg(value_parser = oms_service::config::setting)]
    pub(crate) kafka_property: Vec<(String, String)>,
}

impl KafkaFlags {
    /// The settings of a client that only looks.
    pub(crate) fn settings(&self) -> Result<KafkaSettings, Failure> {
        let settings = KafkaSettings {
            bootstrap: self.bootstrap.clone(),
            fetch_wait_ms_max: FETCH_WAIT_MS,
            properties: self.kafka_property.iter().cloned().collect(),
            ..KafkaSettings::default()
        };
        let violations = settings.violations("kafka");
        let violations: Vec<String> = violations.iter().map(|wrong| flag_of(wrong)).collect();
        match violations.first().cloned() {
            None => Ok(settings),
            Some(first) => Err(Failure { violations, ..Failure::new(Exit::Usage, first) }),
        }
    }
}

/// What is wrong with a setting of the broker's client, by the flag that it came from.
pub(super) fn flag_of(wrong: &str) -> String {
    for (setting, flag) in
        [("kafka.properties.", "--kafka-property "), ("kafka.bootstrap", "--bootstrap")]
    {
        if let Some(rest) = wrong.strip_prefix(setting) {
            return format!("{flag}{rest}");
        }
    }
    wrong.to_owned()
}

/// What a shell says of the terminal's width. No flag, because `--width` is one.
#[allow(clippy::disallowed_methods, reason = "the client's environment is read in this file")]
pub(super) fn terminal_columns() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok()
}

/// Where the system is, and how answers are shown.
#[derive(Args, Clone, Debug)]
pub(crate) struct ClientFlags {
    #[command(flatten)]
    pub(crate) at: AddressFlags,
    #[command(flatten)]
    pub(crate) calls: CallFlags,
    /// Print one JSON document, as grpcurl would, or one a line where there are many.
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Columns a table may take [default: the terminal's; no bound when not a terminal].
    #[arg(long, global = true, value_name = "COLUMNS", help_heading = "Output")]
    #[arg(value_parser = clap::value_parser!(u16).range(20..=1_000))]
    pub(crate) width: Option<u16>,
    /// Tell on standard error what is called, with which key, and what is tried again.
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// How patient a call is.
#[derive(Args, Clone, Debug)]
pub(crate) struct CallFlags {
    /// How long one call may take.
    #[arg(long, global = true, value_name = "DURATION", help_heading = "Connection")]
    #[arg(env = "OMS_DEADLINE", hide_env_values = true, default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(crate) deadline: Duration,
    /// How often a call is repeated, with the same key, when the service is unavailable or busy.
    #[arg(long, global = true, value_name = "COUNT", help_heading = "Connection")]
    #[arg(env = "OMS_RETRIES", hide_env_values = true, default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(crate) retries: u32,
}

/// The key of a call that changes something.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct KeyFlags {
    /// Idempotency key: the same key and request give the first answer again [default: a new one].
    #[arg(long, value_name = "KEY", help_heading = "Call")]
    pub(crate) key: Option<String>,
}

/// On which version of the order a call insists.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AfterFlags {
    /// Do nothing unless the order has this version; `oms order show` tells it.
    #[arg(long, value_name = "VERSION", help_heading = "Call")]
    pub(crate) expected_version: Option<i32>,
}
