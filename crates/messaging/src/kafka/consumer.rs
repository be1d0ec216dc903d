//! Reading: a member of a consumer group.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use async_trait::async_trait;
use chrono::DateTime;
use futures::{FutureExt, StreamExt};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{Consumer, StreamConsumer},
    error::KafkaError,
    message::{BorrowedMessage, Headers},
    types::RDKafkaErrorCode,
};
use tokio::time::{Instant, timeout, timeout_at};

use super::{aside, membership::Membership, watermarks};
use crate::{Delivery, LogError, Record, Subscription, log::Partition};

/// How long leaving a group may take before it goes on unobserved.
const CLOSE_WAIT: Duration = Duration::from_secs(10);

/// A member of a consumer group.
pub(super) struct KafkaSubscription {
    /// Taken when the subscription is closed or dropped, both of which block.
    consumer: Option<Arc<StreamConsumer<Membership>>>,
    request_timeout: Duration,
}

impl KafkaSubscription {
    /// A subscription over a consumer that has subscribed.
    pub(super) fn new(consumer: StreamConsumer<Membership>, request_timeout: Duration) -> Self {
        Self { consumer: Some(Arc::new(consumer)), request_timeout }
    }

    fn consumer(&self) -> Result<&Arc<StreamConsumer<Membership>>, LogError> {
        self.consumer.as_ref().ok_or_else(|| LogError("the subscription is closed".to_owned()))
    }

    /// The consumer, when it holds the partition.
    fn holding(&self, partition: &Partition) -> Result<&Arc<StreamConsumer<Membership>>, LogError> {
        let consumer = self.consumer()?;
        if consumer.context().holds(partition) {
            Ok(consumer)
        } else {
            Err(LogError(format!("{}/{} is not assigned", partition.topic, partition.number)))
        }
    }
}

#[async_trait]
impl Subscription for KafkaSubscription {
    async fn poll(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivery>, LogError> {
        let consumer = self.consumer()?;
        let (mut messages, context) = (consumer.stream(), consumer.context());
        let deadline = Instant::now() + wait;
        let (mut taken, mut trouble) = (Vec::new(), None);
        while taken.is_empty() && max > 0 {
            let revocations = context.revocations();
            // A revocation is served within the stream, which then waits on: do not let it.
            let next = poll_fn(|cx| match messages.poll_next_unpin(cx) {
                Poll::Pending if trouble.is_some() => Poll::Ready(None),
                Poll::Pending if context.revocations() != revocations => Poll::Ready(None),
                polled => polled,
            });
            match timeout_at(deadline, next).await {
                Err(_) | Ok(None) => return trouble.map_or(Ok(Vec::new()), Err),
                Ok(Some(Ok(message))) => taken.push(delivery(&message)),
                Ok(Some(Err(error))) if mends_itself(&error) => {
                    tracing::debug!(target: "kafka", %error, "still waiting");
                }
                // An outage leaves an error for every try to connect, and the rebalance after it
                // waits behind them: who is told of one at a time does not get there.
                Ok(Some(Err(error))) => trouble = Some(LogError(error.to_string())),
            }
        }
        // What was taken is gone from the client: an error now must not lose it. It comes again.
        // A rebalance ends the batch too, because it is served between two messages.
        while taken.len() < max {
            let Some(Some(Ok(message))) = messages.next().now_or_never() else { break };
            taken.push(delivery(&message));
        }
        taken.retain(|delivery| context.holds(&delivery.partition));
        Ok(taken)
    }

    fn store(&mut self, partition: &Partition, next: i64) -> Result<(), LogError> {
        let consumer = self.holding(partition)?;
        let mut offsets = TopicPartitionList::new();
        offsets
            .add_partition_offset(&partition.topic, partition.number, Offset::Offset(next))
            .and_then(|()| consumer.store_offsets(&offsets))
            .map_err(|error| LogError(error.to_string()))?;
        consumer.context().note_stored(partition, next);
        Ok(())
    }

    fn pause(&mut self, partition: &Partition) -> Result<(), LogError> {
        let consumer = self.holding(partition)?;
        consumer.pause(&alone(partition)).map_err(|error| LogError(error.to_string()))?;
        consumer.context().note_paused(partition, true);
        Ok(())
    }

    fn resume(&mut self, partition: &Partition) -> Result<(), LogError> {
        let consumer = self.holding(partition)?;
        consumer.resume(&alone(partition)).map_err(|error| LogError(error.to_string()))?;
        consumer.context().note_paused(partition, false);
        Ok(())
    }

    fn assigned(&self) -> Vec<Partition> {
        self.consumer.as_ref().map(|consumer| consumer.context().held()).unwrap_or_default()
    }

    async fn lag(&mut self) -> Result<Option<Vec<(Partition, i64)>>, LogError> {
        let consumer = self.consumer()?.clone();
        let held = consumer.context().positions();
        if held.is_empty() {
            return Ok(None);
        }
        let timeout = self.request_timeout;
        aside::blocking(move || watermarks::lag(&consumer, held, timeout))
            .await?
            .map(Some)
            .map_err(|error| LogError(error.to_string()))
    }

    /// Giving the partitions back commits what was stored of them.
    async fn close(mut self: Box<Self>) -> Result<(), LogError> {
        let Some(consumer) = self.consumer.take() else { return Ok(()) };
        let context = consumer.context().clone();
        if timeout(CLOSE_WAIT, aside::dropped(consumer)).await.is_err() {
            return Err(LogError("leaving the group takes long".to_owned()));
        }
        context.commit_failure().map_or(Ok(()), |why| Err(LogError(why)))
    }
}

impl Drop for KafkaSubscription {
    fn drop(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            aside::drop_aside(consumer);
        }
    }
}

/// Whether librdkafka merely tells of a connection that it is making anew.
pub(super) fn mends_itself(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error,
        KafkaError::MessageConsumption(
            Code::BrokerTransportFailure | Code::OperationTimedOut | Code::Resolve
        )
    )
}

fn alone(partition: &Partition) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition(&partition.topic, partition.number);
    list
}

/// A message as this crate hands it on.
pub(super) fn delivery(message: &BorrowedMessage<'_>) -> Delivery {
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        headers
            .iter()
            .map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
            .collect()
    });
    Delivery {
        partition: Partition { topic: message.topic().to_owned(), number: message.partition() },
        offset: message.offset(),
        written_at: message.timestamp().to_millis().and_then(DateTime::from_timestamp_millis),
        record: Record {
            topic: message.topic().to_owned(),
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().unwrap_or_default().to_vec(),
            headers,
        },
    }
}
