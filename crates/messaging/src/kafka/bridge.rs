//! librdkafka's own words, handed on to `tracing`.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    error::KafkaError,
    message::DeliveryResult,
    producer::{BaseProducer, Producer, ProducerContext},
    types::RDKafkaErrorCode,
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

/// How long events of a client that failed are waited for.
const EVENTS_WITHIN: Duration = Duration::from_millis(100);

/// Keeps why the last connection failed.
#[derive(Debug, Default)]
struct LastFailure(Mutex<Option<String>>);

impl ClientContext for LastFailure {
    fn error(&self, error: KafkaError, reason: &str) {
        note(&error, reason);
        // That all brokers are down is what the caller knows already.
        if error != KafkaError::Global(RDKafkaErrorCode::AllBrokersDown) {
            let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *last = Some(reason.to_owned());
        }
    }
}

impl ProducerContext for LastFailure {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// Why no broker is reached: a call's own result says no more than that, and not that a certificate
/// is not trusted. Blocks, for as long as a question to the broker may.
pub(super) fn last_failure(client: &ClientConfig, within: Duration) -> Option<String> {
    let producer: BaseProducer<LastFailure> =
        client.create_with_context(LastFailure::default()).ok()?;
    // What fails here is told by the events that follow.
    let _failed = producer.client().fetch_metadata(None, within);
    producer.poll(EVENTS_WITHIN);
    let context = producer.client().context();
    context.0.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Facility of lost connections. librdkafka makes new ones by itself; who cannot go on meanwhile,
/// relay or consumer, says so once.
const CONNECTIONS: &str = "FAIL";

/// Whether another try ends the same until somebody changes a setting.
fn is_a_matter_of_settings(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{Authentication, SSL};
    matches!(error, KafkaError::Global(SSL | Authentication))
}

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

/// A global error. Whoever called is told by the call's own result, which is where it is logged;
/// but that result does not say that a certificate or a password is wrong.
pub(super) fn note(error: &KafkaError, reason: &str) {
    if is_a_matter_of_settings(error) {
        tracing::warn!(target: "kafka", %error, "{reason}");
    } else {
        tracing::debug!(target: "kafka", %error, "{reason}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_certificate_or_password_is_told_and_a_lost_broker_is_not() {
        let global = |code| is_a_matter_of_settings(&KafkaError::Global(code));
        assert!(global(RDKafkaErrorCode::SSL) && global(RDKafkaErrorCode::Authentication));
        assert!(!global(RDKafkaErrorCode::BrokerTransportFailure));
    }
}
