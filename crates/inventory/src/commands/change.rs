//! One change of one SKU's stock: key, stock, ledger and answer in one transaction.

use std::collections::BTreeSet;

use oms_messaging::{Failure, Messaging};
use oms_service::idempotency::{self, Answer, Claim};

use super::{CommandError, Keyed};
use crate::{
    domain::{Counts, Shelf, StockRefused},
    store::{entities::stock::Model, stock},
};

/// What a command answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The stock after the change.
    Changed(Model),
    /// The encoded answer that the same idempotency key got before; nothing was done now.
    Replayed(Vec<u8>),
}

/// Whether a SKU that has no row yet begins with this change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NewSku {
    Begins,
    Refused,
}

/// Changes the stock of `sku` by `verb` unless the key was answered before. `encode` writes the
/// answer that the key is to remember.
#[tracing::instrument(
    level = "debug",
    name = "command",
    skip_all,
    fields(otel.name = "ChangeStock", oms.service = "inventory", oms.sku = sku)
)]
pub(super) async fn change(
    messaging: &Messaging,
    keyed: Option<&Keyed>,
    sku: &str,
    new_sku: NewSku,
    verb: impl FnOnce(&mut Shelf) -> Result<Counts, StockRefused>,
    encode: impl FnOnce(&Model) -> Vec<u8>,
) -> Result<Reply, CommandError> {
    let tx = messaging.begin().await?;
    if let Some(keyed) = keyed {
        match keyed.claim(&tx).await? {
            Claim::New => {}
            Claim::Replay(Answer::Ok(bytes)) => return Ok(Reply::Replayed(bytes)),
            Claim::Replay(Answer::Refused { message, .. }) => {
                // Inventory remembers no refusals: a refused command did nothing.
                return Err(Failure::Unclassified(format!("remembered refusal: {message}")).into());
            }
            Claim::Running => return Err(CommandError::KeyRunning),
            Claim::Conflict => return Err(CommandError::KeyConflict),
        }
    }
    let now = tx.now().timestamp_micros();
    if new_sku == NewSku::Begins {
        stock::ensure(tx.conn(), sku, now).await?;
    }
    let mut shelf = stock::lock(tx.conn(), BTreeSet::from([sku.to_owned()])).await?;
    let after = verb(&mut shelf)?;
    stock::save(tx.conn(), &shelf, now).await.map_err(Failure::from)?;
    let row = Model {
        sku: sku.to_owned(),
        available: after.available,
        held: after.held,
        committed: after.committed,
        shipped: after.shipped,
        updated_at: now,
    };
    if let Some(Keyed { key, .. }) = keyed {
        idempotency::remember(tx.conn(), key, &Answer::Ok(encode(&row)), tx.now()).await?;
    }
    let faults = &messaging.seams().faults;
    faults.hit("command.before_commit").await;
    tx.commit().await?;
    faults.hit("command.after_commit").await;
    Ok(Reply::Changed(row))
}
