//! The branches of the saga, each as a customer who tries again with the same keys.

use oms_proto::oms_v1::OrderStatus;

use crate::{
    Clients,
    requests::{cancel, complete, create, item, keyed, pay, refund, ship},
};

/// What a customer does, and what comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// Paid and confirmed.
    Paid,
    /// The card is declined.
    Declined,
    /// One line is missing.
    OutOfStock,
    /// Cancelled at once after PayOrder.
    CanceledDuringRun,
    /// Cancelled after it was confirmed.
    CanceledAfterwards,
    /// Refunded in part.
    RefundedInPart,
    /// Refunded in full.
    RefundedInFull,
    /// The gateway does not answer the first ask, though it charges.
    UnknownOutcome,
    /// Shipped and completed.
    Completed,
    /// Shipped, then refunded in full: the goods stay away.
    RefundedAfterShipping,
}

impl Branch {
    /// Every branch.
    pub const ALL: [Self; 10] = [
        Self::Paid,
        Self::Declined,
        Self::OutOfStock,
        Self::CanceledDuringRun,
        Self::CanceledAfterwards,
        Self::RefundedInPart,
        Self::RefundedInFull,
        Self::UnknownOutcome,
        Self::Completed,
        Self::RefundedAfterShipping,
    ];

    /// The status the order shows in the end.
    #[must_use]
    pub fn ends(self) -> OrderStatus {
        match self {
            Self::Paid | Self::UnknownOutcome => OrderStatus::Confirmed,
            Self::RefundedInPart | Self::RefundedInFull | Self::RefundedAfterShipping => {
                OrderStatus::Refunded
            }
            Self::Completed => OrderStatus::Completed,
            Self::Declined
            | Self::OutOfStock
            | Self::CanceledDuringRun
            | Self::CanceledAfterwards => OrderStatus::Canceled,
        }
    }

    /// Plays the branch and returns the order. Every call carries a key made of `tag`, so that
    /// playing it again goes on where it broke off.
    ///
    /// # Errors
    /// A call's, or that the order does not end as it should.
    pub async fn play(self, clients: &Clients, tag: &str) -> anyhow::Result<String> {
        self.play_as(clients, "customer", tag).await
    }

    /// The same as a customer with a name.
    ///
    /// # Errors
    /// See [`Branch::play`].
    pub async fn play_as(
        self,
        clients: &Clients,
        customer: &str,
        tag: &str,
    ) -> anyhow::Result<String> {
        let key = |step: &str| format!("{tag}-{step}");
        let mut orders = clients.orders.clone();
        let method = match self {
            Self::Declined => "pm_card_declined",
            Self::CanceledDuringRun => "pm_card_slow",
            Self::UnknownOutcome => "pm_card_timeout",
            _ => "",
        };
        let mut lines = vec![item("SKU-001", 2, 500), item("SKU-002", 1, 1_000)];
        if self == Self::OutOfStock {
            lines.push(item("SKU-OUT-OF-STOCK", 1, 100));
        }
        let request = keyed(&key("create"), create(customer, lines));
        let order = orders.create_order(request).await?.into_inner().order_id;
        orders.pay_order(keyed(&key("pay"), pay(&order, method))).await?;
        match self {
            Self::CanceledDuringRun => {
                orders.cancel_order(keyed(&key("cancel"), cancel(&order))).await?;
            }
            Self::CanceledAfterwards => {
                reached_before(clients, &order, &[OrderStatus::Canceled]).await?;
                orders.cancel_order(keyed(&key("cancel"), cancel(&order))).await?;
            }
            Self::RefundedInPart | Self::RefundedInFull => {
                reached_before(clients, &order, &[OrderStatus::Refunded]).await?;
                let cents = (self == Self::RefundedInPart).then_some(700);
                orders.refund_order(keyed(&key("refund"), refund(&order, cents))).await?;
            }
            Self::Completed => {
                let further = [OrderStatus::Shipped, OrderStatus::Completed];
                reached_before(clients, &order, &further).await?;
                orders.ship_order(keyed(&key("ship"), ship(&order))).await?;
                orders.complete_order(keyed(&key("complete"), complete(&order))).await?;
            }
            Self::RefundedAfterShipping => {
                let further = [OrderStatus::Shipped, OrderStatus::Refunded];
                reached_before(clients, &order, &further).await?;
                orders.ship_order(keyed(&key("ship"), ship(&order))).await?;
                orders.refund_order(keyed(&key("refund"), refund(&order, None))).await?;
            }
            Self::Paid | Self::Declined | Self::OutOfStock | Self::UnknownOutcome => {}
        }
        clients.reaches(&order, self.ends()).await?;
        Ok(order)
    }
}

/// Waits for CONFIRMED, unless an earlier try has brought the order further already.
async fn reached_before(
    clients: &Clients,
    order: &str,
    further: &[OrderStatus],
) -> anyhow::Result<()> {
    let seen = clients.order(order).await?.order.unwrap_or_default();
    if !further.contains(&seen.status()) {
        clients.reaches(order, OrderStatus::Confirmed).await?;
    }
    Ok(())
}
