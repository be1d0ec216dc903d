//! Clients of the three services, as any gRPC client would make them.

use std::net::SocketAddr;

use anyhow::Context;
use oms_proto::oms_v1::{
    inventory_service_client::InventoryServiceClient, order_service_client::OrderServiceClient,
    payment_service_client::PaymentServiceClient,
};
use tonic::transport::{Channel, Endpoint};

/// Where the three services listen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    /// `oms.v1.OrderService`.
    pub(crate) order: SocketAddr,
    /// `oms.v1.InventoryService`.
    pub(crate) inventory: SocketAddr,
    /// `oms.v1.PaymentService`.
    pub(crate) payment: SocketAddr,
}

/// One client per service. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    pub(crate) orders: OrderServiceClient<Channel>,
    pub(crate) inventory: InventoryServiceClient<Channel>,
    pub(crate) payments: PaymentServiceClient<Channel>,
}

impl Clients {
    /// Connects to all three.
    pub(crate) async fn connect(at: Addresses) -> anyhow::Result<Self> {
        Ok(Self {
            orders: OrderServiceClient::new(channel(at.order).await?),
            inventory: InventoryServiceClient::new(channel(at.inventory).await?),
            payments: PaymentServiceClient::new(channel(at.payment).await?),
        })
    }
}

async fn channel(address: SocketAddr) -> anyhow::Result<Channel> {
    Endpoint::from_shared(format!("http://{address}"))?
        .connect()
        .await
        .with_context(|| format!("cannot connect to {address}"))
}
