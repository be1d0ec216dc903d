//! Payments, their captures and refunds, and the ledger of calls to the gateway.

use sea_orm_migration::prelude::*;

pub(super) struct Payments;

impl MigrationName for Payments {
    fn name(&self) -> &'static str {
        "payment_0001_payments"
    }
}

// Plain SQL both databases understand: the indexes are partial, which the builder cannot say.
const STATEMENTS: [&str; 9] = [
    "CREATE TABLE payments (
        order_id TEXT NOT NULL PRIMARY KEY,
        currency TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        method TEXT NOT NULL,
        total BIGINT NOT NULL,
        captured BIGINT NOT NULL,
        refunded BIGINT NOT NULL,
        closing BOOLEAN NOT NULL,
        closed BOOLEAN NOT NULL,
        cancel_refund_made BOOLEAN NOT NULL,
        concluded_revision INTEGER NOT NULL,
        verdict_revision INTEGER NOT NULL,
        closing_origin TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CHECK (captured >= refunded AND refunded >= 0)
    )",
    "CREATE TABLE captures (
        order_id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        noted BOOLEAN NOT NULL,
        total BIGINT NOT NULL,
        base BIGINT NOT NULL,
        method TEXT NOT NULL,
        reserved BOOLEAN NOT NULL,
        state TEXT NOT NULL,
        amount BIGINT NOT NULL,
        code TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        next_at BIGINT NULL,
        origin TEXT NOT NULL,
        updated_at BIGINT NOT NULL,
        PRIMARY KEY (order_id, revision)
    )",
    "CREATE TABLE refunds (
        refund_id TEXT NOT NULL PRIMARY KEY,
        order_id TEXT NOT NULL,
        amount BIGINT NOT NULL,
        state TEXT NOT NULL,
        code TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        next_at BIGINT NULL,
        origin TEXT NOT NULL,
        updated_at BIGINT NOT NULL
    )",
    "CREATE TABLE attempts (
        id TEXT NOT NULL PRIMARY KEY,
        order_id TEXT NOT NULL,
        idempotency_key TEXT NOT NULL,
        outcome TEXT NOT NULL,
        detail TEXT NOT NULL,
        at BIGINT NOT NULL
    )",
    "CREATE INDEX payments_newest ON payments (created_at, order_id)",
    "CREATE INDEX captures_due ON captures (next_at) WHERE next_at IS NOT NULL",
    "CREATE INDEX refunds_due ON refunds (next_at) WHERE next_at IS NOT NULL",
    "CREATE INDEX refunds_order ON refunds (order_id)",
    "CREATE INDEX attempts_order ON attempts (order_id, at)",
];

#[async_trait::async_trait]
impl MigrationTrait for Payments {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in STATEMENTS {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
