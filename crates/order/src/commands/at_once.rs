//! Commands that end in their own transaction and answer where the order stands then.

use oms_messaging::Tx;

use super::{
    CommandError, Context, Keyed, Reply,
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

/// Lets `decide` change the order and tell its status, once per key and only at the version that is
/// expected.
pub(super) async fn at_once(
    context: &Context,
    order_id: String,
    expected_version: Option<i32>,
    keyed: Option<Keyed<StatusNow>>,
    decide: impl FnOnce(&mut Order, &Tx) -> Result<Status, Refusal> + Send,
) -> Result<Reply<StatusNow>, CommandError> {
    let mut tx = context.hold(&order_id).await?;
    match keyed::claim(&tx, keyed.as_ref()).await? {
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
