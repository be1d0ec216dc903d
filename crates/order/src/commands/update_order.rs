//! UpdateOrder: other lines, and then another stage.

use oms_service::idempotency::Answer;
use sea_orm::ConnectionTrait;

use super::{
    CommandError, Context, Keyed, Patience, Reply,
    at_once::StatusNow,
    edit_order::{Change, EditOrder, Edited, edit_order},
    keyed::{self, Claimed, Part},
    move_order::{MoveOrder, move_order},
};
use crate::{
    domain::{Line, Order, Refusal, Stage},
    store::load_orders,
};

/// What an order is to be, and where it is to stand then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateOrder {
    /// What is ordered from now on.
    pub edit: EditOrder,
    /// Where to take it.
    pub to: Stage,
}

/// Edits an order, then moves it. That the move is allowed is looked at before anything is done; in
/// Processing an edit is a run of its own, so that there it comes alone.
///
/// Two commands under one key: each remembers its own answer in a scope of its own, and the key
/// remembers the whole. It is claimed with the first effect, so that it stands for this request
/// from then on, and a repeated call goes on where the first was cut off.
///
/// # Errors
/// Those of [`edit_order`] and [`move_order`], and [`Refusal::EditWithStage`]. When the move fails
/// the edit stays.
#[tracing::instrument(
    level = "debug",
    name = "command",
    skip_all,
    fields(otel.name = "UpdateOrder", oms.service = "order", oms.order_id = order_id)
)]
pub async fn update_order(
    context: &Context,
    order_id: String,
    wish: UpdateOrder,
    keyed: Option<Keyed<Edited>>,
    patience: Patience,
) -> Result<Reply<Edited>, CommandError> {
    let _turn = context.key_turn(keyed.as_ref(), &patience).await?;
    let begun = match keyed::look_up(&context.read, keyed.as_ref()).await? {
        Some(Claimed::Answered(answer)) => return Ok(context.replay(answer)),
        known => known.is_some(),
    };
    let call = Call { context, order_id, wish, keyed, patience };
    if let Some(refused) = call.edit(begun).await? {
        return Ok(refused);
    }
    match call.go_on().await? {
        Some(refused) => Ok(refused),
        None => call.answer().await,
    }
}

/// One call on its way.
struct Call<'a> {
    context: &'a Context,
    order_id: String,
    wish: UpdateOrder,
    keyed: Option<Keyed<Edited>>,
    patience: Patience,
}

impl Call<'_> {
    /// Edits, unless nothing changes. Gives the refusal that an equal call was given, if it was.
    async fn edit(&self, begun: bool) -> Result<Option<Reply<Edited>>, CommandError> {
        let keyed = self.keyed.as_ref().map(|keyed| keyed.part(Part::Edit, keyed.encode));
        let known = keyed::look_up(&self.context.read, keyed.as_ref()).await?.is_some();
        // A call that began with the move had nothing to edit; the order is no longer as it was
        // then.
        if !known && (begun || !self.has_to_edit().await?) {
            return Ok(None);
        }
        let (order_id, edit) = (self.order_id.clone(), self.wish.edit.clone());
        let edited = edit_order(self.context, order_id, edit, keyed, self.patience.clone()).await?;
        Ok(refused(edited))
    }

    /// Whether there is something to edit, and everything that is wanted is allowed.
    async fn has_to_edit(&self) -> Result<bool, CommandError> {
        let order = self.order(&self.context.read).await?;
        let UpdateOrder { edit, to } = &self.wish;
        order.expect_updated_at(edit.expected.updated_at)?;
        let (from, edits) = (order.stage(), changes(&order, &edit.change));
        if from == *to {
            // While a run is open this order is about to become another one: the edit waits.
            return Ok(edits || matches!(from, Stage::Pending | Stage::Processing));
        }
        if !order.next_stages().contains(to) {
            return Err(order.cannot_become(*to).into());
        }
        if edits && from == Stage::Processing {
            return Err(Refusal::EditWithStage(*to).into());
        }
        Ok(edits)
    }

    async fn go_on(&self) -> Result<Option<Reply<Edited>>, CommandError> {
        let to = self.wish.to;
        // Only that it was done is asked for.
        let done: fn(&StatusNow) -> Vec<u8> = |_| Vec::new();
        let keyed = self.keyed.as_ref().map(|keyed| keyed.part(Part::Move, done));
        // What an equal call has begun is waited for.
        let known = keyed::look_up(&self.context.read, keyed.as_ref()).await?.is_some();
        if !known && self.order(&self.context.read).await?.stage() == to {
            return Ok(None);
        }
        let (order_id, method) = (self.order_id.clone(), self.wish.edit.method.clone());
        let wish = MoveOrder { to, method };
        let moved = move_order(self.context, order_id, wish, keyed, self.patience.clone()).await?;
        Ok(refused(moved))
    }

    /// The order as it is now, remembered as the key's answer.
    async fn answer(&self) -> Result<Reply<Edited>, CommandError> {
        let keyed = self.keyed.as_ref();
        let mut tx = self.context.messaging.begin().await?;
        if let Claimed::Answered(answer) = keyed::claim(&tx, keyed).await? {
            return Ok(self.context.replay(answer));
        }
        tx.lock([self.order_id.clone()]).await?;
        // An equal call of another instance may have held the order until now.
        if let Some(Claimed::Answered(answer)) = keyed::look_up(tx.conn(), keyed).await? {
            return Ok(self.context.replay(answer));
        }
        let edited = Edited { order: self.order(tx.conn()).await? };
        keyed::remember(&tx, keyed, &edited).await?;
        tx.commit().await?;
        Ok(Reply::Fresh(edited))
    }

    async fn order(&self, conn: &impl ConnectionTrait) -> Result<Order, CommandError> {
        let mut found = load_orders(conn, std::slice::from_ref(&self.order_id)).await?;
        found.remove(&self.order_id).ok_or(CommandError::NotFound)
    }
}

/// A remembered refusal, whatever was refused with it.
fn refused<T, U>(reply: Reply<T>) -> Option<Reply<U>> {
    match reply {
        Reply::Remembered { answer: answer @ Answer::Refused { .. }, replayed } => {
            Some(Reply::Remembered { answer, replayed })
        }
        Reply::Remembered { .. } | Reply::Fresh(_) => None,
    }
}

/// Whether a change would leave the order otherwise than it is.
fn changes(order: &Order, change: &Change) -> bool {
    let Change::Replace { customer_id, currency, lines } = change else { return true };
    let same = |placed: &super::PlacedLine, line: &Line| {
        let wanted = &placed.line;
        placed.id == Some(line.id)
            && (&wanted.sku, wanted.qty, wanted.price, &wanted.name)
                == (&line.sku, line.qty, line.price, &line.name)
    };
    customer_id.as_ref().is_some_and(|customer| customer != order.customer_id())
        || currency.is_some_and(|currency| currency != order.currency())
        || lines.len() != order.lines().len()
        || !lines.iter().zip(order.lines()).all(|(placed, line)| same(placed, line))
}
