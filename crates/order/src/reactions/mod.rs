//! The order service's ears: event type -> reaction, on one screen.

mod hearing;
mod intervention;
mod inventory;
mod payment;
mod reactor;

use oms_events::{EventData, inventory as i, payment as p};
use oms_messaging::Router;

use crate::store::Session;

pub use reactor::{Aftermath, OrderReactor};

/// Everything this service hears. Each reaction is right for duplicates, early and late events:
/// the status table decides, not the inbox.
#[must_use]
pub fn router() -> Router<Session> {
    Router::new()
        .on(i::Reserved::TYPE, inventory::on_reserved)
        .on(i::Rejected::TYPE, inventory::on_rejected)
        .on(i::Released::TYPE, inventory::on_released)
        .on(i::ReservationExpired::TYPE, inventory::on_reservation_expired)
        .on(i::Dispatched::TYPE, inventory::on_dispatched)
        .on(p::Captured::TYPE, payment::on_captured)
        .on(p::Declined::TYPE, payment::on_declined)
        .on(p::Refunded::TYPE, payment::on_refunded)
        .on(p::RefundFailed::TYPE, payment::on_refund_failed)
        .on(p::Closed::TYPE, payment::on_closed)
        .on(i::Intervened::TYPE, intervention::on_inventory)
        .on(p::Intervened::TYPE, intervention::on_payment)
}
