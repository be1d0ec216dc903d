//! What is told of the process itself: which build it is, and how its components are.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};

use crate::health::Health;

/// A component of a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Component {
    service: &'static str,
    component: String,
}

/// Families about the process.
#[derive(Debug)]
pub(crate) struct Vitals {
    components: Family<Component, Gauge>,
}

impl Vitals {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        registry.register("oms_build", "The version that runs", Info::new(version));
        let components = Family::default();
        registry.register(
            "oms_component_up",
            "Whether a component of a service is up, as /readyz says it",
            components.clone(),
        );
        Self { components }
    }

    /// Takes how every component is now.
    pub(crate) fn take(&self, services: &[(&'static str, Health)]) {
        for (service, health) in services {
            for (component, trouble) in health.components() {
                let of = Component { service, component };
                self.components.get_or_create(&of).set(i64::from(trouble.is_none()));
            }
        }
    }
}
