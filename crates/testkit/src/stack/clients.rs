//! gRPC clients of a stack.

use std::{net::SocketAddr, time::Duration};

use oms_proto::{
    oms_v1::{
        GetOrderResponse, GetPaymentRequest, GetReservationRequest, GetStockRequest, OrderStatus,
        Payment, Reservation, Stock, create_order_request::Item,
        inventory_service_client::InventoryServiceClient, order_service_client::OrderServiceClient,
        payment_service_client::PaymentServiceClient,
    },
    orders::orders_client::OrdersClient,
};
use tonic::transport::{Channel, Endpoint};

use crate::{eventually, requests};

/// How long a connection or a call may take: a test shall fail rather than wait for ever.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A client of every API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clients {
    /// `oms.v1.OrderService`.
    pub orders: OrderServiceClient<Channel>,
    /// `orders.Orders`, on the same port.
    pub editable: OrdersClient<Channel>,
    /// `oms.v1.InventoryService`.
    pub inventory: InventoryServiceClient<Channel>,
    /// `oms.v1.PaymentService`.
    pub payments: PaymentServiceClient<Channel>,
}

impl Clients {
    /// Connects to the services where they listen.
    ///
    /// # Errors
    /// When one does not.
    pub async fn connect(
        order: SocketAddr,
        inventory: SocketAddr,
        payment: SocketAddr,
    ) -> anyhow::Result<Self> {
        let order = channel(order).await?;
        Ok(Self {
            orders: OrderServiceClient::new(order.clone()),
            editable: OrdersClient::new(order),
            inventory: InventoryServiceClient::new(channel(inventory).await?),
            payments: PaymentServiceClient::new(channel(payment).await?),
        })
    }

    /// Creates an order and returns its id.
    ///
    /// # Errors
    /// The call's.
    pub async fn create(&self, customer: &str, items: Vec<Item>) -> anyhow::Result<String> {
        let request = requests::create(customer, items);
        Ok(self.orders.clone().create_order(request).await?.into_inner().order_id)
    }

    /// Creates an order and starts its payment.
    ///
    /// # Errors
    /// The calls'.
    pub async fn buy(
        &self,
        customer: &str,
        items: Vec<Item>,
        method: &str,
    ) -> anyhow::Result<String> {
        let order = self.create(customer, items).await?;
        self.orders.clone().pay_order(requests::pay(&order, method)).await?;
        Ok(order)
    }

    /// An order with its timeline.
    ///
    /// # Errors
    /// The call's.
    pub async fn order(&self, id: &str) -> anyhow::Result<GetOrderResponse> {
        Ok(self.orders.clone().get_order(requests::get(id)).await?.into_inner())
    }

    /// Waits until an order shows a status.
    ///
    /// # Errors
    /// When it does not within 30 s.
    pub async fn reaches(&self, id: &str, wanted: OrderStatus) -> anyhow::Result<GetOrderResponse> {
        eventually(Duration::from_secs(30), || async {
            let seen = self.order(id).await?;
            let status = seen.order.as_ref().map(oms_proto::oms_v1::Order::status);
            Ok(if status == Some(wanted) { Ok(seen) } else { Err(format!("{seen:?}")) })
        })
        .await
    }

    /// The timeline in words: `OrderCreated`, then `reserved`, `paid`, … as reached.
    ///
    /// # Errors
    /// The call's.
    pub async fn story(&self, id: &str) -> anyhow::Result<Vec<String>> {
        let words = self.order(id).await?.timeline.into_iter().map(|entry| {
            let payload: serde_json::Value =
                serde_json::from_str(&entry.payload).unwrap_or_default();
            match payload["status"].as_str() {
                Some(status) if entry.event_type == "OrderStatusChanged" => status.to_owned(),
                _ => entry.event_type,
            }
        });
        Ok(words.collect())
    }

    /// The stock of a SKU.
    ///
    /// # Errors
    /// The call's.
    pub async fn stock(&self, sku: &str) -> anyhow::Result<Stock> {
        let request = GetStockRequest { sku: sku.into() };
        let answer = self.inventory.clone().get_stock(request).await?.into_inner();
        Ok(answer.stock.unwrap_or_default())
    }

    /// What inventory holds for an order.
    ///
    /// # Errors
    /// The call's.
    pub async fn reservation(&self, order: &str) -> anyhow::Result<Reservation> {
        let request = GetReservationRequest { order_id: order.into() };
        let answer = self.inventory.clone().get_reservation(request).await?.into_inner();
        Ok(answer.reservation.unwrap_or_default())
    }

    /// What payment took and gave back for an order.
    ///
    /// # Errors
    /// The call's.
    pub async fn payment(&self, order: &str) -> anyhow::Result<Payment> {
        let request = GetPaymentRequest { order_id: order.into() };
        let answer = self.payments.clone().get_payment(request).await?.into_inner();
        Ok(answer.payment.unwrap_or_default())
    }
}

pub(super) async fn channel(address: SocketAddr) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
    Ok(endpoint.connect_timeout(ANSWER_WITHIN).timeout(ANSWER_WITHIN).connect().await?)
}
