//! Inventory's own counters.

use prometheus_client::{metrics::counter::Counter, registry::Registry};

/// Counters of this service; process counters, they begin at zero with each start.
#[derive(Clone, Debug, Default)]
pub struct InventoryMetrics {
    /// Holds that outlived their time before anybody confirmed or cancelled them.
    pub reservations_expired: Counter,
}

impl InventoryMetrics {
    /// Registers the counters.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.sub_registry_with_label(("service".into(), "inventory".into())).register(
            "oms_reservations_expired",
            "Holds that outlived their time before they were confirmed or cancelled",
            metrics.reservations_expired.clone(),
        );
        metrics
    }
}
