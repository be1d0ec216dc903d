//! A caller that watches an order.

use std::time::Duration;

use oms_proto::oms_v1::{
    Order, TimelineEntry, WatchOrderRequest, WatchOrderResponse,
    order_service_client::OrderServiceClient,
};
use tonic::{Status, Streaming, transport::Channel};

/// More than anything here takes; only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn watch(order: &str) -> WatchOrderRequest {
    after(order, 0)
}

/// From after that version on.
pub(crate) fn after(order: &str, after_version: i32) -> WatchOrderRequest {
    WatchOrderRequest { order_id: order.to_owned(), after_version }
}

/// What a caller has seen of an order, over any number of watches; each is held to the contract.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) entries: Vec<TimelineEntry>,
    pub(crate) order: Option<Order>,
}

impl Seen {
    pub(crate) fn version(&self) -> i32 {
        i32::try_from(self.entries.len()).unwrap()
    }

    /// Begins to watch after what was seen.
    pub(crate) async fn resume(
        &self,
        client: &mut OrderServiceClient<Channel>,
        order: &str,
    ) -> Result<Streaming<WatchOrderResponse>, Status> {
        let begun = client.watch_order(after(order, self.version()));
        let begun = tokio::time::timeout(PATIENCE, begun).await.expect("the watch never begins");
        begun.map(tonic::Response::into_inner)
    }

    /// Takes the next response, which goes on where the last one ended; false at the end.
    pub(crate) async fn take(
        &mut self,
        stream: &mut Streaming<WatchOrderResponse>,
    ) -> Result<bool, Status> {
        let next = tokio::time::timeout(PATIENCE, stream.message()).await;
        let Some(response) = next.expect("nothing more comes")? else { return Ok(false) };
        for entry in response.timeline {
            assert_eq!(entry.version, self.version() + 1, "a gap, or twice");
            self.entries.push(entry);
        }
        if let Some(order) = response.order {
            assert_eq!(order.version, self.version(), "the order as of its last entry");
            self.order = Some(order);
        }
        Ok(true)
    }

    /// Takes what comes until that version was seen.
    pub(crate) async fn reach(
        &mut self,
        stream: &mut Streaming<WatchOrderResponse>,
        version: i32,
    ) -> Result<(), Status> {
        while self.version() < version {
            assert!(self.take(stream).await?, "the watch ended at {}", self.version());
        }
        Ok(())
    }

    /// Takes what comes to the end.
    pub(crate) async fn end(
        &mut self,
        stream: &mut Streaming<WatchOrderResponse>,
    ) -> Result<(), Status> {
        while self.take(stream).await? {}
        Ok(())
    }
}
