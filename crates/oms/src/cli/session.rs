//! What a command is given: connections on demand, calls, and an output.

use oms_proto::{
    oms_admin_v1::dead_letter_service_client::DeadLetterServiceClient,
    oms_v1::{
        inventory_service_client::InventoryServiceClient, order_service_client::OrderServiceClient,
        payment_service_client::PaymentServiceClient,
    },
};
use oms_seams::Seams;
use tonic::transport::Channel;

use super::{AdminFlags, ClientFlags, Failure, Output, channel};

/// One invocation of a command.
pub(crate) struct Session {
    /// How it was called.
    pub(crate) flags: ClientFlags,
    /// Where answers go.
    pub(crate) out: Output,
    /// Time and ids.
    pub(crate) seams: Seams,
}

impl Session {
    /// A session as the flags want it. Nothing is connected yet.
    pub(crate) fn new(flags: ClientFlags) -> Result<Self, Failure> {
        let out = Output::new(&flags)?;
        Ok(Self { flags, out, seams: Seams::system() })
    }

    /// A client of the order service, connected.
    pub(crate) async fn orders(&self) -> Result<OrderServiceClient<Channel>, Failure> {
        let channel = channel(&self.flags.at.order_addr, "--order-addr").await?;
        Ok(OrderServiceClient::new(channel))
    }

    /// A client of the inventory service, connected.
    pub(crate) async fn inventory(&self) -> Result<InventoryServiceClient<Channel>, Failure> {
        let channel = channel(&self.flags.at.inventory_addr, "--inventory-addr").await?;
        Ok(InventoryServiceClient::new(channel))
    }

    /// A client of the payment service, connected.
    pub(crate) async fn payments(&self) -> Result<PaymentServiceClient<Channel>, Failure> {
        let channel = channel(&self.flags.at.payment_addr, "--payment-addr").await?;
        Ok(PaymentServiceClient::new(channel))
    }

    /// A client of the dead letters of a process, connected.
    pub(crate) async fn dead_letters(
        &self,
        at: &AdminFlags,
    ) -> Result<DeadLetterServiceClient<Channel>, Failure> {
        let channel = channel(&at.admin_addr, "--admin-addr").await?;
        Ok(DeadLetterServiceClient::new(channel))
    }
}
