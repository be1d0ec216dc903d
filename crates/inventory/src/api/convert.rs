//! Between the store's rows and the wire.

use oms_proto::oms_v1 as wire;
use prost_types::Timestamp;

use crate::{
    domain::{Reservation, Status},
    queries::{MovementRow, StockRow},
};

pub(super) fn stock(row: StockRow) -> wire::Stock {
    wire::Stock {
        sku: row.sku,
        available: row.available,
        held: row.held,
        committed: row.committed,
        shipped: row.shipped,
        updated_at: Some(timestamp(row.updated_at)),
    }
}

pub(super) fn movement(row: MovementRow) -> wire::Movement {
    wire::Movement {
        id: row.id,
        sku: row.sku,
        kind: row.kind,
        order_id: row.order_id.unwrap_or_default(),
        qty: row.qty,
        note: row.note,
        created_at: Some(timestamp(row.created_at)),
    }
}

pub(super) fn reservation(reservation: &Reservation) -> wire::Reservation {
    let state = reservation.snapshot();
    let line = |(sku, qty): (&str, i64)| wire::reservation::Line { sku: sku.to_owned(), qty };
    let holds = matches!(state.status, Some(Status::Held | Status::Committed));
    let lines = state.lines.iter().filter(|_| holds).map(line).collect();
    wire::Reservation {
        order_id: state.order_id.clone(),
        status: status(state.status).into(),
        revision: state.answered,
        lines,
        expires_at: state.expires_at.map(|at| timestamp(at.timestamp_micros())),
    }
}

fn status(status: Option<Status>) -> wire::ReservationStatus {
    match status {
        None => wire::ReservationStatus::Unspecified,
        Some(Status::Held) => wire::ReservationStatus::Held,
        Some(Status::Committed) => wire::ReservationStatus::Committed,
        Some(Status::Shipped) => wire::ReservationStatus::Shipped,
        Some(Status::Released) => wire::ReservationStatus::Released,
        Some(Status::Rejected) => wire::ReservationStatus::Rejected,
        Some(Status::Fenced) => wire::ReservationStatus::Fenced,
    }
}

fn timestamp(micros: i64) -> Timestamp {
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default();
    Timestamp { seconds: micros.div_euclid(1_000_000), nanos }
}
