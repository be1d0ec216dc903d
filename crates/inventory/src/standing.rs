//! Where an order's hold stands, for operators.

use async_trait::async_trait;
use oms_admin::{Owed, Standing, Teller};
use oms_messaging::Failure;
use sea_orm::DatabaseConnection;

use crate::{
    domain::{Reservation, Status},
    queries,
};

/// Tells of this service's holds.
#[derive(Clone, Debug)]
pub(crate) struct InventoryTeller {
    read: DatabaseConnection,
}

impl InventoryTeller {
    pub(crate) fn new(read: DatabaseConnection) -> Self {
        Self { read }
    }
}

#[async_trait]
impl Teller for InventoryTeller {
    async fn standing(&self, order_id: &str) -> Result<Option<Standing>, Failure> {
        let found = queries::reservation(&self.read, order_id).await?;
        Ok(found.and_then(|hold| standing(&hold)))
    }
}

fn standing(hold: &Reservation) -> Option<Standing> {
    let words = match hold.status()? {
        Status::Held => "its goods are held",
        Status::Committed => "its goods are committed",
        Status::Rejected => "its goods could not be held",
        Status::Released => "its goods went back",
        Status::Fenced => "cancelled before anything was held",
        Status::Shipped => "its goods have left",
    };
    let mut owed = Vec::new();
    if hold.waits() {
        let stored = hold.snapshot();
        let asked = stored.expired_at.is_some();
        owed.push(Owed {
            word: "confirmed or canceled",
            by: "order",
            since: None,
            deadline: stored.expires_at,
            detail: if asked { "order was asked".to_owned() } else { String::new() },
        });
    }
    Some(Standing { words: words.to_owned(), owed })
}
