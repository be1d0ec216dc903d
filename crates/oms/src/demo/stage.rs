//! What a scenario can do and look at: the services' own APIs, nothing behind them.

use std::{fmt::Display, time::Duration};

use anyhow::{Context, bail};
use oms_proto::oms_v1::{
    CancelOrderRequest, CreateOrderRequest, CreateOrderResponse, GetOrderRequest, GetOrderResponse,
    GetPaymentRequest, GetReservationRequest, GetStockRequest, Money, Order, OrderStatus,
    PayOrderRequest, Payment, RefundOrderRequest, RefundOrderResponse, ReservationStatus, Stock,
    create_order_request::Item,
};
use tonic::{Code, Request, Status};

use super::transcript::Transcript;
use crate::clients::Clients;

/// Where a scenario plays.
pub(crate) struct Stage<W> {
    pub(crate) clients: Clients,
    pub(crate) transcript: Transcript<W>,
}

/// How long the demo waits for the saga before it calls an expectation broken.
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// An item priced in USD cents.
pub(crate) fn item(sku: &str, qty: i32, cents: i64) -> Item {
    let price = Some(Money { currency: "USD".into(), amount_minor: cents });
    Item { sku: sku.into(), qty, price, name: String::new() }
}

/// Cents as people write them.
pub(crate) fn usd(cents: i64) -> String {
    format!("{}.{:02} USD", cents / 100, cents % 100)
}

/// `CONFIRMED` for `ORDER_STATUS_CONFIRMED`.
pub(crate) fn short(status: OrderStatus) -> &'static str {
    status.as_str_name().trim_start_matches("ORDER_STATUS_")
}

impl<W: std::io::Write> Stage<W> {
    /// Creates an order and says so.
    pub(crate) async fn create(
        &mut self,
        customer: &str,
        items: Vec<Item>,
        key: Option<&str>,
    ) -> anyhow::Result<CreateOrderResponse> {
        let what: Vec<String> =
            items.iter().map(|item| format!("{} × {}", item.qty, item.sku)).collect();
        let mut request = Request::new(CreateOrderRequest {
            customer_id: customer.into(),
            currency: "USD".into(),
            items,
            reference: String::new(),
        });
        if let Some(key) = key {
            request.metadata_mut().insert("idempotency-key", key.parse()?);
        }
        let order = self.clients.orders.create_order(request).await?.into_inner();
        let (id, status) = (&order.order_id, short(order.status()));
        let text = format!("{customer}: {} -> {id}, {status}", what.join(", "));
        self.transcript.call("CreateOrder", text)?;
        Ok(order)
    }

    /// Pays and says what was answered.
    pub(crate) async fn pay(&mut self, order: &str, method: &str) -> anyhow::Result<()> {
        let answer = self.try_pay(order, method).await;
        let text = match &answer {
            Ok(status) => format!("-> {}, the saga runs", short(*status)),
            Err(refusal) => format!("-> {:?}: {}", refusal.code(), refusal.message()),
        };
        self.transcript.call("PayOrder", text)?;
        answer.map(drop).context("PayOrder")
    }

    async fn try_pay(&mut self, order: &str, method: &str) -> Result<OrderStatus, Status> {
        let request = PayOrderRequest {
            order_id: order.into(),
            payment_method: method.into(),
            expected_version: None,
        };
        Ok(self.clients.orders.pay_order(request).await?.into_inner().status())
    }

    /// Pays again and expects a refusal.
    pub(crate) async fn pay_refused(
        &mut self,
        order: &str,
        code: Code,
        message: &str,
    ) -> anyhow::Result<()> {
        let got = match self.try_pay(order, "").await {
            Ok(status) => format!("OK {}", short(status)),
            Err(refusal) => format!("{:?} {:?}", refusal.code(), refusal.message()),
        };
        self.transcript.expect_eq("PayOrder again answers", got, format!("{code:?} {message:?}"))
    }

    /// Cancels and expects CANCELED at once.
    pub(crate) async fn cancel(&mut self, order: &str, reason: &str) -> anyhow::Result<()> {
        let request = CancelOrderRequest {
            order_id: order.into(),
            reason: reason.into(),
            expected_version: None,
        };
        let status = self.clients.orders.cancel_order(request).await?.into_inner().status();
        self.transcript.call("CancelOrder", format_args!("{reason:?}"))?;
        self.transcript.expect_eq("CancelOrder answers", short(status), "CANCELED")
    }

    /// Gives money back.
    pub(crate) async fn refund(
        &mut self,
        order: &str,
        cents: Option<i64>,
        reason: &str,
    ) -> anyhow::Result<RefundOrderResponse> {
        let amount = cents.map(|cents| Money { currency: "USD".into(), amount_minor: cents });
        let text = cents.map_or_else(|| "everything left".into(), usd);
        self.transcript.call("RefundOrder", format_args!("{text}, {reason:?}"))?;
        let request = RefundOrderRequest {
            order_id: order.into(),
            amount,
            reason: reason.into(),
            expected_version: None,
        };
        Ok(self.clients.orders.refund_order(request).await?.into_inner())
    }

    /// The order as GetOrder shows it.
    pub(crate) async fn look(&mut self, order: &str) -> anyhow::Result<GetOrderResponse> {
        let request = GetOrderRequest { order_id: order.into() };
        Ok(self.clients.orders.get_order(request).await?.into_inner())
    }

