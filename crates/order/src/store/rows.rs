//! Between rows and the domain's data.

use chrono::{DateTime, Utc};
use oms_messaging::Failure;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::entities::{amendments, lines, orders, refunds, timeline};
use crate::domain::{
    Amendment, Currency, Entry, Ledger, Line, Money, Order, OrderState, Refund, RefundState, Run,
    RunKind, Status, StatusReason,
};

/// A row that the domain cannot read: the database was written by something else.
fn corrupt(order: &str, what: &str) -> Failure {
    Failure::Unclassified(format!("order {order}: cannot read {what} from the database"))
}

fn instant(order: &str, micros: i64) -> Result<DateTime<Utc>, Failure> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| corrupt(order, "an instant"))
}

fn guid(order: &str, text: &str) -> Result<Uuid, Failure> {
    Uuid::try_parse(text).map_err(|_| corrupt(order, "an id"))
}

/// The order of its rows; of its lines those in force and those an open amend run wishes for.
pub(super) fn order_of(
    row: &orders::Model,
    lines: Vec<lines::Model>,
    refunds: Vec<refunds::Model>,
) -> Result<Order, Failure> {
    let id = row.id.as_str();
    let currency = Currency::parse(&row.currency).map_err(|_| corrupt(id, "the currency"))?;
    let money = |minor| Money::new(minor, currency);
    let present = lines_revision(row.settled_revision);
    let (lines, wished) = lines.into_iter().partition(|line| line.revision == present);
    let refund = |refund: refunds::Model| {
        Ok(Refund {
            amount: money(refund.amount_minor),
            state: RefundState::parse(&refund.state).ok_or_else(|| corrupt(id, "a refund"))?,
            asked_at: instant(id, refund.asked_at)?,
            ended_at: refund.ended_at.map(|at| instant(id, at)).transpose()?,
            id: refund.id,
            reason: refund.reason,
            code: refund.code,
        })
    };
    let reason = row.reason_code.clone().zip(row.reason_message.clone());
    Ok(Order::restore(OrderState {
        id: guid(id, id)?,
        customer_id: row.customer_id.clone(),
        reference: row.reference.clone(),
        currency,
        status: Status::parse(&row.status).ok_or_else(|| corrupt(id, "the status"))?,
        version: row.version,
        revision: row.revision,
        settled_revision: row.settled_revision,
        lines: lines_of(id, currency, lines)?,
        run: run_of(row, || lines_of(id, currency, wished))?,
        saga_id: row.saga_id.as_deref().map(|saga| guid(id, saga)).transpose()?,
        payment_method: row.payment_method.clone(),
        status_reason: reason.map(|(code, message)| StatusReason { code, message }),
        ledger: Ledger {
            captured: money(row.captured_minor),
            refunded: money(row.refunded_minor),
            sequence: row.ledger_sequence,
        },
        released: row.released,
        closed: row.closed,
        cancel_refund_failed: row.cancel_refund_failed,
        release_asked: row.release_asked,
        dispatched: row.dispatched,
        refunds: refunds.into_iter().map(refund).collect::<Result<_, Failure>>()?,
        created_at: instant(id, row.created_at)?,
        updated_at: instant(id, row.updated_at)?,
        trace_id: row.trace_id.clone(),
    }))
}

fn lines_of(id: &str, currency: Currency, rows: Vec<lines::Model>) -> Result<Vec<Line>, Failure> {
    let line = |line: lines::Model| {
        Ok(Line {
            id: guid(id, &line.id)?,
            sku: line.sku,
            qty: line.qty,
            price: Money::new(line.price_minor, currency),
            name: line.name,
            created_at: instant(id, line.created_at)?,
        })
    };
    rows.into_iter().map(line).collect()
}

fn run_of(
    row: &orders::Model,
    wished: impl FnOnce() -> Result<Vec<Line>, Failure>,
) -> Result<Option<Run>, Failure> {
    let id = row.id.as_str();
    let unreadable = || corrupt(id, "the open run");
    let kind = RunKind::ALL.into_iter().find(|kind| kind.as_str() == row.run_kind);
    if kind == Some(RunKind::Idle) {
        return Ok(None);
    }
    let run_id = guid(id, row.run_id.as_deref().ok_or_else(unreadable)?)?;
    let started_at = instant(id, row.run_started_at.ok_or_else(unreadable)?)?;
    match kind.ok_or_else(unreadable)? {
        RunKind::Idle => Ok(None),
        RunKind::Pay => {
            let deadline = instant(id, row.run_deadline.ok_or_else(unreadable)?)?;
            Ok(Some(Run::Pay { saga_id: run_id, deadline, started_at }))
        }
        RunKind::Amend => Ok(Some(Run::Amend { saga_id: run_id, lines: wished()?, started_at })),
        RunKind::Refund => Ok(Some(Run::Refund { refund_id: run_id, started_at })),
    }
}

