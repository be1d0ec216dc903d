//! librdkafka's own words, handed on to `tracing`.

use rdkafka::{
    ClientContext, config::RDKafkaLogLevel, error::KafkaError, message::DeliveryResult,
    producer::ProducerContext,
};

/// The context of a client that needs no more than its log lines handed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bridge;

impl ClientContext for Bridge {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        note(&error, reason);
    }
}

impl ProducerContext for Bridge {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// Facility of lost connections. librdkafka makes new ones by itself; who cannot go on meanwhile,
/// relay or consumer, says so once.
const CONNECTIONS: &str = "FAIL";

/// One log line.
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    use RDKafkaLogLevel::{Alert, Critical, Debug, Emerg, Error, Info, Notice, Warning};
    match level {
        _ if facility == CONNECTIONS => {
            tracing::debug!(target: "kafka", facility, "{message}");
        }
        Emerg | Alert | Critical | Error => tracing::error!(target: "kafka", facility, "{message}"),
        Warning => tracing::warn!(target: "kafka", facility, "{message}"),
        Notice | Info => tracing::info!(target: "kafka", facility, "{message}"),
        Debug => tracing::debug!(target: "kafka", facility, "{message}"),
    }
}

/// A global error. Whoever called is told by the call's own result, which is where it is logged.
pub(super) fn note(error: &KafkaError, reason: &str) {
    tracing::debug!(target: "kafka", %error, "{reason}");
}
