//! What one customer does with one order.

use std::time::Duration;

use oms_proto::oms_v1::OrderStatus;
use oms_testkit::requests::{cancel, create, get, item, keyed, pay, refund};
use tokio::time::Instant;

use super::call::Shop;

/// How long a customer waits for a confirmation before wanting money back.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What a customer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Pays and keeps it.
    Keeps,
    /// Pays with a card that is declined.
    IsDeclined,
    /// Wants what there is none of.
    WantsTheImpossible,
    /// Cancels right after paying.
    Cancels,
    /// Wants all money back once it is confirmed.
    WantsMoneyBack,
}

impl Intent {
    /// Of twenty customers fourteen keep it, three are declined, two want the impossible, and one
    /// cancels or wants money back.
    #[must_use]
    pub fn of(n: u64) -> Self {
        // Seven and twenty have no common divisor: the kinds are mixed, not in rows.
        match n * 7 % 20 {
            0..14 => Self::Keeps,
            14..17 => Self::IsDeclined,
            17..19 => Self::WantsTheImpossible,
            _ if (n / 20).is_multiple_of(2) => Self::Cancels,
            _ => Self::WantsMoneyBack,
        }
    }

    /// The status in the end, as order's database writes it.
    #[must_use]
    pub fn ends(self) -> &'static str {
        match self {
            Self::Keeps => "confirmed",
            Self::IsDeclined | Self::WantsTheImpossible | Self::Cancels => "canceled",
            Self::WantsMoneyBack => "refunded",
        }
    }
}

/// An order that was acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) intent: Intent,
}

/// Creates an order; every try carries the same key.
pub(super) async fn place(
    shop: &Shop,
    usual: usize,
    key: &str,
    intent: Intent,
) -> anyhow::Result<Placed> {
    let mut lines = vec![item("SKU-LOAD-01", 1, 1_000), item("SKU-LOAD-02", 2, 500)];
    if intent == Intent::WantsTheImpossible {
        lines.push(item("SKU-OUT-OF-STOCK", 1, 100));
    }
    let what = format!("CreateOrder {key}");
    let created = shop.must(&what, usual, |mut orders| {
        // The customer's name is the key, so that the database tells how often it was used.
        let request = keyed(&format!("{key}-create"), create(key, lines.clone()));
        async move { orders.create_order(request).await }
    });
    let created = created.await?;
    Ok(Placed { id: created.order_id, key: key.to_owned(), intent })
}

/// Pays, and cancels if that is what the customer is about.
pub(super) async fn buy(shop: &Shop, usual: usize, placed: &Placed) -> anyhow::Result<()> {
    let Placed { id, key, intent } = placed;
    let method = if *intent == Intent::IsDeclined { "pm_card_declined" } else { "" };
    let what = format!("PayOrder {id}");
    let paid = shop.call(&what, usual, |mut orders| {
        let request = keyed(&format!("{key}-pay"), pay(id, method));
        async move { orders.pay_order(request).await }
    });
    // A second try may meet the refusal that the run of the first has come to.
    if let Err(status) = paid.await? {
        let expected = matches!(intent, Intent::IsDeclined | Intent::WantsTheImpossible);
        anyhow::ensure!(expected, "PayOrder {id}: {:?} {}", status.code(), status.message());
    }
    if *intent == Intent::Cancels {
        let what = format!("CancelOrder {id}");
        let cancelled = shop.must(&what, usual, |mut orders| {
            let request = keyed(&format!("{key}-cancel"), cancel(id));
            async move { orders.cancel_order(request).await }
        });
        cancelled.await?;
    }
    Ok(())
}

/// Waits for the confirmation and wants everything back.
pub(super) async fn give_back(shop: &Shop, usual: usize, placed: &Placed) -> anyhow::Result<()> {
    let Placed { id, key, .. } = placed;
    let until = Instant::now() + CONFIRMED_WITHIN;
    loop {
        let what = format!("GetOrder {id}");
        let seen = shop.must(&what, usual, |mut orders| {
            let request = get(id);
            async move { orders.get_order(request).await }
        });
        let status = seen.await?.order.map(|order| order.status());
        if status == Some(OrderStatus::Confirmed) {
            break;
        }
        anyhow::ensure!(Instant::now() < until, "{id} is not confirmed: {status:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let what = format!("RefundOrder {id}");
    let refunded = shop.must(&what, usual, |mut orders| {
        let request = keyed(&format!("{key}-refund"), refund(id, None));
        async move { orders.refund_order(request).await }
    });
    refunded.await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_forty_customers_each_kind_has_its_share() {
        let count = |wanted| (0..40).filter(|n| Intent::of(*n) == wanted).count();
        let kinds = [
            Intent::Keeps,
            Intent::IsDeclined,
            Intent::WantsTheImpossible,
            Intent::Cancels,
            Intent::WantsMoneyBack,
        ];
        assert_eq!(kinds.map(count), [28, 6, 4, 1, 1]);
    }
}