/// The row of an order.
pub(super) fn row_of(order: &Order, row_version: i64) -> orders::ActiveModel {
    let state = order.state();
    let (run_id, run_deadline) = match &state.run {
        None => (None, None),
        Some(Run::Pay { saga_id, deadline, .. }) => (Some(saga_id), Some(deadline)),
        Some(Run::Amend { saga_id, .. }) => (Some(saga_id), None),
        Some(Run::Refund { refund_id, .. }) => (Some(refund_id), None),
    };
    orders::ActiveModel {
        id: Set(state.id.to_string()),
        customer_id: Set(state.customer_id.clone()),
        reference: Set(state.reference.clone()),
        currency: Set(state.currency.code().to_owned()),
        total_minor: Set(order.total().minor()),
        status: Set(state.status.as_str().to_owned()),
        shown_status: Set(order.shown_status().as_str().to_owned()),
        version: Set(state.version),
        row_version: Set(row_version),
        revision: Set(state.revision),
        settled_revision: Set(state.settled_revision),
        run_kind: Set(order.run_kind().as_str().to_owned()),
        run_id: Set(run_id.map(Uuid::to_string)),
        run_started_at: Set(state.run.as_ref().map(|run| run.started_at().timestamp_micros())),
        run_deadline: Set(run_deadline.map(DateTime::timestamp_micros)),
        saga_id: Set(state.saga_id.map(|saga| saga.to_string())),
        payment_method: Set(state.payment_method.clone()),
        reason_code: Set(state.status_reason.as_ref().map(|reason| reason.code.clone())),
        reason_message: Set(state.status_reason.as_ref().map(|reason| reason.message.clone())),
        captured_minor: Set(state.ledger.captured.minor()),
        refunded_minor: Set(state.ledger.refunded.minor()),
        ledger_sequence: Set(state.ledger.sequence),
        released: Set(state.released),
        closed: Set(state.closed),
        cancel_refund_failed: Set(state.cancel_refund_failed),
        release_asked: Set(state.release_asked),
        dispatched: Set(state.dispatched),
        created_at: Set(state.created_at.timestamp_micros()),
        updated_at: Set(state.updated_at.timestamp_micros()),
        trace_id: Set(state.trace_id.clone()),
    }
}

/// The revision under which an order's lines are kept: the one in force, or the first, which is
/// to be paid for before anything is.
pub(crate) fn lines_revision(settled_revision: i32) -> i32 {
    settled_revision.max(1)
}

/// All lines that are kept of an order, each with its revision: those in force, and those an open
/// amend run wishes for. Earlier ones are not.
fn kept_lines(state: &OrderState) -> [(i32, &[Line]); 2] {
    let wished = match &state.run {
        Some(Run::Amend { lines, .. }) => (state.revision, lines.as_slice()),
        Some(Run::Pay { .. } | Run::Refund { .. }) | None => (0, &[][..]),
    };
    [(lines_revision(state.settled_revision), &state.lines), wished]
}

/// Whether the rows of an order's lines are not what they were.
pub(super) fn lines_differ(before: &OrderState, now: &OrderState) -> bool {
    kept_lines(before) != kept_lines(now)
}

pub(super) fn line_rows(order: &Order) -> Vec<lines::ActiveModel> {
    let order_id = order.id().to_string();
    let row = |revision, position, line: &Line| lines::ActiveModel {
        order_id: Set(order_id.clone()),
        revision: Set(revision),
        position: Set(position),
        id: Set(line.id.to_string()),
        sku: Set(line.sku.clone()),
        qty: Set(line.qty),
        price_minor: Set(line.price.minor()),
        name: Set(line.name.clone()),
        created_at: Set(line.created_at.timestamp_micros()),
    };
    let mut rows = Vec::new();
    for (revision, lines) in kept_lines(order.state()) {
        rows.extend((0_i32..).zip(lines).map(|(position, line)| row(revision, position, line)));
    }
    rows
}

pub(super) fn amendment_row(ended: &Amendment) -> amendments::ActiveModel {
    amendments::ActiveModel {
        order_id: Set(ended.order_id.to_string()),
        revision: Set(ended.revision),
        outcome: Set(ended.end.as_str().to_owned()),
        ended_at: Set(ended.at.timestamp_micros()),
    }
}

pub(super) fn refund_row(order: &Order, refund: &Refund) -> refunds::ActiveModel {
    refunds::ActiveModel {
        id: Set(refund.id.clone()),
        order_id: Set(order.id().to_string()),
        amount_minor: Set(refund.amount.minor()),
        state: Set(refund.state.as_str().to_owned()),
        reason: Set(refund.reason.clone()),
        code: Set(refund.code.clone()),
        asked_at: Set(refund.asked_at.timestamp_micros()),
        ended_at: Set(refund.ended_at.map(|at| at.timestamp_micros())),
    }
}

pub(super) fn entry_row(order: Uuid, entry: Entry) -> timeline::Model {
    timeline::Model {
        order_id: order.to_string(),
        version: entry.version,
        event_type: entry.event_type.to_owned(),
        payload: entry.payload,
        occurred_at: entry.at.timestamp_micros(),
        event_id: entry.event_id.map(|id| id.to_string()),
        trace_id: entry.trace_id,
    }
}
