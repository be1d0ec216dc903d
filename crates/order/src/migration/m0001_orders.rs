//! Orders with their lines, timeline, refunds, and the fingerprints of keyless creations.

use sea_orm_migration::prelude::*;

pub(super) struct Orders;

impl MigrationName for Orders {
    fn name(&self) -> &'static str {
        "order_0001_orders"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Orders {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [orders(), lines(), timeline(), refunds(), fingerprints()] {
            manager.create_table(table).await?;
        }
        let connection = manager.get_connection();
        for index in [
            "CREATE INDEX orders_deadline ON orders (run_deadline) WHERE run_deadline IS NOT NULL",
            "CREATE INDEX orders_run ON orders (run_kind) WHERE run_kind <> ''",
            "CREATE INDEX refunds_order ON refunds (order_id)",
            "CREATE INDEX fingerprints_expiry ON fingerprints (expires_at)",
        ] {
            connection.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn text(name: &str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).text().not_null().take()
}

fn text_null(name: &str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).text().null().take()
}

fn big(name: &str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).big_integer().not_null().take()
}

fn big_null(name: &str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).big_integer().null().take()
}

fn int(name: &str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).integer().not_null().take()
}

fn flag(name: &str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).boolean().not_null().take()
}

fn table(
    name: &str,
    columns: impl IntoIterator<Item = ColumnDef>,
    key: &[&str],
) -> TableCreateStatement {
    let mut table = Table::create().table(Alias::new(name)).take();
    for column in columns {
        table.col(column);
    }
    let mut primary = Index::create();
    for column in key {
        primary.col(Alias::new(*column));
    }
    table.primary_key(&mut primary);
    table
}

fn orders() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("customer_id"),
        text("reference"),
        text("currency"),
        big("total_minor"),
        text("status"),
        text("shown_status"),
        int("version"),
        big("row_version"),
        int("revision"),
        int("settled_revision"),
        text("run_kind"),
        text_null("run_id"),
        big_null("run_started_at"),
        big_null("run_deadline"),
        text_null("saga_id"),
        text("payment_method"),
        text_null("reason_code"),
        text_null("reason_message"),
        big("captured_minor"),
        big("refunded_minor"),
        big("ledger_sequence"),
        flag("released"),
        flag("closed"),
        flag("cancel_refund_failed"),
        flag("release_asked"),
        big("created_at"),
        big("updated_at"),
        text_null("trace_id"),
    ];
    table("orders", columns, &["id"])
}

fn lines() -> TableCreateStatement {
    let columns = [
        text("order_id"),
        int("revision"),
        int("position"),
        text("id"),
        text("sku"),
        int("qty"),
        big("price_minor"),
        text("name"),
        big("created_at"),
    ];
    table("lines", columns, &["order_id", "revision", "position"])
}

fn timeline() -> TableCreateStatement {
    let columns = [
        text("order_id"),
        int("version"),
        text("event_type"),
        text("payload"),
        big("occurred_at"),
        text_null("event_id"),
        text_null("trace_id"),
    ];
    table("timeline", columns, &["order_id", "version"])
}

fn refunds() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("order_id"),
        big("amount_minor"),
        text("state"),
        text("reason"),
        text("code"),
        big("asked_at"),
        big_null("ended_at"),
    ];
    table("refunds", columns, &["id"])
}

fn fingerprints() -> TableCreateStatement {
    table("fingerprints", [text("hash"), text("order_id"), big("expires_at")], &["hash"])
}
