//! UpdateOrder: other lines, and then another stage.

use oms_service::idempotency::{self, Answer};

use super::{
    CommandError, Context, Keyed, Patience, Reply,
    at_once::StatusNow,
    edit_order::{Change, EditOrder, Edited, edit_order},
    keyed::{self, Claimed},
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
/// remembers the whole, so that a repeated call goes on where the first was cut off.
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
    if let Some(Claimed::Answered(answer)) = look_up(context, keyed.as_ref()).await? {
        return Ok(context.replay(answer));
    }
    let call = Call { context, order_id, wish, keyed, patience };
    if let Some(refused) = call.edit().await? {
        return Ok(refused);
    }
    match call.go_on().await? {
        Some(refused) => Ok(refused),
        None => call.answer().await,
    }
}

/// What is known of a key, without claiming it.
async fn look_up<T>(
    context: &Context,
    keyed: Option<&Keyed<T>>,
) -> Result<Option<Claimed>, CommandError> {
    let Some(Keyed { key, .. }) = keyed else { return Ok(None) };
    idempotency::look_up(&context.read, key).await?.map(Claimed::of).transpose()
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
    async fn edit(&self) -> Result<Option<Reply<Edited>>, CommandError> {
        let keyed = self.part("edit", self.keyed.as_ref().map(|keyed| keyed.encode));
        let begun = look_up(self.context, keyed.as_ref()).await?.is_some();
        if !begun && !self.has_to_edit().await? {
            return Ok(None);
        }
        let (order_id, edit) = (self.order_id.clone(), self.wish.edit.clone());
        let edited = edit_order(self.context, order_id, edit, keyed, self.patience.clone()).await?;
        Ok(refused(edited))
    }

    /// Whether there is something to edit, and everything that is wanted is allowed.
    async fn has_to_edit(&self) -> Result<bool, CommandError> {
        let order = self.order().await?;
        let UpdateOrder { edit, to } = &self.wish;
        order.expect_updated_at(edit.expected.updated_at)?;
        let (from, edits) = (order.stage(), changes(&order, &edit.change));
        if from == *to {
            return Ok(true);
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
        if self.order().await?.stage() == to {
            return Ok(None);
        }
        // Only that it was done is asked for.
        let keyed = self.part("move", Some((|_: &StatusNow| Vec::new()) as fn(&_) -> _));
        let (order_id, method) = (self.order_id.clone(), self.wish.edit.method.clone());
        let wish = MoveOrder { to, method };
        let moved = move_order(self.context, order_id, wish, keyed, self.patience.clone()).await?;
        Ok(refused(moved))
    }

    /// The order as it is now, remembered as the key's answer.
    async fn answer(&self) -> Result<Reply<Edited>, CommandError> {
        let edited = Edited { order: self.order().await? };
        let tx = self.context.messaging.begin().await?;
        match keyed::claim(&tx, self.keyed.as_ref()).await? {
            Claimed::New => {}
            Claimed::Answered(answer) => return Ok(self.context.replay(answer)),
            Claimed::Running => return Err(CommandError::KeyRunning),
        }
        keyed::remember(&tx, self.keyed.as_ref(), &edited).await?;
        tx.commit().await?;
        Ok(Reply::Fresh(edited))
    }

    async fn order(&self) -> Result<Order, CommandError> {
        let ids = std::slice::from_ref(&self.order_id);
        let mut found = load_orders(&self.context.read, ids).await?;
        found.remove(&self.order_id).ok_or(CommandError::NotFound)
    }

    /// The key in the scope of a part; no caller's key is in it.
    fn part<T>(&self, name: &str, encode: Option<fn(&T) -> Vec<u8>>) -> Option<Keyed<T>> {
        let mut key = self.keyed.as_ref()?.key.clone();
        key.scope = format!("{}/{name}", key.scope);
        Some(Keyed { key, encode: encode? })
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
