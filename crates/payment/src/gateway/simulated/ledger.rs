//! The gateway's log: one transaction decides about many movements, durably, before it answers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use oms_messaging::sql::{insert, one_of};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sea_query::{Expr, OnConflict},
};

use super::{
    decide::{REFUND_FAILS, decide},
    tables::{account, charge},
};
use crate::gateway::Verdict;

/// Which way money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From the customer.
    Capture,
    /// Back to the customer.
    Refund,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Refund => "refund",
        }
    }
}

/// A movement in the gateway's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The caller's key.
    pub idempotency_key: String,
    /// Which way.
    pub kind: Kind,
    /// The order.
    pub order_id: String,
    /// In minor units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// The one verdict.
    pub verdict: Verdict,
    /// How often it was asked for.
    pub asks: i64,
}

/// A movement asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub key: String,
    pub kind: Kind,
    pub order_id: String,
    pub customer_id: String,
    pub amount: i64,
    pub currency: String,
    pub method: String,
}

/// What the gateway holds of an order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account {
    pub captured: i64,
    pub refunded: i64,
    pub refuses_refunds: bool,
}

/// The answer to a movement asked for.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    pub verdict: Verdict,
    /// Whether this ask was the first under its key.
    pub first: bool,
}

/// Decides about all of them in one transaction, in order. Refusals to decide (a key used again for
/// another movement) are per movement.
pub(super) async fn settle(
    database: &DatabaseConnection,
    asked: &[Asked],
    now: DateTime<Utc>,
) -> Result<Vec<Result<Settled, String>>, DbErr> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let tx = database.begin_with_options(immediate).await?;
    let mut accounts = lock_accounts(&tx, asked).await?;
    let keys = asked.iter().map(|asked| asked.key.as_str());
    let keys = one_of(tx.get_database_backend(), charge::Column::IdempotencyKey, keys);
    let known = charge::Entity::find().filter(keys);
    let mut known: BTreeMap<String, charge::Model> =
        known.all(&tx).await?.into_iter().map(|row| (row.idempotency_key.clone(), row)).collect();
    let (mut fresh, mut repeated, mut settled) = (Vec::new(), BTreeMap::new(), Vec::new());
    for asked in asked {
        if let Some(row) = known.get(&asked.key) {
            let same = same_movement(row, asked);
            if same.is_ok() {
                *repeated.entry(asked.key.clone()).or_default() += 1;
            }
            settled.push(same.map(|()| Settled { verdict: verdict(row), first: false }));
            continue;
        }
        let account = accounts.entry(asked.order_id.clone()).or_default();
        let verdict = decide(asked, account);
        if verdict == Verdict::Approved {
            move_money(account, asked);
        }
        let row = charge_row(asked, &verdict, now);
        fresh.push(row.clone().into_active_model().reset_all());
        known.insert(asked.key.clone(), row);
        settled.push(Ok(Settled { verdict, first: true }));
    }
    write(&tx, fresh, repeated, accounts).await?;
    tx.commit().await?;
    Ok(settled)
}

/// Locks the accounts of the orders concerned in sorted order, so that two processes never decide
/// about one order at once.
async fn lock_accounts(
    tx: &DatabaseTransaction,
    asked: &[Asked],
) -> Result<BTreeMap<String, Account>, DbErr> {
    let mut orders: Vec<&str> = asked.iter().map(|asked| asked.order_id.as_str()).collect();
    orders.sort_unstable();
    orders.dedup();
    let empty = orders.iter().map(|order| account_row(order, &Account::default())).collect();
    let keep = OnConflict::column(account::Column::OrderId).do_nothing().to_owned();
    insert(tx, empty, Some(keep)).await?;
    let backend = tx.get_database_backend();
    let mut select = account::Entity::find()
        .filter(one_of(backend, account::Column::OrderId, orders))
        .order_by_asc(account::Column::OrderId);
    if backend == DatabaseBackend::Postgres {
        select = select.lock_exclusive();
    }
    let held = select.all(tx).await?.into_iter().map(|row| {
        let account = Account {
            captured: row.captured,
            refunded: row.refunded,
            refuses_refunds: row.refuses_refunds,
        };
        (row.order_id, account)
    });
    Ok(held.collect())
}

