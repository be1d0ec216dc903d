//! Who emits what, and who listens.

use Service::{Inventory as I, Order as O, Payment as P};

use crate::{EventData, inventory, order, payment};

/// A service of the saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// `/oms/order`.
    Order,
    /// `/oms/inventory`.
    Inventory,
    /// `/oms/payment`.
    Payment,
}

impl Service {
    /// Its name as in `oms-<name>` and `/oms/<name>`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Inventory => "inventory",
            Self::Payment => "payment",
        }
    }
}

/// A type of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The CloudEvents type.
    pub event_type: &'static str,
    /// Who says it.
    pub speaker: Service,
    /// Who has a reaction to it; nobody for events made for observers.
    pub listeners: &'static [Service],
    /// What follows from it.
    pub meaning: &'static str,
}

const fn entry<D: EventData>(
    speaker: Service,
    listeners: &'static [Service],
    meaning: &'static str,
) -> Entry {
    Entry { event_type: D::TYPE, speaker, listeners, meaning }
}

const ORDER: [Entry; 9] = [
    entry::<order::Created>(O, &[], "An order exists. For observers."),
    entry::<order::Submitted>(
        O,
        &[I, P],
        "Inventory holds all lines or none; payment notes what is due.",
    ),
    entry::<order::Amended>(
        O,
        &[I, P],
        "Inventory holds the larger of settled and desired, all or nothing, and gives nothing \
         back yet; payment notes the difference of the totals.",
    ),
    entry::<order::Confirmed>(
        O,
        &[I, P],
        "Inventory trims the hold to these lines and commits it; payment starts nothing more \
         for this or an earlier revision.",
    ),
    entry::<order::Canceled>(
        O,
        &[I, P],
        "Inventory releases or fences and answers `released`; payment closes, gives back what \
         it took and answers `closed`.",
    ),
    entry::<order::RefundRequested>(O, &[P], "Payment refunds, up to what is left."),
    entry::<order::Refunded>(
        O,
        &[I],
        "Everything was given back; inventory gives the hold back if told so and answers \
         `released`.",
    ),
    entry::<order::Shipped>(
        O,
        &[I],
        "Inventory trims to these lines, books them out once and answers `dispatched`.",
    ),
    entry::<order::Completed>(O, &[], "The order was delivered and is closed. For observers."),
];

const INVENTORY: [Entry; 6] = [
    entry::<inventory::Reserved>(
        I,
        &[O, P],
        "Order becomes RESERVED; payment moves the money once it also knows what is due.",
    ),
    entry::<inventory::Rejected>(
        I,
        &[O],
        "Order cancels the pay run, or ends the amend run without effect.",
    ),
    entry::<inventory::Released>(I, &[O], "The whole hold is gone, or there was none."),
    entry::<inventory::ReservationExpired>(
        I,
        &[O],
        "An ask: order cancels an open pay run, else repeats what it said.",
    ),
    entry::<inventory::Dispatched>(
        I,
        &[O],
        "The shipment is booked out: order waits for nothing more of it.",
    ),
    entry::<inventory::Intervened>(
        I,
        &[O],
        "An operator took a dead letter of inventory in hand; order notes it on its timeline.",
    ),
];

const PAYMENT: [Entry; 6] = [
    entry::<payment::Captured>(
        P,
        &[O],
        "Order becomes PAID and CONFIRMED in one step, or has the lines of the amendment.",
    ),
    entry::<payment::Declined>(
        P,
        &[O],
        "Order cancels the pay run, or ends the amend run without effect.",
    ),
    entry::<payment::Refunded>(P, &[O], "A refund or amend run ends; the ledger moves."),
    entry::<payment::RefundFailed>(P, &[O], "A refund or amend run ends without effect."),
    entry::<payment::Closed>(P, &[O], "Nothing of the cancelled order is pending any more."),
    entry::<payment::Intervened>(
        P,
        &[O],
        "An operator took a dead letter of payment in hand; order notes it on its timeline.",
    ),
];

/// Every type of event, by speaker, in the order of a run.
#[must_use]
pub fn catalogue() -> Vec<Entry> {
    [&ORDER[..], &INVENTORY, &PAYMENT].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_named_once_and_by_its_speaker() {
        let all = catalogue();
        for (i, entry) in all.iter().enumerate() {
            let prefix = format!("oms.{}.", entry.speaker.name());
            assert!(entry.event_type.starts_with(&prefix), "{entry:?}");
            assert!(entry.event_type.ends_with(".v1"), "{entry:?}");
            assert!(!entry.listeners.contains(&entry.speaker), "{entry:?}");
            assert!(all[..i].iter().all(|other| other.event_type != entry.event_type));
        }
    }
}
