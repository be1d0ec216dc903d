//! Corrects a count, never below zero available.

use oms_messaging::Messaging;

use super::{
    CommandError, Keyed, Reply,
    change::{NewSku, change},
};
use crate::store::entities::stock::Model;

/// A count was wrong. The request has been checked against [`crate::limits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustStock {
    /// The SKU, known.
    pub sku: String,
    /// Units, not zero.
    pub delta: i64,
    /// For the ledger.
    pub reason: String,
}

impl AdjustStock {
    /// Runs the command; `encode` writes the answer that the key is to remember.
    ///
    /// # Errors
    /// [`CommandError`]; nothing was done then.
    pub async fn run(
        self,
        messaging: &Messaging,
        keyed: Option<&Keyed>,
        encode: impl FnOnce(&Model) -> Vec<u8>,
    ) -> Result<Reply, CommandError> {
        let Self { sku, delta, reason } = &self;
        let verb = |shelf: &mut crate::domain::Shelf| shelf.adjust(sku, *delta, reason);
        change(messaging, keyed, sku, NewSku::Refused, verb, encode).await
    }
}
