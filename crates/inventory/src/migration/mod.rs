//! The migrations of inventory's database, oldest first: messaging's and the host's tables, then
//! inventory's own. Expand, then contract.

mod m0001_tables;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Every migration of this service.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = oms_messaging::migration::migrations();
        all.extend(oms_service::idempotency::migrations());
        all.push(Box::new(m0001_tables::Tables));
        all
    }
}
