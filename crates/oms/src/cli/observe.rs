//! A topic, looked at as anybody could.

use oms_messaging::kafka::{From, Observer};

use super::{Failure, KafkaFlags, cause::unread};

/// Begins to read a topic; what hinders is told with the next step.
pub(crate) async fn observer(
    kafka: &KafkaFlags,
    topic: &str,
    from: From,
) -> Result<Observer, Failure> {
    Observer::open(&kafka.settings()?, topic, from).await.map_err(unread)
}
