//! Payments as people read them.

use oms_proto::oms_v1::{MovementState, Payment, PaymentStatus};

use crate::cli::{Column, Page, Table, enum_name, instant, money};

/// Rows of the ledger of calls that are shown; `--json` has them all.
const ATTEMPTS_SHOWN: usize = 10;

/// One payment.
pub(super) fn show(page: &mut Page, payment: &Payment) {
    let amount = |minor| money(minor, &payment.currency);
    page.facts(&[
        ("order", payment.order_id.clone()),
        ("status", status(payment)),
        ("due", amount(payment.due_minor)),
        ("captured", amount(payment.captured_minor)),
        ("refunded", amount(payment.refunded_minor)),
    ]);
    movements(page, payment);
    attempts(page, payment);
}

/// Many payments.
pub(super) fn list(payments: &[Payment]) -> Table {
    let mut table = Table::new([
        Column::whole("ORDER"),
        Column::whole("STATUS"),
        Column::number("CAPTURED"),
        Column::number("REFUNDED").optional(1),
        Column::number("DUE").optional(2),
    ]);
    for payment in payments {
        let amount = |minor| money(minor, &payment.currency);
        table.row([
            payment.order_id.clone(),
            status(payment),
            amount(payment.captured_minor),
            amount(payment.refunded_minor),
            amount(payment.due_minor),
        ]);
    }
    table
}

fn movements(page: &mut Page, payment: &Payment) {
    if payment.captures.is_empty() && payment.refunds.is_empty() {
        return;
    }
    let mut table = Table::new([
        Column::whole("MOVEMENT"),
        Column::number("AMOUNT"),
        Column::whole("STATE"),
        Column::text("CODE").optional(1),
        Column::text("NAME").optional(2),
        Column::whole("AT").optional(3),
    ]);
    let amount = |minor| money(minor, &payment.currency);
    for capture in &payment.captures {
        table.row([
            "capture".to_owned(),
            amount(capture.amount_minor),
            state(capture.state),
            capture.code.clone(),
            format!("revision {}", capture.revision),
            instant(capture.updated_at.as_ref()),
        ]);
    }
    for refund in &payment.refunds {
        table.row([
            "refund".to_owned(),
            amount(refund.amount_minor),
            state(refund.state),
            refund.code.clone(),
            refund.refund_id.clone(),
            instant(refund.updated_at.as_ref()),
        ]);
    }
    page.line("");
    page.table(&table);
}

fn attempts(page: &mut Page, payment: &Payment) {
    if payment.attempts.is_empty() {
        return;
    }
    let mut table = Table::new([
        Column::whole("GATEWAY SAID"),
        Column::text("KEY"),
        Column::whole("AT").optional(1),
    ]);
    for attempt in payment.attempts.iter().take(ATTEMPTS_SHOWN) {
        let at = instant(attempt.at.as_ref());
        table.row([attempt.outcome.clone(), attempt.idempotency_key.clone(), at]);
    }
    page.line("");
    page.table(&table);
    if let Some(further @ 1..) = payment.attempts.len().checked_sub(ATTEMPTS_SHOWN) {
        page.line(format_args!("… and {further} more: --json"));
    }
}

fn status(payment: &Payment) -> String {
    enum_name(payment.status, PaymentStatus::as_str_name, "PAYMENT_STATUS_")
}

fn state(state: i32) -> String {
    enum_name(state, MovementState::as_str_name, "MOVEMENT_STATE_")
}
