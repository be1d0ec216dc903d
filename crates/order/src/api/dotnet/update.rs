//! An `OrderUpdate`: what it makes of an order, and where it takes it then.

use oms_proto::orders as wire;
use oms_service::Refusal;

use super::{
    super::validate::{Findings, total_overflows},
    ticks,
    validate::{Item, Once, id, item_count, new_guid, stage},
};
use crate::{
    commands::{Change, Expected, PlacedLine},
    domain::{Currency, Order, Stage},
};

/// What an update makes of an order, and where it takes it then.
pub(super) struct Updated {
    pub(super) change: Change,
    pub(super) expected: Expected,
    pub(super) to: Option<Stage>,
}

/// The order an update is about.
pub(super) fn order_id(update: &wire::OrderUpdate) -> Result<String, Refusal> {
    let mut found = Findings::default();
    match id(&mut found, "update.id", &update.id) {
        Some(id) => Ok(id.to_string()),
        None => found.refuse(),
    }
}

/// Reads an `OrderUpdate` of `order`.
pub(super) fn read(update: wire::OrderUpdate, order: &Order) -> Result<Updated, Refusal> {
    let mut found = Findings::default();
    let wire::OrderUpdate { customer_id, currency, status, items, updated_at, .. } = update;
    let customer_id = match customer_id.as_str() {
        "" => None,
        known if known == order.customer_id() => None,
        new => new_guid(&mut found, "update.customerId", new),
    };
    let to = match status.as_str() {
        "" => None,
        word => stage(&mut found, "update.status", word),
    };
    let (code, other) = match currency.as_str() {
        "" => (order.currency().code(), Some(order.currency())),
        code => (code, found.currency("update.currency", code)),
    };
    let lines = placed(&mut found, items, code, other, order);
    let expected_at = updated_at.map(ticks::instant);
    if expected_at == Some(None) {
        found.add("update.updatedAt", "update.updatedAt is not an instant of an order");
    }
    if found.none() && other.is_some_and(|currency| overflow(&lines, currency)) {
        found.add("update.items", "order total is out of range");
    }
    let currency = other.filter(|currency| *currency != order.currency());
    let change = Change::Replace { customer_id, currency, lines };
    let expected = Expected { version: None, updated_at: expected_at.flatten() };
    found.or(Updated { change, expected, to })
}

fn placed(
    found: &mut Findings,
    items: Vec<wire::OrderItem>,
    code: &str,
    currency: Option<Currency>,
    order: &Order,
) -> Vec<PlacedLine> {
    let count = item_count(found, "update.items", items.len());
    let (mut products, mut ids) = (Once::default(), Once::default());
    let mut lines = Vec::new();
    for (i, item) in items.into_iter().take(count).enumerate() {
        let at = format!("update.items[{i}]");
        let known = match item.id.as_str() {
            "" => None,
            text => id(found, &format!("{at}.id"), text),
        };
        if let Some(known) = known {
            ids.see(found, &at, "id", &known.to_string());
        }
        if let Some(line) = Item::from(item).line(found, &at, code, currency, Some(order)) {
            products.see(found, &at, "productId", &line.sku);
            lines.push(PlacedLine { id: known, line });
        }
    }
    lines
}

fn overflow(lines: &[PlacedLine], currency: Currency) -> bool {
    let lines: Vec<_> = lines.iter().map(|placed| placed.line.clone()).collect();
    total_overflows(&lines, currency)
}
