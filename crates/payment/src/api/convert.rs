//! Domain to wire.

use chrono::{DateTime, Utc};
use oms_proto::oms_v1::{
    ListPaymentsResponse, MovementState, Payment, PaymentStatus,
    payment::{Attempt, Capture, Refund},
};
use prost::Message;
use prost_types::Timestamp;

use crate::{
    domain::{self, Snapshot, State, capture_key, refund_key},
    queries::{PaymentView, Position},
};

/// Answers stay below this, in bytes: clients stop at 4 MiB.
const PAGE_BYTES_MAX: usize = 3_000_000;

/// A page of at most `size` payments and [`PAGE_BYTES_MAX`]; at least one, or the list would end
/// before its end.
pub(super) fn page(found: &[PaymentView], size: u64) -> ListPaymentsResponse {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let (mut payments, mut bytes) = (Vec::new(), 0);
    for view in found.iter().take(size) {
        let payment = payment(view);
        bytes += payment.encoded_len() + 8;
        if bytes > PAGE_BYTES_MAX && !payments.is_empty() {
            break;
        }
        payments.push(payment);
    }
    let last = payments.len().checked_sub(1).filter(|_| payments.len() < found.len());
    let next = last.and_then(|last| found.get(last)).map(|view| Position::of(&view.payment));
    let next_page_token = next.map(|position| position.to_token()).unwrap_or_default();
    ListPaymentsResponse { payments, next_page_token }
}

/// A payment with its newest movements, oldest first, and its newest calls.
pub(super) fn payment(view: &PaymentView) -> Payment {
    let of = &view.payment;
    Payment {
        order_id: of.order_id.clone(),
        status: status(of, view.busy).into(),
        currency: of.currency.clone(),
        due_minor: of.total,
        captured_minor: of.totals.captured,
        refunded_minor: of.totals.refunded,
        captures: of.captures.values().filter_map(|one| capture(&of.order_id, one)).collect(),
        refunds: of.refunds.values().map(refund).collect(),
        attempts: view.attempts.iter().map(attempt).collect(),
    }
}

fn status(of: &Snapshot, busy: bool) -> PaymentStatus {
    // What was answered last decides between taken and refused.
    let last = of
        .captures
        .values()
        .rfind(|capture| matches!(capture.progress.state, State::Succeeded | State::Failed));
    if of.closed {
        PaymentStatus::Closed
    } else if of.closing {
        PaymentStatus::Closing
    } else if busy {
        PaymentStatus::Processing
    } else {
        match last.map(|capture| capture.progress.state) {
            None => PaymentStatus::Pending,
            Some(State::Failed) if of.totals.captured == 0 => PaymentStatus::Declined,
            Some(_) => PaymentStatus::Captured,
        }
    }
}

fn movement(state: State) -> Option<MovementState> {
    match state {
        State::Noted => None,
        State::Due => Some(MovementState::Due),
        State::Succeeded => Some(MovementState::Succeeded),
        State::Failed => Some(MovementState::Failed),
    }
}

/// What has not fallen due yet is no capture to the outside.
fn capture(order_id: &str, of: &domain::Capture) -> Option<Capture> {
    Some(Capture {
        revision: of.revision,
        amount_minor: of.amount,
        state: movement(of.progress.state)?.into(),
        code: of.progress.code.clone(),
        idempotency_key: capture_key(order_id, of.revision),
        updated_at: Some(timestamp(of.progress.updated_at)),
    })
}

fn refund(of: &domain::Refund) -> Refund {
    let state = movement(of.progress.state).unwrap_or(MovementState::Unspecified);
    Refund {
        refund_id: of.refund_id.clone(),
        amount_minor: of.amount,
        state: state.into(),
        code: of.progress.code.clone(),
        idempotency_key: refund_key(&of.refund_id),
        updated_at: Some(timestamp(of.progress.updated_at)),
    }
}

fn attempt(of: &crate::queries::AttemptView) -> Attempt {
    Attempt {
        idempotency_key: of.idempotency_key.clone(),
        outcome: of.outcome.clone(),
        at: Some(timestamp(of.made_at())),
    }
}

fn timestamp(at: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0);
    Timestamp { seconds: at.timestamp(), nanos }
}
