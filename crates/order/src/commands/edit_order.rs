//! EditOrder: another line, one less, another quantity, or other lines altogether. Once the order
//! is CONFIRMED each is an amendment, and the call waits for the outcome.

use chrono::{DateTime, Utc};
use oms_messaging::{Failure, Tx};
use oms_service::idempotency::{self, Answer};
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::{
    CommandError, Context, Keyed, Patience, Reply, WantedLine,
    context::cause,
    run_call::{Begun, Wish, run_call},
};
use crate::{
    domain::{
        Amendment, Currency, Edit, Editing, Line, Order, Placed, RefundName, Refusal, Terms,
        amendment_name,
    },
    store::amendment_end,
};

/// What to change, for whoever pays for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditOrder {
    /// What to change.
    pub change: Change,
    /// How to pay what it costs more, one of [`super::PAYMENT_METHODS`]; as the order was paid when
    /// absent.
    pub method: Option<String>,
    /// Refuse unless the order is as expected.
    pub expected: Expected,
}

/// What is ordered from now on. Checked by whoever calls; the domain checks once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// One more line, of a product that is not on the order yet.
    Add(WantedLine),
    /// One line less; never the last one.
    Remove {
        /// The line's id.
        line: Uuid,
    },
    /// Another quantity of one line.
    SetQuantity {
        /// The line's id.
        line: Uuid,
        /// Units.
        qty: i32,
    },
    /// Exactly these lines, in order.
    Replace {
        /// Who orders, if that changes: only while the order is PENDING and no run was begun.
        customer_id: Option<String>,
        /// Of all prices, if that changes: only while the order is PENDING and no run was begun.
        currency: Option<Currency>,
        /// All lines; what is not among them is removed.
        lines: Vec<PlacedLine>,
    },
}

/// A line of [`Change::Replace`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedLine {
    /// The line of the order that it changes; a new one when absent.
    pub id: Option<Uuid>,
    /// As it is to be.
    pub line: WantedLine,
}

/// How a caller expects an order to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Of this version.
    pub version: Option<i32>,
    /// Last updated at this instant.
    pub updated_at: Option<DateTime<Utc>>,
}

/// The order as the change left it.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The order.
    pub order: Order,
}

/// How the answer of an amendment is written for the idempotency keys that wait for its end,
/// whichever call came with them.
pub type RememberEdit = fn(Result<Edited, Refusal>) -> Answer;

/// Within the transaction that ended an amendment: gives its answer to the idempotency keys that
/// wait for it.
///
/// # Errors
/// Any failure of the store.
pub async fn answer_amendment(
    conn: &DatabaseTransaction,
    order: &Order,
    ended: &Amendment,
    remember: RememberEdit,
) -> Result<(), Failure> {
    let outcome = ended.end.told().map(|()| Edited { order: order.clone() });
    idempotency::settle(conn, &ended.name(), &remember(outcome), ended.at).await?;
    Ok(())
}

/// Changes what is ordered. A PENDING order that no run was begun for is changed at once; for a
/// CONFIRMED one an amend run begins, and the call waits for its outcome as long as `patience`
/// lasts. While another run is open it waits for its end first. When the caller has gone nobody
/// wants the outcome any more: what has not begun then never begins, what has goes on without this
/// call.
///
/// # Errors
/// [`CommandError::NotFound`]; [`CommandError::Refused`] with what is wrong with the change, with
/// [`Refusal::NotEditable`] when it is too late, with [`Refusal::Busy`] when the other run did not
/// end in time or the caller has gone, with [`Refusal::InventoryUnavailable`],
/// [`Refusal::PaymentDeclined`], [`Refusal::RefundFailed`] or [`Refusal::AmendmentCanceled`] when
/// the amendment began and the order stayed as it was; [`CommandError::StillAmending`] when it
/// began and did not end in time; [`CommandError::KeyConflict`], [`CommandError::KeyRunning`],
/// [`CommandError::TooManyWaiting`], and failures of the store.
#[tracing::instrument(
    level = "debug",
    name = "command",
    skip_all,
    fields(otel.name = "EditOrder", oms.service = "order", oms.order_id = order_id)
)]
pub async fn edit_order(
    context: &Context,
    order_id: String,
    wish: EditOrder,
    keyed: Option<Keyed<Edited>>,
    patience: Patience,
) -> Result<Reply<Edited>, CommandError> {
    run_call(context, order_id, wish, keyed, patience).await
}

impl Wish for EditOrder {
    type Done = Edited;

    fn begin(&self, order: &mut Order, tx: &Tx) -> Result<Begun<Edited>, Refusal> {
        order.expect_version(self.expected.version)?;
        order.expect_updated_at(self.expected.updated_at)?;
        let terms = Terms { saga_id: tx.next_id(), method: self.method.clone() };
        Ok(match order.edit(self.change.edit(tx), terms, &cause(tx))? {
            Editing::Amending(revision) => Begun::Run(amendment_name(order.id(), revision)),
            Editing::Done | Editing::Already => Begun::Done(Edited { order: order.clone() }),
        })
    }

    async fn outcome(
        &self,
        conn: &DatabaseTransaction,
        order: &Order,
        run: &str,
    ) -> Result<Option<Result<Edited, Refusal>>, Failure> {
        let Some(RefundName::Amend(revision)) = RefundName::parse(run, order.id()) else {
            return Err(Failure::Unclassified(format!("{run} is the name of no amendment")));
        };
        let ended = amendment_end(conn, &order.id().to_string(), revision).await?;
        Ok(ended.map(|end| end.told().map(|()| Edited { order: order.clone() })))
    }

    fn still_running(&self) -> CommandError {
        CommandError::StillAmending
    }
}

impl Change {
    fn edit(&self, tx: &Tx) -> Edit {
        let line = |wanted: &WantedLine| {
            let WantedLine { sku, qty, price, name } = wanted.clone();
            Line { id: tx.next_id(), sku, qty, price, name, created_at: tx.now() }
        };
        match self {
            Self::Add(wanted) => Edit::Add(line(wanted)),
            Self::Remove { line } => Edit::Remove { line: *line },
            Self::SetQuantity { line, qty } => Edit::SetQuantity { line: *line, qty: *qty },
            Self::Replace { customer_id, currency, lines } => Edit::Replace {
                customer_id: customer_id.clone(),
                currency: *currency,
                lines: lines
                    .iter()
                    .map(|placed| Placed { changes: placed.id, line: line(&placed.line) })
                    .collect(),
            },
        }
    }
}
