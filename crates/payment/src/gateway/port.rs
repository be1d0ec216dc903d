//! What payment asks of a card processor.

use std::fmt::Debug;

use async_trait::async_trait;

pub use crate::domain::Outcome as Verdict;

/// Money to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureOrder {
    /// Names the movement; the same key is the same movement.
    pub idempotency_key: String,
    /// What it pays for.
    pub order_id: String,
    /// Who pays.
    pub customer_id: String,
    /// In the currency's minor unit.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// How to pay.
    pub method: String,
}

/// Money to be given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundOrder {
    /// Names the movement; the same key is the same movement.
    pub idempotency_key: String,
    /// The order whose money it is.
    pub order_id: String,
    /// In the currency's minor unit.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
}

/// The call ended without an answer: the money may or may not have moved. Ask again, same key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("outcome unknown: {0}")]
pub struct Unknown(pub String);

/// A card processor.
#[async_trait]
pub trait Gateway: Debug + Send + Sync {
    /// Takes money.
    ///
    /// # Errors
    /// [`Unknown`] when there is no answer. A decline is an answer.
    async fn capture(&self, order: CaptureOrder) -> Result<Verdict, Unknown>;

    /// Gives money back.
    ///
    /// # Errors
    /// [`Unknown`] when there is no answer. A refusal is an answer.
    async fn refund(&self, order: RefundOrder) -> Result<Verdict, Unknown>;

    /// Whether the gateway answers at all.
    ///
    /// # Errors
    /// [`Unknown`] when it does not.
    async fn ping(&self) -> Result<(), Unknown>;
}
