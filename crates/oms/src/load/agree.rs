//! Whether three services say the same of one order, and what the load itself was told of it.

use std::collections::BTreeMap;

use oms_proto::oms_v1::{Order, OrderStatus, Payment, PaymentStatus, Reservation};

use crate::cli::{money, status_word};

/// What an order came to, once all agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// Units that it keeps, per SKU.
    pub(super) units: BTreeMap<String, i64>,
    /// Taken and given back, in minor units.
    pub(super) captured: i64,
    pub(super) refunded: i64,
}

/// What the load knows of an order by the answers to its own calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// PayOrder was accepted.
    pub(super) paid: bool,
    /// CONFIRMED or CANCELED, as WatchOrder showed it.
    pub(super) became: Option<OrderStatus>,
    /// What was asked back.
    pub(super) back: Back,
}

/// A refund of the load's own, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Back {
    /// None was asked for.
    #[default]
    Nothing,
    /// It is not known whether it was given.
    Asked(i64),
    /// RefundOrder said so.
    Given(i64),
}

/// What the order came to, or where somebody says otherwise or has not settled yet.
pub(super) fn agree(
    known: &Known,
    order: &Order,
    payment: &Payment,
    reservation: &Reservation,
) -> Result<Settled, String> {
    use OrderStatus::{Canceled, Completed, Confirmed, Pending, Refunded, Shipped};
    as_answered(known, order)?;
    let lifecycle = order.lifecycle_status();
    let (captured, refunded) = (payment.captured_minor, payment.refunded_minor);
    let amount = |minor| money(minor, &order.currency);
    if (order.captured_minor, order.refunded_minor) != (captured, refunded) {
        return Err(format!(
            "order says {} taken and {} given back, payment {} and {}",
            amount(order.captured_minor),
            amount(order.refunded_minor),
            amount(captured),
            amount(refunded),
        ));
    }
    let (keeps_goods, net) = match lifecycle {
        Confirmed | Shipped | Completed => (true, order.amount_minor - order.refunded_minor),
        Canceled | Refunded | Pending => (false, 0),
        _ => return Err(format!("is still {}", status_word(order.lifecycle_status))),
    };
    if captured - refunded != net {
        let (kept, due) = (amount(captured - refunded), amount(net));
        return Err(format!("{} and keeps {kept}, not {due}", status_word(order.lifecycle_status)));
    }
    if lifecycle == Canceled && !is_closed(payment) {
        return Err("is canceled, and payment has not closed it yet".to_owned());
    }
    let units = if keeps_goods { bought(order) } else { BTreeMap::new() };
    // What has left the house is in no reservation any more.
    if matches!(lifecycle, Shipped | Completed) {
        return Ok(Settled { units, captured, refunded });
    }
    let mut held = BTreeMap::new();
    for line in &reservation.lines {
        *held.entry(line.sku.clone()).or_insert(0) += line.qty;
    }
    if held != units {
        return Err(format!("inventory holds {held:?} for it, not {units:?}"));
    }
    Ok(Settled { units, captured, refunded })
}

/// Services that agree may still be wrong together: what was answered must hold.
fn as_answered(known: &Known, order: &Order) -> Result<(), String> {
    use OrderStatus::{Canceled, Completed, Confirmed, Pending, Shipped};
    let lifecycle = order.lifecycle_status();
    let now = status_word(order.lifecycle_status);
    if known.paid && lifecycle == Pending {
        return Err(format!("is {now}, and its payment was accepted"));
    }
    let holds = match known.became {
        Some(Confirmed) => matches!(lifecycle, Confirmed | Shipped | Completed),
        Some(became) => lifecycle == became,
        None => true,
    };
    if let (false, Some(became)) = (holds, known.became) {
        return Err(format!("is {now}, and was {}", status_word(became.into())));
    }
    let back = order.refunded_minor;
    let as_asked = match known.back {
        // A cancelled order gives everything back by itself.
        _ if lifecycle == Canceled => true,
        Back::Nothing => back == 0,
        Back::Asked(asked) => back == 0 || back == asked,
        Back::Given(given) => back == given,
    };
    if as_asked {
        return Ok(());
    }
    let asked = match known.back {
        Back::Nothing => 0,
        Back::Asked(minor) | Back::Given(minor) => minor,
    };
    let amount = |minor| money(minor, &order.currency);
    Err(format!("{} were given back, {} were asked for", amount(back), amount(asked)))
}

/// Nothing of it is at the gateway any more; of an order that payment never heard of nothing is.
fn is_closed(payment: &Payment) -> bool {
    use PaymentStatus::{Closed, Declined, Unspecified};
    matches!(payment.status(), Closed | Declined | Unspecified)
}

fn bought(order: &Order) -> BTreeMap<String, i64> {
    let mut units = BTreeMap::new();
    for item in &order.items {
        *units.entry(item.sku.clone()).or_insert(0) += i64::from(item.qty);
    }
    units
}

#[cfg(test)]
mod tests {
    use oms_proto::oms_v1::{OrderItem, reservation::Line};

    use super::*;

