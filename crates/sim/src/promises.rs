//! What customers were told, and whether it stays true (I7).

use std::collections::{BTreeMap, BTreeSet};

use oms_order::domain::Status;
use oms_service::idempotency::Answer;
use oms_testkit::invariants::Databases;
use sea_orm::{ConnectionTrait, Statement};

use crate::{
    calls::Told,
    customers::{Call, Customer, Verb},
};

/// What customers were told.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    created: BTreeSet<String>,
    orders: BTreeMap<String, String>,
    answers: BTreeMap<String, Answer>,
}

impl Promises {
    /// Remembers an answer. Returns how it contradicts earlier ones.
    pub(crate) fn keep(
        &mut self,
        customer: &mut Customer,
        call: &Call,
        told: &Told,
    ) -> Vec<String> {
        let mut broken = Vec::new();
        if let (Verb::Create, Some(order)) = (&call.verb, &told.order) {
            self.created.insert(order.clone());
            customer.order.get_or_insert_with(|| order.clone());
            if let Some(key) = &call.key {
                let first = self.orders.entry(key.clone()).or_insert_with(|| order.clone());
                if first != order {
                    broken.push(format!("I7 {key} named order {first} and now {order}"));
                }
            }
        }
        if let (Some(key), Some(answer)) = (&call.key, &told.remembered) {
            let first = self.answers.entry(key.clone()).or_insert_with(|| answer.clone());
            if first != answer {
                broken.push(format!("I7 {key} was answered {first:?} and now {answer:?}"));
            }
        }
        customer.told_canceled |= told.status == Some(Status::Canceled);
        customer.told_shipped |= matches!(told.status, Some(Status::Shipped | Status::Completed));
        broken
    }

    /// What of it is not so in the databases.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub(crate) async fn broken(
        &self,
        databases: &Databases,
        customers: &[Customer],
    ) -> anyhow::Result<Vec<String>> {
        let sql = "SELECT id, status, reference FROM orders";
        let statement = Statement::from_string(databases.order.get_database_backend(), sql);
        let (mut statuses, mut by_key) = (BTreeMap::new(), BTreeMap::<String, Vec<String>>::new());
        for row in databases.order.query_all_raw(statement).await? {
            let (id, status): (String, String) =
                (row.try_get("", "id")?, row.try_get("", "status")?);
            let reference: String = row.try_get("", "reference")?;
            if !reference.is_empty() {
                by_key.entry(reference).or_default().push(id.clone());
            }
            statuses.insert(id, status);
        }
        let lost = self.created.iter().filter(|id| !statuses.contains_key(*id));
        let mut broken: Vec<String> =
            lost.map(|id| format!("I7 order {id} was acknowledged and is gone")).collect();
        let doubled = by_key.iter().filter(|(_, ids)| ids.len() > 1);
        broken.extend(doubled.map(|(key, ids)| format!("I7 {key} names several orders: {ids:?}")));
        for customer in customers {
            let status = customer.order.as_ref().and_then(|order| statuses.get(order));
            let is = |one: &str| status.is_some_and(|status| status == one);
            let number = customer.number;
            if customer.told_canceled && !is("canceled") {
                broken.push(format!("customer {number} was told CANCELED; it is {status:?}"));
            }
            if customer.told_shipped && !["shipped", "completed", "refunded"].into_iter().any(is) {
                broken.push(format!("customer {number} was told SHIPPED; it is {status:?}"));
            }
        }
        Ok(broken)
    }
}
