//! Books goods in; a new SKU begins here.

use oms_messaging::Messaging;

use super::{
    CommandError, Keyed, Reply,
    change::{NewSku, change},
};
use crate::store::entities::stock::Model;

/// Goods came in. The request has been checked against [`crate::limits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiveStock {
    /// The SKU, known or new.
    pub sku: String,
    /// Units, greater than zero.
    pub qty: i64,
    /// For the ledger.
    pub note: String,
}

impl ReceiveStock {
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
        let Self { sku, qty, note } = &self;
        let verb = |shelf: &mut crate::domain::Shelf| shelf.receive(sku, *qty, note);
        change(messaging, keyed, sku, NewSku::Begins, verb, encode).await
    }
}
