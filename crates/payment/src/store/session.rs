//! One transaction over payments: loaded once, changed in memory, saved with grouped statements.

use std::collections::BTreeMap;

use oms_messaging::{Announcement, Failure, Standing, Tx, sql::insert};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn,
    sea_query::OnConflict,
};

use super::{
    entities::{attempt, capture, payment, refund},
    rows::{self, micros},
};
use crate::{
    announce::announcement,
    domain::{Effect, Payment, Refused, Said, Snapshot},
};

/// A call to the gateway, for the ledger.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The order.
    pub order_id: String,
    /// The key asked with.
    pub idempotency_key: String,
    /// `approved`, `declined` or `unknown`.
    pub outcome: &'static str,
    /// The gateway's code, or why the outcome is unknown.
    pub detail: String,
}

/// What a saved session amounts to; act on it only after the commit.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// What was said, with the order it was said about, in order.
    pub said: Vec<(String, Said)>,
    /// Whether a movement fell due, so that the worker has something to do.
    pub fell_due: bool,
}

/// The payments of one transaction's orders, whose streams the transaction has locked.
#[derive(Debug)]
pub struct Session {
    entries: BTreeMap<String, Entry>,
    outgoing: Vec<Announcement>,
    said: Vec<(String, Said)>,
    attempts: Vec<Attempt>,
    now: chrono::DateTime<chrono::Utc>,
}

#[derive(Debug)]
struct Entry {
    loaded: Option<Snapshot>,
    payment: Payment,
}

impl Session {
    /// Loads the payments of these orders; those never heard of start empty and are written only
    /// once something changes.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn load(tx: &Tx, orders: impl IntoIterator<Item = String>) -> Result<Self, Failure> {
        let mut orders: Vec<String> = orders.into_iter().collect();
        orders.sort_unstable();
        orders.dedup();
        let mut found = rows::snapshots(tx.conn(), &orders).await?;
        let entries = orders.into_iter().map(|order| {
            let loaded = found.remove(&order);
            let snapshot = loaded.clone().unwrap_or_else(|| Snapshot::new(&order, tx.now()));
            (order, Entry { loaded, payment: Payment::restore(snapshot) })
        });
        Ok(Self {
            entries: entries.collect(),
            outgoing: Vec::new(),
            said: Vec::new(),
            attempts: Vec::new(),
            now: tx.now(),
        })
    }

    /// The transaction's instant.
    #[must_use]
    pub fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.now
    }

    /// Changes one payment and announces what has become true by it.
    ///
    /// # Errors
    /// Poison when the domain refuses the fact; unclassified when the order was not loaded.
    pub fn change(
        &mut self,
        order_id: &str,
        verb: impl FnOnce(&mut Payment) -> Result<Effect, Refused>,
    ) -> Result<Effect, Failure> {
        let entry = self.entries.get_mut(order_id).ok_or_else(|| {
            Failure::Unclassified(format!("the payment of order {order_id} is not loaded"))
        })?;
        let effect = verb(&mut entry.payment)
            .map_err(|refused| Failure::poison(refused.code(), refused.to_string()))?;
        let currency = entry.payment.currency.clone();
        for said in entry.payment.take_said() {
            self.outgoing.push(announcement(order_id, &currency, &said)?);
            self.said.push((order_id.to_owned(), said));
        }
        Ok(effect)
    }

    /// Adds a call to the gateway to the ledger.
    pub fn note_attempt(&mut self, attempt: Attempt) {
        self.attempts.push(attempt);
    }

    /// Writes what changed and hands announcements and standings to the transaction.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn save(self, tx: &mut Tx) -> Result<Saved, Failure> {
        let mut changed = Changed::default();
        for entry in self.entries.values() {
            changed.add(entry)?;
        }
        let fell_due = changed.fell_due;
        let attempts = self.attempts.into_iter().map(|call| attempt_row(tx, call)).collect();
        upsert::<payment::Entity>(tx.conn(), changed.payments).await?;
        upsert::<capture::Entity>(tx.conn(), changed.captures).await?;
        upsert::<refund::Entity>(tx.conn(), changed.refunds).await?;
        upsert::<attempt::Entity>(tx.conn(), attempts).await?;
        for said in self.outgoing {
            tx.announce(said)?;
        }
        for (order, entry) in &self.entries {
            tx.set_standing(order, standing(&entry.payment))?;
        }
        Ok(Saved { said: self.said, fell_due })
    }
}

/// Where the order's stream stands in payment (rule 10). Waiting when a revision was answered and
/// neither `confirmed` of that or a later one nor `canceled` has been heard.
fn standing(payment: &Payment) -> Standing {
    if payment.waits() {
        Standing::Waiting
    } else if payment.has_ended() {
        Standing::Ended
    } else {
        Standing::Resting
    }
}

#[derive(Default)]
struct Changed {
    payments: Vec<payment::ActiveModel>,
    captures: Vec<capture::ActiveModel>,
    refunds: Vec<refund::ActiveModel>,
    fell_due: bool,
}

impl Changed {
    /// Adds the rows of a payment that differ from what was loaded.
    fn add(&mut self, entry: &Entry) -> Result<(), Failure> {
        let (before, now): (_, &Snapshot) = (entry.loaded.as_ref(), &entry.payment);
        let pristine = Snapshot::new(&now.order_id, now.created_at);
        if before.unwrap_or(&pristine) == now {
            return Ok(());
        }
        self.payments.push(rows::to_payment(now)?);
        for (revision, capture) in &now.captures {
            if before.and_then(|before| before.captures.get(revision)) != Some(capture) {
                self.fell_due |= capture.progress.is_open();
                self.captures.push(rows::to_capture(&now.order_id, capture)?);
            }
        }
        for (id, refund) in &now.refunds {
            if before.and_then(|before| before.refunds.get(id)) != Some(refund) {
                self.fell_due |= refund.progress.is_open();
                self.refunds.push(rows::to_refund(&now.order_id, refund)?);
            }
        }
        Ok(())
    }
}

fn attempt_row(tx: &Tx, call: Attempt) -> attempt::ActiveModel {
    use sea_orm::ActiveValue::Set;
    attempt::ActiveModel {
        id: Set(tx.next_id().to_string()),
        order_id: Set(call.order_id),
        idempotency_key: Set(call.idempotency_key),
        outcome: Set(call.outcome.to_owned()),
        detail: Set(call.detail),
        at: Set(micros(tx.now())),
    }
}

/// Writes rows, new or changed, with as few statements as possible.
async fn upsert<E: EntityTrait>(
    conn: &impl ConnectionTrait,
    rows: Vec<E::ActiveModel>,
) -> Result<(), Failure>
where
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    let keys: Vec<E::Column> = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
    let is_key = |column: &E::Column| keys.iter().any(|key| key.as_str() == column.as_str());
    let others = E::Column::iter().filter(|column| !is_key(column));
    let replace = OnConflict::columns(keys.clone()).update_columns(others).to_owned();
    insert(conn, rows, Some(replace)).await?;
    Ok(())
}
