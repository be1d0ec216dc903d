//! Where an order stands, for operators: what this service waits for, and from whom.

use async_trait::async_trait;
use oms_admin::{Owed, Standing, Teller};
use oms_messaging::Failure;
use sea_orm::DatabaseConnection;

use crate::{
    domain::{Order, Run, RunKind, Status},
    store::load_orders,
};

/// Tells of this service's orders.
#[derive(Clone, Debug)]
pub(crate) struct OrderTeller {
    read: DatabaseConnection,
}

impl OrderTeller {
    pub(crate) fn new(read: DatabaseConnection) -> Self {
        Self { read }
    }
}

#[async_trait]
impl Teller for OrderTeller {
    async fn standing(&self, order_id: &str) -> Result<Option<Standing>, Failure> {
        let mut found = load_orders(&self.read, &[order_id.to_owned()]).await?;
        Ok(found
            .remove(order_id)
            .map(|order| Standing { words: words(&order), owed: owed(&order) }))
    }
}

fn words(order: &Order) -> String {
    let run = match order.run_kind() {
        RunKind::Idle if order.is_settled() => "settled",
        RunKind::Idle if order.is_waiting() => "what belonged to it is being given back",
        RunKind::Idle => "no run is open",
        RunKind::Pay => "a pay run is open",
        RunKind::Amend => "a change is being paid for",
        RunKind::Refund => "a refund is being made",
    };
    format!("{}, {run}", order.status())
}

fn owed(order: &Order) -> Vec<Owed> {
    let mut owed: Vec<Owed> = order.run().map(|run| of_run(order, run)).into_iter().collect();
    let (state, since) = (order.state(), order.updated_at());
    let settling = order.status() == Status::Canceled && order.revision() > 0;
    let giving_back = order.status() == Status::Refunded && state.release_asked;
    if (settling || giving_back) && !state.released {
        owed.push(Owed::new("released", "inventory", since));
    }
    if settling && !state.closed {
        owed.push(Owed::new("closed", "payment", since));
    }
    if order.has_shipped() && !state.dispatched {
        owed.push(Owed::new("dispatched", "inventory", since));
    }
    owed
}

fn of_run(order: &Order, run: &Run) -> Owed {
    let began = run.started_at();
    match run {
        Run::Pay { deadline, .. } => {
            let (word, by, since) = if order.status() == Status::Reserved {
                ("captured or declined", "payment", order.updated_at().max(began))
            } else {
                ("reserved or rejected", "inventory", began)
            };
            Owed { deadline: Some(*deadline), ..Owed::new(word, by, since) }
        }
        // Inventory's word may have come; payment's ends it either way.
        Run::Amend { .. } => Owed::new("captured, declined or refunded", "payment", began),
        Run::Refund { .. } => Owed::new("refunded or refund_failed", "payment", began),
    }
}
