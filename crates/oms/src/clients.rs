//! Clients of the three services, as any gRPC client would make them.

use std::net::SocketAddr;

use oms_proto::{
    oms_v1::{
        inventory_service_client::InventoryServiceClient, order_service_client::OrderServiceClient,
        payment_service_client::PaymentServiceClient,
    },
    orders::orders_client::OrdersClient,
};
use tonic::transport::Channel;

use crate::cli::{AddressFlags, Failure, channel};

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

impl From<Addresses> for AddressFlags {
    fn from(at: Addresses) -> Self {
        Self {
            order_addr: at.order.to_string(),
            inventory_addr: at.inventory.to_string(),
            payment_addr: at.payment.to_string(),
        }
    }
}

/// One client per service. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    pub(crate) orders: OrderServiceClient<Channel>,
    /// The same orders by the second API, which the order service's port answers too.
    pub(crate) editable: OrdersClient<Channel>,
    pub(crate) inventory: InventoryServiceClient<Channel>,
    pub(crate) payments: PaymentServiceClient<Channel>,
}

impl Clients {
    /// Connects to all three.
    pub(crate) async fn connect(at: &AddressFlags) -> Result<Self, Failure> {
        let orders = channel(&at.order_addr, "--order-addr").await?;
        Ok(Self {
            orders: OrderServiceClient::new(orders.clone()),
            editable: OrdersClient::new(orders),
            inventory: InventoryServiceClient::new(
                channel(&at.inventory_addr, "--inventory-addr").await?,
            ),
            payments: PaymentServiceClient::new(channel(&at.payment_addr, "--payment-addr").await?),
        })
    }
}
