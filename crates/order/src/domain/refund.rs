//! Refunds of an order, as this service knows them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Money;

/// How far a refund has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundState {
    /// Asked for; payment has not answered.
    Open,
    /// The money went back.
    Succeeded,
    /// It did not.
    Failed,
}

impl RefundState {
    /// Its word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Succeeded, Self::Failed].into_iter().find(|s| s.as_str() == word)
    }
}

/// What a refund id says about who wanted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundName {
    /// A call of RefundOrder.
    Asked(Uuid),
    /// Payment's own, at the cancellation: `cancel:<order>`.
    Cancel,
    /// The decrease of an amendment: `amend:<order>:<revision>`.
    Amend(i32),
}

impl RefundName {
    /// Reads the refund id of an order's fact; `None` for what nobody could have asked for.
    #[must_use]
    pub fn parse(text: &str, order: Uuid) -> Option<Self> {
        let order = order.to_string();
        match text.split_once(':') {
            None => Uuid::try_parse(text).ok().map(Self::Asked),
            Some(("cancel", of)) => (of == order).then_some(Self::Cancel),
            Some(("amend", rest)) => {
                let (of, revision) = rest.split_once(':')?;
                let revision = revision.parse().ok().filter(|revision| *revision > 1)?;
                (of == order).then_some(Self::Amend(revision))
            }
            Some(_) => None,
        }
    }
}

/// The name of an amendment, and of the refund that gives back what it costs less.
#[must_use]
pub fn amendment_name(order: Uuid, revision: i32) -> String {
    format!("amend:{order}:{revision}")
}

/// A refund this service asked for, or the one payment made at the cancellation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Its id in events: a GUID, or `cancel:<order>`.
    pub id: String,
    /// How much.
    pub amount: Money,
    /// How far it has come.
    pub state: RefundState,
    /// The customer's words; may be empty.
    pub reason: String,
    /// Why it failed; empty unless it did.
    pub code: String,
    /// When it was asked for, or first heard of.
    pub asked_at: DateTime<Utc>,
    /// When its outcome was heard.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Refund {
    /// Whether a call of RefundOrder wanted it (compensations do not count as such).
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        !self.id.contains(':')
    }
}
