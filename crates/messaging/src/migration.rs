//! The migrations of messaging's tables. A service puts them first in its own list.

use sea_orm_migration::prelude::*;

/// Messaging's migrations, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Tables), Box::new(Interventions)]
}

struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "messaging_0001_tables"
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

fn serial(name: &str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).big_integer().not_null().auto_increment().primary_key().take()
}

fn blob(name: &str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).blob().not_null().take()
}

fn table(name: &str, columns: impl IntoIterator<Item = ColumnDef>) -> TableCreateStatement {
    let mut table = Table::create().table(Alias::new(name)).take();
    for column in columns {
        table.col(column);
    }
    table
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [streams(), inbox(), outbox(), parked(), leases()] {
            manager.create_table(table).await?;
        }
        let connection = manager.get_connection();
        for index in [
            "CREATE INDEX outbox_due ON outbox (seq) WHERE published_at IS NULL",
            "CREATE INDEX outbox_stream ON outbox (stream, seq)",
            "CREATE INDEX outbox_refused ON outbox (stream) WHERE refused_until IS NOT NULL",
            "CREATE INDEX inbox_stream ON inbox (stream)",
            "CREATE INDEX parked_stream ON parked (stream, seq)",
            "CREATE INDEX streams_ask ON streams (ask_at) WHERE ask_at IS NOT NULL",
            "CREATE INDEX streams_ended ON streams (ended_at) WHERE ended_at IS NOT NULL",
        ] {
            connection.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

struct Interventions;

impl MigrationName for Interventions {
    fn name(&self) -> &'static str {
        "messaging_0002_interventions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Interventions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(interventions()).await?;
        let index = "CREATE INDEX interventions_stream ON interventions (stream)";
        manager.get_connection().execute_unprepared(index).await?;
        Ok(())
    }
}

fn interventions() -> TableCreateStatement {
    table(
        "interventions",
        [
            serial("seq"),
            text("action"),
            text("note"),
            big("at"),
            big("letter"),
            text("identity"),
            text_null("stream"),
            text("event_type"),
            text("topic"),
            ColumnDef::new(Alias::new("partition")).integer().not_null().take(),
            big("log_offset"),
            text("reason"),
            text("message"),
            big("parked_at"),
            ColumnDef::new(Alias::new("payload")).blob().null().take(),
            text_null("headers"),
        ],
    )
}

fn streams() -> TableCreateStatement {
    table(
        "streams",
        [
            text("id").primary_key().take(),
            big("sequence"),
            ColumnDef::new(Alias::new("parked")).boolean().not_null().take(),
            big_null("ask_at"),
            ColumnDef::new(Alias::new("ask_attempt")).integer().not_null().take(),
            big_null("ended_at"),
        ],
    )
}

fn inbox() -> TableCreateStatement {
    table("inbox", [text("id").primary_key().take(), text("stream"), big("received_at")])
}

fn outbox() -> TableCreateStatement {
    table(
        "outbox",
        [
            serial("seq"),
            text("id").unique_key().take(),
            text("topic"),
            text_null("stream"),
            text("event_type"),
            blob("payload"),
            text_null("headers"),
            text_null("traceparent"),
            big("created_at"),
            big_null("published_at"),
            big("generation"),
            ColumnDef::new(Alias::new("ask")).boolean().not_null().take(),
            big("ask_generation"),
            big_null("refused_until"),
            text_null("refused_reason"),
        ],
    )
}

fn parked() -> TableCreateStatement {
    table(
        "parked",
        [
            serial("seq"),
            text("identity").unique_key().take(),
            text_null("stream"),
            text("event_type"),
            text("topic"),
            ColumnDef::new(Alias::new("partition")).integer().not_null().take(),
            big("log_offset"),
            blob("payload"),
            text("headers"),
            text("reason"),
            text("message"),
            big("parked_at"),
        ],
    )
}

fn leases() -> TableCreateStatement {
    table("leases", [text("name").primary_key().take(), text("owner"), big("expires_at")])
}
