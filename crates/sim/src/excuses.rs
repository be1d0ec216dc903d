//! What an order that was spoilt or given up may do all the same, and nothing more.

use std::collections::BTreeSet;

use oms_events::Service;
use oms_testkit::invariants;
use sea_orm::{ConnectionTrait, Statement};

use crate::world::{SERVICES, World};

/// Events that nobody waits for: who discards one has given nothing up.
const NOBODY_WAITS_FOR: &str = "('oms.order.created.v1', 'oms.order.completed.v1', \
                                'oms.inventory.intervened.v1', 'oms.payment.intervened.v1')";

impl World<'_> {
    /// Orders of which an event was discarded: they may wait for ever, and nothing else.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub(crate) async fn given_up(&self) -> anyhow::Result<BTreeSet<String>> {
        let sql = format!(
            "SELECT DISTINCT stream FROM interventions WHERE action = 'discarded' \
             AND stream IS NOT NULL AND event_type NOT IN {NOBODY_WAITS_FOR}"
        );
        let mut orders = BTreeSet::new();
        for database in [&self.stores.order, &self.stores.inventory, &self.stores.payment] {
            let read = Statement::from_string(database.read.get_database_backend(), &sql);
            for row in database.read.query_all_raw(read).await? {
                orders.insert(row.try_get_by_index::<String>(0)?);
            }
        }
        Ok(orders)
    }

    /// What is open, less the waiting of orders of which an event was discarded.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub(crate) async fn open_business(&self) -> anyhow::Result<Vec<String>> {
        let mut open = invariants::open_business(&self.stores.seen()).await?;
        let given_up = self.given_up().await?;
        open.retain(|line| !given_up.iter().any(|order| waits(line, order)));
        Ok(open)
    }

    /// What is broken at rest, less that of orders which are not at rest because an event of theirs
    /// was discarded: while they wait, their ledgers need not agree. What must hold in every motion
    /// and what messaging owes is owed to them too.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub(crate) async fn less_given_up(&self, broken: Vec<String>) -> anyhow::Result<Vec<String>> {
        let databases = self.stores.seen();
        let open = invariants::open_business(&databases).await?;
        let mut waiting = self.given_up().await?;
        waiting.retain(|order| open.iter().any(|line| waits(line, order)));
        let always = invariants::broken_in_motion(&databases).await?;
        let excused = |line: &String| {
            let of_messaging = line.starts_with("I6") || line.starts_with("I8");
            !of_messaging
                && !always.contains(line)
                && waiting.iter().any(|order| line.contains(order))
        };
        Ok(broken.into_iter().filter(|line| !excused(line)).collect())
    }

    /// Whether the line tells of a dead letter of an order whose event this very service could not
    /// apply for a while.
    pub(crate) fn was_spoilt(&self, line: &str) -> bool {
        SERVICES.into_iter().any(|service| {
            let begins = format!("I8 {} ", service.name());
            let orders = self.spoil_of(service).orders();
            line.starts_with(&begins) && orders.iter().any(|order| line.contains(order))
        })
    }

    /// What is parked for another reason than that a bug, or garbage, came before.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub(crate) async fn parked_without_poison(&self) -> anyhow::Result<Vec<String>> {
        let sql = "SELECT COALESCE(stream, '') AS stream, reason FROM parked \
                   WHERE reason NOT IN ('spoilt', 'parked_behind')";
        let given_up = self.given_up().await?;
        let mut broken = Vec::new();
        for service in SERVICES {
            let read = &self.database(service).read;
            let statement = Statement::from_string(read.get_database_backend(), sql);
            for row in read.query_all_raw(statement).await? {
                let stream: String = row.try_get("", "stream")?;
                let reason: String = row.try_get("", "reason")?;
                if !self.poisoned.contains(&stream) && !given_up.contains(&stream) {
                    let name = service.name();
                    broken.push(format!("I8 {name} has parked an event of {stream}: {reason}"));
                }
            }
        }
        Ok(broken)
    }
}

/// Whether the line says that this order waits.
fn waits(line: &str, order: &str) -> bool {
    let services = SERVICES.into_iter().map(Service::name);
    services.map(|name| format!("{name} waits: {order}")).any(|said| line == said)
        || line.starts_with(&format!("order: {order},"))
}
