//! Commands that end in their own transaction and answer where the order stands then.

use oms_messaging::Tx;

use super::{
    CommandError, Context, Keyed, Patience, Reply,
    keyed::{self, Claimed},
};
use crate::{
    domain::{Order, Refusal, Status},
    store::Session,
};

/// Where an order stands after a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusNow {
    /// The order.
    pub order_id: String,
    /// The status callers see.
    pub status: Status,
}

/// Which order, of which version, under which key, and how long an equal call is waited for.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) order_id: String,
    pub(super) expected_version: Option<i32>,
    pub(super) keyed: Option<Keyed<StatusNow>>,
    pub(super) patience: &'a Patience,
}

/// Lets `decide` change the order and tell its status, once per key and only at the version that is
/// expected.
pub(super) async fn at_once(
    context: &Context,
    target: Target<'_>,
    decide: impl FnOnce(&mut Order, &Tx) -> Result<Status, Refusal> + Send,
) -> Result<Reply<StatusNow>, CommandError> {
    let _turn = context.key_turn(target.keyed.as_ref(), target.patience).await?;
    in_key_turn(context, target, decide).await
}

/// The same for a caller that has the key's turn.
pub(super) async fn in_key_turn(
    context: &Context,
    target: Target<'_>,
    decide: impl FnOnce(&mut Order, &Tx) -> Result<Status, Refusal> + Send,
) -> Result<Reply<StatusNow>, CommandError> {
    let Target { order_id, expected_version, keyed, patience } = target;
    let (mut tx, claimed) = context.hold(&order_id, keyed.as_ref(), patience).await?;
    match claimed {
        Claimed::New => {}
        Claimed::Answered(answer) => return Ok(context.replay(answer)),
        Claimed::Running => return Err(CommandError::KeyRunning),
    }
    let mut session = Session::load(&tx, std::slice::from_ref(&order_id)).await?;
    let order = session.order_mut(&order_id).ok_or(CommandError::NotFound)?;
    order.expect_version(expected_version)?;
    let outcome = StatusNow { order_id, status: decide(order, &tx)? };
    let changed = session.save(&mut tx).await?;
    keyed::remember(&tx, keyed.as_ref(), &outcome).await?;
    context.commit(tx, changed).await?;
    Ok(Reply::Fresh(outcome))
}
