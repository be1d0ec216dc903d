//! What must always hold (`docs/saga.md`, section 5), read from the four databases.
//!
//! The checks are written anew from the contract, in SQL, and share nothing with the services: a
//! mistake there is not repeated here.

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

/// Checks every invariant of a system at rest; what travelled only where the whole topic is known.
///
/// # Errors
/// All that is broken, one line each.
pub async fn check(databases: &Databases, topic: Option<&Topic>) -> anyhow::Result<()> {
    let mut broken = stock::broken(databases).await?;
    broken.extend(money::broken(databases).await?);
    broken.extend(timeline::broken(databases).await?);
    broken.extend(messaging::broken(databases, topic).await?);
    ensure!(broken.is_empty(), "broken invariants:\n{}", broken.join("\n"));
    Ok(())
}
