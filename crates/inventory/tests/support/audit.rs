//! I1, read from the tables: per SKU available + held + committed + shipped = received ± adjusted,
//! none negative; the ledger, the stock rows and the holds tell the same story.

use std::collections::BTreeMap;

use oms_inventory::{
    domain::Counts,
    store::{
        entities::{holds, movements, reservations, stock},
        stock::counts,
    },
};
use sea_orm::{EntityTrait, QueryOrder};

use super::Shop;

impl Shop {
    /// Asserts I1 for every SKU.
    pub async fn audit(&self) {
        let conn = self.conn();
        let rows = stock::Entity::find().all(conn).await.unwrap();
        let ledger = ledger(self).await;
        let held = holds_by_status(self).await;
        for row in rows {
            let now = counts(&row);
            let told = ledger.get(&row.sku).copied().unwrap_or_default();
            assert_eq!(now, told, "stock row and ledger of {}", row.sku);
            for (status, qty) in
                [("HELD", now.held), ("COMMITTED", now.committed), ("SHIPPED", now.shipped)]
            {
                let key = (row.sku.clone(), status.to_owned());
                let sum = held.get(&key).copied().unwrap_or(0);
                assert_eq!(qty, sum, "{status} units and holds of {}", row.sku);
            }
            for count in [now.available, now.held, now.committed, now.shipped] {
                assert!(count >= 0, "{} is negative: {now:?}", row.sku);
            }
        }
    }
}

/// What the ledger says each SKU's counts are. `released` comes from held as far as the order has
/// units held, else from committed.
async fn ledger(shop: &Shop) -> BTreeMap<String, Counts> {
    let entries = movements::Entity::find().order_by_asc(movements::Column::Id);
    let mut told = BTreeMap::<String, Counts>::new();
    let mut held = BTreeMap::<(String, Option<String>), i64>::new();
    for entry in entries.all(shop.conn()).await.unwrap() {
        let counts = told.entry(entry.sku.clone()).or_default();
        let own = held.entry((entry.sku, entry.order_id)).or_default();
        match entry.kind.as_str() {
            "received" | "adjusted" => counts.available += entry.qty,
            "held" => {
                counts.available -= entry.qty;
                counts.held += entry.qty;
                *own += entry.qty;
            }
            "committed" => {
                counts.held -= entry.qty;
                counts.committed += entry.qty;
                *own -= entry.qty;
            }
            "released" => {
                let from_held = entry.qty.min(*own);
                *own -= from_held;
                counts.held -= from_held;
                counts.committed -= entry.qty - from_held;
                counts.available += entry.qty;
            }
            "shipped" => {
                counts.committed -= entry.qty;
                counts.shipped += entry.qty;
            }
            other => panic!("unexpected ledger entry {other}"),
        }
    }
    told
}

async fn holds_by_status(shop: &Shop) -> BTreeMap<(String, String), i64> {
    let conn = shop.conn();
    let status: BTreeMap<String, String> = reservations::Entity::find()
        .all(conn)
        .await
        .unwrap()
        .into_iter()
        .map(|row| (row.order_id, row.status))
        .collect();
    let mut sums = BTreeMap::new();
    for hold in holds::Entity::find().all(conn).await.unwrap() {
        *sums.entry((hold.sku, status[&hold.order_id].clone())).or_default() += hold.qty;
    }
    sums
}
