//! Who may import whom, between crates.

use super::{Finding, manifest};
use crate::Tree;

/// May be used by everybody: the seams through which tests own time, ids and crashes.
const FOR_EVERYBODY: &str = "oms-seams";

/// What a service of the saga may use. The three never import each other.
const BELOW_A_SERVICE: &[&str] =
    &["oms-admin", "oms-service", "oms-messaging", "oms-events", "oms-proto", "oms-telemetry"];

/// What an arrangement of services may use.
const BELOW_AN_ARRANGEMENT: &[&str] = &[
    "oms-order",
    "oms-inventory",
    "oms-payment",
    "oms-service",
    "oms-messaging",
    "oms-events",
    "oms-proto",
    "oms-telemetry",
];

/// What `e2e` and the simulator may use: an arrangement, the testkit that makes one, and real
/// servers.
const BELOW_E2E: &[&str] = &[
    "oms-testkit",
    "oms-servers",
    "oms-order",
    "oms-inventory",
    "oms-payment",
    "oms-service",
    "oms-messaging",
    "oms-events",
    "oms-proto",
    "oms-telemetry",
];

/// What the repository's own tools may use: the services for the generated pages, the servers to
/// start them.
const BELOW_XTASK: &[&str] = &[
    "oms-servers",
    "oms-order",
    "oms-inventory",
    "oms-payment",
    "oms-messaging",
    "oms-events",
    "oms-service",
];

/// Every package and the packages of this workspace it may depend on.
const LAYERS: &[(&str, &[&str])] = &[
    ("oms-seams", &[]),
    ("oms-proto", &[]),
    ("oms-telemetry", &[]),
    ("oms-servers", &[]),
    ("oms-events", &["oms-telemetry"]),
    ("oms-messaging", &["oms-telemetry"]),
    ("oms-service", &["oms-proto", "oms-telemetry"]),
    ("oms-admin", &["oms-service", "oms-messaging", "oms-proto", "oms-telemetry"]),
    ("oms-order", BELOW_A_SERVICE),
    ("oms-inventory", BELOW_A_SERVICE),
    ("oms-payment", BELOW_A_SERVICE),
    ("oms-testkit", BELOW_AN_ARRANGEMENT),
    ("oms", BELOW_AN_ARRANGEMENT),
    ("oms-sim", BELOW_E2E),
    ("oms-e2e", BELOW_E2E),
    ("xtask", BELOW_XTASK),
];

/// Dependencies that the layers do not allow, and packages that no layer knows.
pub(super) fn imports(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let Some(package) = manifest::package(&file.text) else { continue };
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == package) else {
            let message = format!("{package} is in no layer: say in layers.rs what it may import");
            findings.push(Finding::new("layers", &file.path, 1, message));
            continue;
        };
        for dependency in manifest::dependencies(&file.text) {
            let name = dependency.name;
            // A crate may name itself to switch on a feature of its own for its tests.
            if name != FOR_EVERYBODY && name != package && !allowed.contains(&name) {
                let message = format!("{package} must not import {name}: {}", why(package, name));
                findings.push(Finding::new("layers", &file.path, dependency.line, message));
            }
        }
    }
    findings
}

/// What to tell whoever crossed a layer.
fn why(package: &str, dependency: &str) -> &'static str {
    let service = |name: &str| ["oms-order", "oms-inventory", "oms-payment"].contains(&name);
    match (package, dependency) {
        (a, b) if service(a) && service(b) => "services meet in events alone",
        ("oms-messaging", _) => "messaging knows no domain and no service",
        ("oms-service", "oms-messaging") => "the two meet only where a service is wired",
        (_, "oms-testkit") => "the testkit sits above the services",
        _ => "see docs/architecture.md, \"Who may import whom\"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(package: &str, dependency: &str) -> Vec<Finding> {
        let text = format!(
            "[package]\nname = \"{package}\"\n[dependencies]\n{dependency}.workspace = true\n"
        );
        imports(&Tree::sample([("crates/x/Cargo.toml", text.as_str())]))
    }

    #[test]
    fn a_service_that_imports_a_service_is_found() {
        let findings = found("oms-order", "oms-payment");
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 4);
        assert!(findings[0].message.contains("events alone"));
    }

    #[test]
    fn upward_and_sideways_imports_are_found() {
        for (package, dependency) in [
            ("oms-messaging", "oms-events"),
            ("oms-messaging", "oms-service"),
            ("oms-service", "oms-messaging"),
            ("oms-seams", "oms-telemetry"),
            ("oms-inventory", "oms-testkit"),
            ("oms", "oms-testkit"),
            ("oms-testkit", "oms"),
            ("oms-servers", "oms-messaging"),
        ] {
            assert_eq!(found(package, dependency).len(), 1, "{package} -> {dependency}");
        }
    }

    #[test]
    fn downward_imports_and_the_seams_are_fine() {
        for (package, dependency) in [
            ("oms-proto", "oms-seams"),
            ("oms-order", "oms-messaging"),
            ("oms-e2e", "oms-testkit"),
            ("oms", "oms-order"),
            ("oms-messaging", "serde"),
        ] {
            assert_eq!(found(package, dependency), [], "{package} -> {dependency}");
        }
    }

    #[test]
    fn a_package_in_no_layer_is_found() {
        assert!(found("oms-shipping", "serde")[0].message.contains("no layer"));
    }
}
