//! What the databases say, whatever the services say.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use oms_servers::databases::as_administrator;
use oms_testkit::{
    eventually,
    invariants::{Databases, Evidence, Topic, broken, open_business},
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};

/// Eyes on the four databases of a system.
#[derive(Debug)]
pub(super) struct Audit {
    databases: Databases,
}

impl Audit {
    /// Opens them as the administrator of the server that each is on.
    pub(super) async fn open(servers: [&str; 4], prefix: &str) -> anyhow::Result<Self> {
        let names = ["order", "inventory", "payment", "gateway"];
        let mut open = Vec::new();
        for (server, name) in servers.iter().zip(names) {
            open.push(connect(&as_administrator(server, &format!("{prefix}{name}"))?).await?);
        }
        let [order, inventory, payment, gateway] =
            <[_; 4]>::try_from(open).ok().context("four databases")?;
        Ok(Self { databases: Databases { order, inventory, payment, gateway } })
    }

    /// Waits until nobody waits and nothing is due; how long that took.
    pub(super) async fn rest(&self, within: Duration) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let rested = eventually(within, || async {
            let open = open_business(&self.databases).await?;
            let count = open.len();
            let some = open.into_iter().take(10).collect::<Vec<_>>().join("; ");
            Ok(if count == 0 { Ok(()) } else { Err(format!("{count} open: {some}")) })
        });
        rested.await.context("the system does not come to rest")?;
        Ok(begun.elapsed())
    }

    /// I1 to I8 as far as the databases and the topic tell; dead letters of `poisoned` orders
    /// break nothing.
    pub(super) async fn invariants(
        &self,
        topic: &Topic,
        poisoned: &[String],
    ) -> anyhow::Result<()> {
        let evidence = Evidence { said: Some(topic), heard: Some(topic), poisoned };
        let found = broken(&self.databases, evidence).await?;
        ensure!(found.is_empty(), "broken invariants:\n{}", found.join("\n"));
        // Customers of a story have names of their own, one an order.
        let twice = "SELECT customer_id AS a, CAST(COUNT(*) AS TEXT) AS b FROM orders \
                     GROUP BY customer_id HAVING COUNT(*) > 1";
        let twice = pairs(&self.databases.order, twice).await?;
        ensure!(twice.is_empty(), "I7 a key names several orders: {twice:?}");
        let refunds = "SELECT order_id AS a, CAST(COUNT(*) AS TEXT) AS b FROM charges \
                       WHERE kind = 'refund' AND approved AND amount = \
                       (SELECT captured FROM accounts x WHERE x.order_id = charges.order_id) \
                       GROUP BY order_id HAVING COUNT(*) > 1";
        let refunds = pairs(&self.databases.gateway, refunds).await?;
        ensure!(refunds.is_empty(), "I4 given back twice: {refunds:?}");
        Ok(())
    }

    /// Every order's status: id -> status.
    pub(super) async fn statuses(&self) -> anyhow::Result<BTreeMap<String, String>> {
        pairs(&self.databases.order, "SELECT id AS a, status AS b FROM orders").await
    }

    /// Inventory can write nothing about these orders from now on, as if it had a bug.
    pub(super) async fn bug(&self, orders: &[String]) -> anyhow::Result<()> {
        let orders = orders.iter().map(|order| format!("'{order}'")).collect::<Vec<_>>();
        // What is there already is not judged: none of these orders is.
        let sql = format!(
            "ALTER TABLE reservations ADD CONSTRAINT a_bug CHECK (order_id NOT IN ({})) NOT VALID",
            orders.join(", ")
        );
        self.databases.inventory.execute_unprepared(&sql).await?;
        Ok(())
    }

    /// Inventory is mended.
    pub(super) async fn mend(&self) -> anyhow::Result<()> {
        let sql = "ALTER TABLE reservations DROP CONSTRAINT a_bug";
        self.databases.inventory.execute_unprepared(sql).await?;
        Ok(())
    }

    /// How many calls the gateway decided.
    pub(super) async fn charges(&self) -> anyhow::Result<usize> {
        let sql = "SELECT idempotency_key AS a, kind AS b FROM charges";
        Ok(pairs(&self.databases.gateway, sql).await?.len())
    }

    /// Everything the services decided about the orders there were at an instant, without when
    /// they said it: what a replay must not change.
    pub(super) async fn decisions(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut all = BTreeMap::new();
        let Databases { order, inventory, payment, gateway } = &self.databases;
        for (database, what, sql) in [
            (order, "order", "SELECT id AS a, CAST(orders AS TEXT) AS b FROM orders"),
            (
                order,
                "timeline",
                "SELECT order_id || ' ' || version AS a, CAST(timeline AS TEXT) AS b FROM timeline",
            ),
            (order, "said", "SELECT id AS a, convert_from(payload, 'UTF8') AS b FROM outbox"),
            (inventory, "said", "SELECT id AS a, convert_from(payload, 'UTF8') AS b FROM outbox"),
            (payment, "said", "SELECT id AS a, convert_from(payload, 'UTF8') AS b FROM outbox"),
            (
                inventory,
                "reservation",
                "SELECT order_id AS a, CAST(reservations AS TEXT) AS b FROM reservations",
            ),
            (payment, "payment", "SELECT order_id AS a, CAST(payments AS TEXT) AS b FROM payments"),
            (
                gateway,
                "charge",
                "SELECT idempotency_key AS a, CAST(charges AS TEXT) AS b FROM charges",
            ),
        ] {
            let rows = pairs(database, sql).await?;
            all.extend(rows.into_iter().map(|(id, row)| (format!("{what} {id}"), row)));
        }
        Ok(all)
    }
}

async fn connect(url: &str) -> anyhow::Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(2).sqlx_logging(false);
    Ok(Database::connect(options).await?)
}

/// A query of two columns of text, `a` and `b`.
async fn pairs(
    database: &DatabaseConnection,
    sql: &str,
) -> anyhow::Result<BTreeMap<String, String>> {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let rows = database.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok((row.try_get("", "a")?, row.try_get("", "b")?))).collect()
}
