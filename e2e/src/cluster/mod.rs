//! The services as processes of their own, over Apache Kafka and PostgreSQL.

mod audit;
mod instance;
mod presence;
mod system;
mod topic;

pub use instance::Instance;
pub use presence::Presence;
pub use system::{System, Wishes};

use std::path::PathBuf;

use oms_servers::Servers;

use crate::lengths::Lengths;

/// What every story has at hand.
#[derive(Debug)]
pub struct World {
    /// Kafka and PostgreSQL.
    pub servers: Servers,
    /// The folder of the services' binaries.
    pub binaries: PathBuf,
    /// Where the services' own output goes.
    pub logs: PathBuf,
    /// This run's own mark in the names of topics, groups, databases and roles: servers that are
    /// not ours keep them.
    pub run: String,
    /// How long faults last.
    pub lengths: Lengths,
}
