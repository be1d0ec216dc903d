//! Inventory's ears: which events it hears, and what it does about each.

mod order;
mod reactor;

pub use reactor::InventoryReactor;

use oms_events::{EventData, order as said};
use oms_messaging::Router;

use crate::store::Session;

/// Every reaction of this service.
fn ears() -> Router<Session> {
    Router::new()
        .on::<said::Submitted>(said::Submitted::TYPE, order::on_submitted)
        .on::<said::Amended>(said::Amended::TYPE, order::on_amended)
        .on::<said::Confirmed>(said::Confirmed::TYPE, order::on_confirmed)
        .on::<said::Canceled>(said::Canceled::TYPE, order::on_canceled)
        .on::<said::Refunded>(said::Refunded::TYPE, order::on_refunded)
        .on::<said::Shipped>(said::Shipped::TYPE, order::on_shipped)
}

#[cfg(test)]
mod tests {
    use oms_events::{Service, catalogue};

    use super::*;

    #[test]
    fn inventory_hears_exactly_what_the_catalogue_says() {
        let mut listed: Vec<&str> = catalogue()
            .iter()
            .filter(|entry| entry.listeners.contains(&Service::Inventory))
            .map(|entry| entry.event_type)
            .collect();
        listed.sort_unstable();
        assert_eq!(ears().types().collect::<Vec<_>>(), listed);
    }
}