fn move_money(account: &mut Account, asked: &Asked) {
    match asked.kind {
        Kind::Capture => {
            account.captured += asked.amount;
            account.refuses_refunds |= asked.method == REFUND_FAILS;
        }
        Kind::Refund => account.refunded += asked.amount,
    }
}

async fn write(
    tx: &DatabaseTransaction,
    fresh: Vec<charge::ActiveModel>,
    repeated: BTreeMap<String, i64>,
    accounts: BTreeMap<String, Account>,
) -> Result<(), DbErr> {
    if !fresh.is_empty() {
        insert(tx, fresh, None).await?;
        let replace = OnConflict::column(account::Column::OrderId)
            .update_columns([
                account::Column::Captured,
                account::Column::Refunded,
                account::Column::RefusesRefunds,
            ])
            .to_owned();
        let accounts = accounts.iter().map(|(order, held)| account_row(order, held)).collect();
        insert(tx, accounts, Some(replace)).await?;
    }
    for (key, times) in repeated {
        charge::Entity::update_many()
            .col_expr(charge::Column::Asks, Expr::col(charge::Column::Asks).add(times))
            .filter(charge::Column::IdempotencyKey.eq(key))
            .exec(tx)
            .await?;
    }
    Ok(())
}

fn account_row(order: &str, held: &Account) -> account::ActiveModel {
    account::ActiveModel {
        order_id: Set(order.to_owned()),
        captured: Set(held.captured),
        refunded: Set(held.refunded),
        refuses_refunds: Set(held.refuses_refunds),
    }
}

fn charge_row(asked: &Asked, verdict: &Verdict, now: DateTime<Utc>) -> charge::Model {
    let (code, reason) = match verdict {
        Verdict::Approved => (String::new(), String::new()),
        Verdict::Declined { code, reason } => (code.clone(), reason.clone()),
    };
    charge::Model {
        idempotency_key: asked.key.clone(),
        kind: asked.kind.name().to_owned(),
        order_id: asked.order_id.clone(),
        customer_id: asked.customer_id.clone(),
        method: asked.method.clone(),
        amount: asked.amount,
        currency: asked.currency.clone(),
        approved: *verdict == Verdict::Approved,
        code,
        reason,
        asks: 1,
        decided_at: now.timestamp_micros(),
    }
}

fn verdict(row: &charge::Model) -> Verdict {
    if row.approved {
        return Verdict::Approved;
    }
    Verdict::Declined { code: row.code.clone(), reason: row.reason.clone() }
}

fn same_movement(row: &charge::Model, asked: &Asked) -> Result<(), String> {
    let same = row.kind == asked.kind.name()
        && row.order_id == asked.order_id
        && row.amount == asked.amount
        && row.currency == asked.currency;
    same.then_some(()).ok_or_else(|| format!("{} names another movement", asked.key))
}

/// The verdict under that key, if there is one.
pub(super) async fn is_known(database: &DatabaseConnection, key: &str) -> Result<bool, DbErr> {
    Ok(charge::Entity::find_by_id(key.to_owned()).one(database).await?.is_some())
}

/// Every movement of an order, oldest first.
pub(super) async fn charges(
    database: &DatabaseConnection,
    order_id: &str,
) -> Result<Vec<Charge>, DbErr> {
    let rows = charge::Entity::find()
        .filter(charge::Column::OrderId.eq(order_id))
        .order_by_asc(charge::Column::DecidedAt)
        .order_by_asc(charge::Column::IdempotencyKey)
        .all(database)
        .await?;
    let charges = rows.into_iter().map(|row| Charge {
        verdict: verdict(&row),
        kind: if row.kind == Kind::Refund.name() { Kind::Refund } else { Kind::Capture },
        idempotency_key: row.idempotency_key,
        order_id: row.order_id,
        amount_minor: row.amount,
        currency: row.currency,
        asks: row.asks,
    });
    Ok(charges.collect())
}
