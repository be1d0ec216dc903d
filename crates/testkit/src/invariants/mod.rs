//! What must always hold (`docs/saga.md`, section 5), read from the four databases.
//!
//! The checks are written anew from the contract, in SQL, and share nothing with the services: a
//! mistake there is not repeated here.

mod amendments;
mod messaging;
mod money;
mod query;
mod rest;
mod stock;
mod timeline;

pub use rest::open_business;

use std::collections::BTreeMap;

use anyhow::ensure;
use sea_orm::DatabaseConnection;

/// The databases of a system.
#[derive(Clone, Debug)]
pub struct Databases {
    /// Order's.
    pub order: DatabaseConnection,
    /// Inventory's.
    pub inventory: DatabaseConnection,
    /// Payment's.
    pub payment: DatabaseConnection,
    /// The gateway's own log.
    pub gateway: DatabaseConnection,
}

/// What is on the topic: event id -> type.
pub type Topic = BTreeMap<String, String>;

/// What is known about the log of a system, besides its databases.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence<'a> {
    /// All that was ever on the topic; absent where nobody knows.
    pub said: Option<&'a Topic>,
    /// All that its listeners must have applied by now; absent where some of it may be lost.
    pub heard: Option<&'a Topic>,
    /// Streams that poison was put in for: their dead letters break nothing.
    pub poisoned: &'a [String],
}

/// Checks every invariant of a system at rest; what travelled only where the whole topic is known.
///
/// # Errors
/// All that is broken, one line each.
pub async fn check(databases: &Databases, topic: Option<&Topic>) -> anyhow::Result<()> {
    let broken = broken(databases, Evidence { said: topic, heard: topic, poisoned: &[] }).await?;
    ensure!(broken.is_empty(), "broken invariants:\n{}", broken.join("\n"));
    Ok(())
}

/// What is broken in a system at rest, one line each.
///
/// # Errors
/// When a database cannot be read.
pub async fn broken(databases: &Databases, evidence: Evidence<'_>) -> anyhow::Result<Vec<String>> {
    let mut broken = broken_in_motion(databases).await?;
    broken.extend(stock::broken_at_rest(databases).await?);
    broken.extend(money::broken_at_rest(databases).await?);
    broken.extend(amendments::broken_at_rest(databases).await?);
    broken.extend(messaging::broken(databases, evidence).await?);
    Ok(broken)
}

/// What is broken of that which holds at every moment, whatever is under way, one line each.
///
/// # Errors
/// When a database cannot be read.
pub async fn broken_in_motion(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let mut broken = stock::broken_in_motion(databases).await?;
    broken.extend(money::broken_in_motion(databases).await?);
    broken.extend(timeline::broken(databases).await?);
    broken.extend(messaging::broken_in_motion(databases).await?);
    Ok(broken)
}
