//! `cargo xtask alerts`: what Prometheus itself says of its configuration, the rules and their
//! tests.

use std::process::Command;

use anyhow::{Context, ensure};
use oms_servers::installed::needed;

use crate::tree::root;

/// What is checked, and how.
const CHECKS: [[&str; 3]; 2] = [
    ["check", "config", "deploy/prometheus/prometheus.yaml"],
    ["test", "rules", "deploy/prometheus/tests/oms.yaml"],
];

/// Lets promtool check the configuration, with the rules it names, and run the rules' tests.
///
/// # Errors
/// What it finds, or that it is missing.
pub fn run() -> anyhow::Result<()> {
    let promtool = needed("promtool", "apt-get install prometheus")?;
    for check in CHECKS {
        let status = Command::new(&promtool).args(check).current_dir(root()).status();
        let status = status.with_context(|| format!("{}", promtool.display()))?;
        ensure!(status.success(), "promtool {}: {status}", check.join(" "));
    }
    Ok(())
}