    /// A confirmed order of 20.00 for two of a SKU, and what the others say of it.
    fn bought() -> (Order, Payment, Reservation) {
        let item = OrderItem { sku: "a".into(), qty: 2, price_minor: 1_000, ..Default::default() };
        let order = Order {
            currency: "USD".into(),
            lifecycle_status: OrderStatus::Confirmed.into(),
            amount_minor: 2_000,
            captured_minor: 2_000,
            items: vec![item],
            ..Order::default()
        };
        let payment = Payment { captured_minor: 2_000, ..Payment::default() };
        let lines = vec![Line { sku: "a".into(), qty: 2 }];
        (order, payment, Reservation { lines, ..Reservation::default() })
    }

    /// What the three say, where the load knows nothing of its own.
    fn said(order: &Order, payment: &Payment, held: &Reservation) -> Result<Settled, String> {
        let back = Back::Given(order.refunded_minor);
        agree(&Known { back, ..Known::default() }, order, payment, held)
    }

    #[test]
    fn what_was_answered_must_hold_also_where_all_agree() {
        let (order, payment, held) = bought();
        let confirmed = Some(OrderStatus::Confirmed);
        let known = |back| Known { paid: true, became: confirmed, back };
        assert!(agree(&known(Back::Nothing), &order, &payment, &held).is_ok());
        let back = |minor| {
            let order = Order { refunded_minor: minor, ..order.clone() };
            (order, Payment { refunded_minor: minor, ..payment.clone() })
        };
        for (asked, given, holds) in [
            (Back::Nothing, 0, true),
            (Back::Nothing, 1_000, false),
            (Back::Asked(1_000), 0, true),
            (Back::Asked(1_000), 1_000, true),
            (Back::Asked(1_000), 2_000, false),
            (Back::Given(1_000), 1_000, true),
            (Back::Given(1_000), 0, false),
            (Back::Given(1_000), 2_000, false),
        ] {
            let (order, payment) = back(given);
            let agreed = agree(&known(asked), &order, &payment, &held);
            assert_eq!(agreed.is_ok(), holds, "{asked:?}, {given}: {agreed:?}");
        }
        let (mut order, payment) = back(2_000);
        order.lifecycle_status = OrderStatus::Canceled.into();
        let payment = Payment { status: PaymentStatus::Closed.into(), ..payment };
        let nothing = Reservation::default();
        let why = agree(&known(Back::Nothing), &order, &payment, &nothing).unwrap_err();
        assert_eq!(why, "is CANCELED, and was CONFIRMED");
        let known = Known { paid: true, ..Known::default() };
        assert!(agree(&known, &order, &payment, &nothing).is_ok());
        let pending = OrderStatus::Pending.into();
        let order = Order { lifecycle_status: pending, ..Order::default() };
        let why = agree(&known, &order, &Payment::default(), &nothing).unwrap_err();
        assert_eq!(why, "is PENDING, and its payment was accepted");
    }

    #[test]
    fn what_all_say_is_what_it_came_to() {
        let (mut order, mut payment, reservation) = bought();
        let settled = said(&order, &payment, &reservation).unwrap();
        assert_eq!(settled.units, BTreeMap::from([("a".to_owned(), 2)]));
        (order.refunded_minor, payment.refunded_minor) = (500, 500);
        assert_eq!(said(&order, &payment, &reservation).unwrap().refunded, 500);
        order.lifecycle_status = OrderStatus::Shipped.into();
        assert!(said(&order, &payment, &Reservation::default()).is_ok());
    }

    #[test]
    fn money_that_only_one_side_knows_is_found() {
        let (mut order, mut payment, reservation) = bought();
        payment.captured_minor = 4_000;
        let why = said(&order, &payment, &reservation).unwrap_err();
        assert!(why.contains("payment 40.00 USD"), "{why}");
        order.captured_minor = 4_000;
        let why = said(&order, &payment, &reservation).unwrap_err();
        assert!(why.contains("keeps 40.00 USD, not 20.00 USD"), "{why}");
    }

    #[test]
    fn goods_that_stayed_with_a_dead_order_are_found() {
        let (mut order, mut payment, reservation) = bought();
        order.lifecycle_status = OrderStatus::Canceled.into();
        (order.refunded_minor, payment.refunded_minor) = (2_000, 2_000);
        let why = said(&order, &payment, &reservation).unwrap_err();
        assert!(why.contains("inventory holds"), "{why}");
        assert!(said(&order, &payment, &Reservation::default()).is_ok());
        payment.status = PaymentStatus::Closing.into();
        assert!(said(&order, &payment, &Reservation::default()).is_err());
    }

    #[test]
    fn goods_that_a_live_order_has_lost_are_found() {
        let (order, payment, _) = bought();
        assert!(said(&order, &payment, &Reservation::default()).is_err());
    }

    #[test]
    fn an_order_on_its_way_has_not_settled() {
        let order = Order { lifecycle_status: OrderStatus::Paid.into(), ..Order::default() };
        let why = said(&order, &Payment::default(), &Reservation::default()).unwrap_err();
        assert_eq!(why, "is still PAID");
    }
}
