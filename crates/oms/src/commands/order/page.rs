//! Orders as people read them.

use oms_proto::oms_v1::{GetOrderResponse, Order, TimelineEntry};
use serde_json::Value;

use crate::{
    cli::{Column, Page, Table, instant, money, one_line, status_word},
    commands::explain::{Hop, table},
};

/// An order with its items, its money, its timeline and its road.
pub(super) fn show(page: &mut Page, answer: &GetOrderResponse, hops: &[Hop]) {
    let order = answer.order.clone().unwrap_or_default();
    let amount = |minor| money(minor, &order.currency);
    page.facts(&[
        ("order", order.id.clone()),
        ("status", status(&order)),
        ("reason", reason(&order)),
        ("customer", one_line(&order.customer_id)),
        ("reference", one_line(&order.reference)),
        ("total", amount(order.amount_minor)),
        ("captured", amount(order.captured_minor)),
        ("refunded", amount(order.refunded_minor)),
        ("version", order.version.to_string()),
        ("created", instant(order.created_at.as_ref())),
        ("updated", instant(order.updated_at.as_ref())),
        ("trace", order.trace_id.clone()),
    ]);
    page.line("");
    page.table(&items(&order));
    if !answer.timeline.is_empty() {
        page.line("");
        page.table(&timeline(&answer.timeline));
    }
    if !hops.is_empty() {
        page.line("");
        page.table(&table(hops));
    }
}

/// Many orders.
pub(super) fn list(orders: &[Order]) -> Table {
    let mut table = Table::new([
        Column::whole("ORDER"),
        Column::whole("STATUS"),
        Column::number("TOTAL").optional(1),
        Column::text("CUSTOMER").optional(2),
        Column::text("REFERENCE").optional(3),
        Column::whole("CREATED").optional(4),
    ]);
    for order in orders {
        table.row([
            order.id.clone(),
            status_word(order.status),
            money(order.amount_minor, &order.currency),
            order.customer_id.clone(),
            order.reference.clone(),
            instant(order.created_at.as_ref()),
        ]);
    }
    table
}

/// `REFUNDED (lifecycle CONFIRMED)`: both, where they differ.
pub(super) fn status(order: &Order) -> String {
    let shown = status_word(order.status);
    if order.lifecycle_status == order.status || order.lifecycle_status == 0 {
        return shown;
    }
    format!("{shown} (lifecycle {})", status_word(order.lifecycle_status))
}

/// Why the order has its status, where it says so.
pub(super) fn reason(order: &Order) -> String {
    order.status_reason.as_ref().map_or_else(String::new, |reason| {
        if reason.message.is_empty() || reason.message == reason.code {
            return reason.code.clone();
        }
        format!("{}: {}", reason.code, one_line(&reason.message))
    })
}

/// One entry on a line, as `watch` shows it.
pub(super) fn entry(entry: &TimelineEntry) -> String {
    let at = instant(entry.timestamp.as_ref());
    let line = format!("{at}  {:>3}  {:<18}  {}", entry.version, entry.event_type, what(entry));
    line.trim_end().to_owned()
}

fn items(order: &Order) -> Table {
    let mut table = Table::new([
        Column::text("ITEM"),
        Column::number("QTY"),
        Column::number("PRICE"),
        Column::number("SUM").optional(1),
        Column::text("NAME").optional(2),
    ]);
    for item in &order.items {
        let sum = item.price_minor.checked_mul(i64::from(item.qty));
        table.row([
            item.sku.clone(),
            item.qty.to_string(),
            money(item.price_minor, &order.currency),
            sum.map_or_else(String::new, |sum| money(sum, &order.currency)),
            item.name.clone(),
        ]);
    }
    table
}

fn timeline(entries: &[TimelineEntry]) -> Table {
    let mut table = Table::new([
        Column::number("VERSION"),
        Column::whole("AT").optional(1),
        Column::text("WHAT"),
        Column::text("MORE"),
    ]);
    for entry in entries {
        let at = instant(entry.timestamp.as_ref());
        table.row([entry.version.to_string(), at, entry.event_type.clone(), what(entry)]);
    }
    table
}

/// The payload in short: `status=paid`. What is empty is left out; a payload of another form is
/// shown as it is.
fn what(entry: &TimelineEntry) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str(&entry.payload) else {
        return one_line(&entry.payload);
    };
    let short = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}={}", one_line(text)),
        other => format!("{name}={other}"),
    };
    let said = fields.iter().filter(|(_, value)| value.as_str() != Some(""));
    said.map(short).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_tells_no_empty_field() {
        let payload = r#"{"event_id":"e","note":"","service":"payment","times":2}"#.to_owned();
        let told = what(&TimelineEntry { payload, ..TimelineEntry::default() });
        assert_eq!(told, "event_id=e service=payment times=2");
        let other = TimelineEntry { payload: "no\nobject".to_owned(), ..TimelineEntry::default() };
        assert_eq!(what(&other), "no object");
    }
}
