//! A batch of events as one transaction.

use std::collections::BTreeSet;

use async_trait::async_trait;
use oms_messaging::{Event, Failure, Intervention, Outcome, Reactor, Router, Tx};
use serde::Deserialize;

use super::ears;
use crate::{
    announce,
    store::{Policy, Session},
};

/// Inventory as messaging's consumer sees it.
#[derive(Debug)]
pub struct InventoryReactor {
    ears: Router<Session>,
    policy: Policy,
}

impl InventoryReactor {
    /// Reacts by this policy.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { ears: ears(), policy }
    }
}

#[async_trait]
impl Reactor for InventoryReactor {
    type Session = Session;

    fn hears(&self, event_type: &str) -> bool {
        self.ears.hears(event_type)
    }

    async fn load(&self, tx: &mut Tx, events: &[&Event]) -> Result<Session, Failure> {
        let orders = events.iter().map(|event| event.subject.clone()).collect();
        let skus = events.iter().flat_map(|event| skus(event)).collect();
        Session::load(tx, self.policy, orders, skus).await
    }

    fn react(&self, session: &mut Session, event: &Event) -> Result<Outcome, Failure> {
        self.ears.react(session, event)
    }

    async fn save(&self, tx: &mut Tx, session: Session) -> Result<(), Failure> {
        session.save(tx).await
    }

    async fn intervened(&self, tx: &mut Tx, what: &Intervention) -> Result<(), Failure> {
        tx.announce(announce::intervened(what)?)?;
        Ok(())
    }
}

/// The SKUs an event names. Data that does not fit names none here and is refused by its reaction.
fn skus(event: &Event) -> BTreeSet<String> {
    #[derive(Deserialize)]
    struct Named {
        sku: String,
    }
    #[derive(Deserialize)]
    struct Lines {
        #[serde(default)]
        lines: Vec<Named>,
        #[serde(default)]
        settled_lines: Vec<Named>,
    }
    let Ok(Lines { lines, settled_lines }) = event.data::<Lines>() else { return BTreeSet::new() };
    lines.into_iter().chain(settled_lines).map(|line| line.sku).collect()
}
