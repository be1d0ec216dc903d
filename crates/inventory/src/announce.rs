//! Inventory's mouth: fact -> event.

use oms_events::{EventData, Quantity, inventory};
use oms_messaging::{Announcement, Failure, Intervention};
use serde::Serialize;

use crate::domain::{Fact, Shortage};

/// The event that says a fact, in the current trace.
///
/// # Errors
/// When the data cannot be written as JSON.
pub fn fact(order_id: &str, fact: &Fact) -> Result<Announcement, Failure> {
    match fact {
        Fact::Reserved { revision, until } => {
            say(order_id, &inventory::Reserved { revision: *revision, until: *until })
        }
        Fact::Rejected { revision, reason, shortages } => {
            let shortages = shortages.iter().map(missing).collect();
            let reason = reason.name().to_owned();
            say(order_id, &inventory::Rejected { revision: *revision, reason, shortages })
        }
        Fact::Released => say(order_id, &inventory::Released {}),
        Fact::Dispatched => say(order_id, &inventory::Dispatched {}),
        Fact::Expired { revision } => {
            say(order_id, &inventory::ReservationExpired { revision: *revision })
        }
    }
}

/// The event that tells of an operator who took a dead letter in hand.
///
/// # Errors
/// When the data cannot be written as JSON.
pub fn intervened(what: &Intervention) -> Result<Announcement, Failure> {
    let data = inventory::Intervened {
        event_id: what.event_id.clone(),
        event_type: what.event_type.clone(),
        action: what.action.name().to_owned(),
        note: what.note.clone(),
    };
    say(&what.stream, &data)
}

fn say<D: EventData + Serialize>(order_id: &str, data: &D) -> Result<Announcement, Failure> {
    Announcement::new(order_id, D::TYPE, data)
}

fn missing(shortage: &Shortage) -> Quantity {
    Quantity { sku: shortage.sku.clone(), asked: shortage.asked, available: shortage.available }
}
