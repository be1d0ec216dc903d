//! The migrations of payment's database, oldest first; messaging's tables come before ours.

mod m0001_payments;

use sea_orm_migration::prelude::*;

/// Brings payment's database up to date.
#[derive(Clone, Copy, Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = oms_messaging::migration::migrations();
        all.push(Box::new(m0001_payments::Payments));
        all
    }
}