    /// Waits until the order shows a status, then returns it.
    pub(crate) async fn reaches(
        &mut self,
        order: &str,
        status: OrderStatus,
    ) -> anyhow::Result<GetOrderResponse> {
        let mut seen = self.look(order).await?;
        let patience = tokio::time::Instant::now() + PATIENCE;
        while shown(&seen) != status && tokio::time::Instant::now() < patience {
            tokio::time::sleep(LOOK_AGAIN).await;
            seen = self.look(order).await?;
        }
        self.transcript.expect_eq("the order becomes", short(shown(&seen)), short(status))?;
        Ok(seen)
    }

    /// Expects a timeline, in words: `OrderCreated`, then the statuses reached.
    pub(crate) async fn timeline(&mut self, order: &str, expected: &[&str]) -> anyhow::Result<()> {
        let seen = self.look(order).await?;
        let words: Vec<String> = seen
            .timeline
            .iter()
            .map(|entry| {
                let payload: serde_json::Value =
                    serde_json::from_str(&entry.payload).unwrap_or_default();
                match payload.get("status").and_then(|status| status.as_str()) {
                    Some(status) if entry.event_type == "OrderStatusChanged" => status.to_owned(),
                    _ => entry.event_type.clone(),
                }
            })
            .collect();
        self.transcript.expect_eq("timeline", words.join(", "), expected.join(", "))
    }

    /// Stock of a SKU.
    pub(crate) async fn stock(&mut self, sku: &str) -> anyhow::Result<Stock> {
        let request = GetStockRequest { sku: sku.into() };
        let stock = self.clients.inventory.get_stock(request).await?.into_inner().stock;
        stock.context("GetStock answered without stock")
    }

    /// Expects stock to have moved since `before` by so many units, once compensations are through.
    pub(crate) async fn stock_moved(
        &mut self,
        before: &Stock,
        available: i64,
        committed: i64,
    ) -> anyhow::Result<()> {
        let sku = before.sku.clone();
        let moved = |now: &Stock| {
            (
                now.available - before.available,
                now.held - before.held,
                now.committed - before.committed,
            )
        };
        let patience = tokio::time::Instant::now() + PATIENCE;
        let mut now = self.stock(&sku).await?;
        while moved(&now) != (available, 0, committed) && tokio::time::Instant::now() < patience {
            tokio::time::sleep(LOOK_AGAIN).await;
            now = self.stock(&sku).await?;
        }
        let text = |(a, h, c)| format!("available {a:+}, held {h:+}, committed {c:+}");
        let expected = text((available, 0, committed));
        self.transcript.expect_eq(format_args!("stock of {sku}"), text(moved(&now)), expected)
    }

    /// Expects what inventory says of the order.
    pub(crate) async fn reservation(
        &mut self,
        order: &str,
        expected: ReservationStatus,
    ) -> anyhow::Result<()> {
        let request = GetReservationRequest { order_id: order.into() };
        let answer = self.clients.inventory.get_reservation(request).await?.into_inner();
        let status = answer.reservation.unwrap_or_default().status();
        let prefix = "RESERVATION_STATUS_";
        let short = |s: ReservationStatus| s.as_str_name().trim_start_matches(prefix);
        self.transcript.expect_eq("the reservation is", short(status), short(expected))
    }

    /// What payment says of the order; `None` when it never heard of it.
    pub(crate) async fn payment(&mut self, order: &str) -> anyhow::Result<Option<Payment>> {
        let request = GetPaymentRequest { order_id: order.into() };
        match self.clients.payments.get_payment(request).await {
            Ok(answer) => Ok(answer.into_inner().payment),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => bail!(status),
        }
    }

    /// Expects payment's ledger and the order's to say the same, once compensations are through.
    pub(crate) async fn money(
        &mut self,
        order: &str,
        captured: i64,
        refunded: i64,
    ) -> anyhow::Result<()> {
        let expected = ledger(captured, refunded);
        let patience = tokio::time::Instant::now() + PATIENCE;
        let (mut theirs, mut ours) = self.ledgers(order).await?;
        while (&theirs, &ours) != (&expected, &expected) && tokio::time::Instant::now() < patience {
            tokio::time::sleep(LOOK_AGAIN).await;
            (theirs, ours) = self.ledgers(order).await?;
        }
        self.transcript.expect_eq("money at payment", theirs, expected.clone())?;
        self.transcript.expect_eq("money at order", ours, expected)
    }

    async fn ledgers(&mut self, order: &str) -> anyhow::Result<(String, String)> {
        let payment = self.payment(order).await?.unwrap_or_default();
        let order = self.look(order).await?.order.unwrap_or_default();
        Ok((
            ledger(payment.captured_minor, payment.refunded_minor),
            ledger(order.captured_minor, order.refunded_minor),
        ))
    }

    /// Expects the reason GetOrder gives for the status.
    pub(crate) fn reason(&mut self, order: &Order, expected: &str) -> anyhow::Result<()> {
        let code = order.status_reason.as_ref().map_or("", |reason| reason.code.as_str());
        self.transcript.expect_eq("because of", code, expected)
    }

    /// A note between calls.
    pub(crate) fn note(&mut self, text: impl Display) -> anyhow::Result<()> {
        self.transcript.line(format_args!("     {text}"))
    }
}

fn ledger(captured: i64, refunded: i64) -> String {
    format!("captured {}, refunded {}", usd(captured), usd(refunded))
}

fn shown(response: &GetOrderResponse) -> OrderStatus {
    response.order.as_ref().map_or(OrderStatus::Unspecified, Order::status)
}
