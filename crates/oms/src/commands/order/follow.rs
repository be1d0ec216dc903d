//! Following an order by WatchOrder, over lost connections.

use std::time::Duration;

use oms_proto::oms_v1::{
    WatchOrderRequest, WatchOrderResponse, order_service_client::OrderServiceClient,
};
use tonic::{Streaming, transport::Channel};

use crate::cli::{Failure, Retry};

/// The stream of one order. It goes on where it was after UNAVAILABLE, so that every timeline
/// entry is seen exactly once.
pub(crate) struct Follow {
    client: OrderServiceClient<Channel>,
    order: String,
    seen: i32,
    stream: Option<Streaming<WatchOrderResponse>>,
    retries: u32,
    retry: Retry,
}

/// What a stream did.
pub(crate) enum Step {
    /// The order as it is, and what is new.
    Seen(Box<WatchOrderResponse>),
    /// The connection was lost; it is tried again after the pause.
    Lost(Failure, Duration),
    /// The order has ended and is settled.
    Ended,
}

impl Follow {
    /// Follows an order from after a version; so many tries in a row without progress.
    pub(crate) fn new(
        client: OrderServiceClient<Channel>,
        order: &str,
        after_version: i32,
        retries: u32,
    ) -> Self {
        let order = order.to_owned();
        Self {
            client,
            order,
            seen: after_version,
            stream: None,
            retries,
            retry: Retry::new(retries),
        }
    }

    /// The next step. After [`Step::Lost`] the pause has passed already.
    pub(crate) async fn next(&mut self) -> Result<Step, Failure> {
        match self.read().await {
            Ok(None) => Ok(Step::Ended),
            Ok(Some(mut seen)) => {
                self.retry = Retry::new(self.retries);
                // What was seen before a lost connection is not seen twice.
                seen.timeline.retain(|entry| entry.version > self.seen);
                let newest = seen.timeline.last().map_or(self.seen, |entry| entry.version);
                self.seen = newest.max(self.seen);
                Ok(Step::Seen(Box::new(seen)))
            }
            Err(failure) => {
                self.stream = None;
                let Some(pause) = self.retry.pause(&failure) else { return Err(failure) };
                tokio::time::sleep(pause).await;
                Ok(Step::Lost(failure, pause))
            }
        }
    }

    async fn read(&mut self) -> Result<Option<WatchOrderResponse>, Failure> {
        if self.stream.is_none() {
            let request =
                WatchOrderRequest { order_id: self.order.clone(), after_version: self.seen };
            self.stream = Some(self.client.watch_order(request).await?.into_inner());
        }
        match &mut self.stream {
            Some(stream) => Ok(stream.message().await?),
            None => Ok(None),
        }
    }
}
