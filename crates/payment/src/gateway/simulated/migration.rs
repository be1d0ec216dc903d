//! The migrations of the gateway's own database.

use sea_orm_migration::prelude::*;

/// Brings the simulated gateway's database up to date.
#[derive(Clone, Copy, Debug)]
pub struct GatewayMigrator;

#[async_trait::async_trait]
impl MigratorTrait for GatewayMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Charges)]
    }
}

struct Charges;

impl MigrationName for Charges {
    fn name(&self) -> &'static str {
        "gateway_0001_charges"
    }
}

const STATEMENTS: [&str; 3] = [
    "CREATE TABLE accounts (
        order_id TEXT NOT NULL PRIMARY KEY,
        captured BIGINT NOT NULL,
        refunded BIGINT NOT NULL,
        refuses_refunds BOOLEAN NOT NULL,
        CHECK (captured >= refunded AND refunded >= 0)
    )",
    "CREATE TABLE charges (
        idempotency_key TEXT NOT NULL PRIMARY KEY,
        kind TEXT NOT NULL,
        order_id TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        method TEXT NOT NULL,
        amount BIGINT NOT NULL,
        currency TEXT NOT NULL,
        approved BOOLEAN NOT NULL,
        code TEXT NOT NULL,
        reason TEXT NOT NULL,
        asks BIGINT NOT NULL,
        decided_at BIGINT NOT NULL
    )",
    "CREATE INDEX charges_order ON charges (order_id, decided_at)",
];

#[async_trait::async_trait]
impl MigrationTrait for Charges {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in STATEMENTS {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
