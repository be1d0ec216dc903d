//! The order service's schema. One file per migration; expand first, contract in a later release.

mod m0001_orders;
mod m0002_shipping;
mod m0003_lists;
mod m0004_amendments;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Every migration of this service's database: those of messaging and of the
/// idempotency keys, then our own.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = oms_messaging::migration::migrations();
        all.extend(oms_service::idempotency::migrations());
        all.push(Box::new(m0001_orders::Orders));
        all.push(Box::new(m0002_shipping::Shipping));
        all.push(Box::new(m0003_lists::Lists));
        all.push(Box::new(m0004_amendments::Amendments));
        all
    }
}
