//! Calls as the service runs them, and what they tell.

use futures::future::BoxFuture;
use oms_order::{
    commands::{
        CancelOrder, CommandError, CompleteOrder, Context, Edited, GivenBack, Keyed, MoveOrder,
        Patience, PayOrder, RefundOrder, Reply, ShipOrder, StatusNow, cancel_order, complete_order,
        create_order, move_order, pay_order, refund_order, ship_order,
    },
    domain::{Money, Order, Status},
};
use oms_service::idempotency::{Answer, IdempotencyKey};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    customers::{Call, Customer, Verb},
    edits::{self, Wanted},
};

/// What a call that was not refused was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The order, where the answer names it.
    pub order: Option<String>,
    /// The status, where the answer is the call's own.
    pub status: Option<Status>,
    /// What a key must answer ever after.
    pub remembered: Option<Answer>,
}

/// A call under way.
pub(crate) type Calling = BoxFuture<'static, Result<Told, CommandError>>;

impl Customer {
    /// The call as the service runs it.
    #[must_use]
    pub(crate) fn make(&self, call: &Call, context: Context) -> Calling {
        let (order, key) = (self.order.clone().unwrap_or_default(), call.key.clone());
        let (wish, version) = (self.wish.clone(), None);
        // Callers without patience: what has begun goes on without them.
        let (until, gone) = (Instant::now(), CancellationToken::new());
        let none = Patience::new(until, gone, context.draining.clone());
        match call.verb.clone() {
            Verb::Create => Box::pin(async move {
                let keyed = keyed(key, "create", String::new(), of_created);
                create_order(&context, wish, keyed, none).await.map(told_of_created)
            }),
            Verb::Pay(method) => Box::pin(async move {
                let keyed = keyed(key, "pay", method.to_owned(), of_status);
                let wish = PayOrder { method: method.to_owned(), expected_version: version };
                pay_order(&context, order, wish, keyed, none).await.map(told_of_status)
            }),
            Verb::Cancel => Box::pin(async move {
                let keyed = keyed(key, "cancel", String::new(), of_status);
                let wish = CancelOrder { reason: String::new(), expected_version: version };
                cancel_order(&context, order, wish, keyed, none).await.map(told_of_status)
            }),
            Verb::Refund(amount) => Box::pin(async move {
                let keyed = keyed(key, "refund", format!("{amount:?}"), of_refund);
                let amount = amount.map(|minor| Money::new(minor, wish.currency));
                let wish = RefundOrder { amount, reason: String::new(), expected_version: version };
                let reply = refund_order(&context, order, wish, keyed, none).await?;
                Ok(told(reply, |_| (None, None)))
            }),
            Verb::Ship => Box::pin(async move {
                let keyed = keyed(key, "ship", String::new(), of_status);
                let wish = ShipOrder { expected_version: version };
                // Behind a refund of everything, or an amendment, it gives up at once.
                ship_order(&context, order, wish, keyed, none).await.map(told_of_status)
            }),
            Verb::Complete => Box::pin(async move {
                let keyed = keyed(key, "complete", String::new(), of_status);
                let wish = CompleteOrder { expected_version: version };
                complete_order(&context, order, wish, keyed, none).await.map(told_of_status)
            }),
            Verb::Edit(edit, method) => Box::pin(async move {
                let keyed = keyed(key, "edit", format!("{edit:?} {method:?}"), of_edit);
                let wanted = Wanted { edit, method, to: None };
                edits::make(context, order, wanted, keyed, none).await.map(told_of_edit)
            }),
            Verb::Update(edit, to, method) => Box::pin(async move {
                let keyed = keyed(key, "update", format!("{edit:?} {to:?} {method:?}"), of_edit);
                let wanted = Wanted { edit, method, to: Some(to) };
                edits::make(context, order, wanted, keyed, none).await.map(told_of_edit)
            }),
            Verb::Move(to) => Box::pin(async move {
                let keyed = keyed(key, "move", format!("{to:?}"), of_status);
                let wish = MoveOrder { to, method: None };
                move_order(&context, order, wish, keyed, none).await.map(told_of_status)
            }),
        }
    }
}

/// The caller's key, if there is one, and how its answer is written.
fn keyed<T>(
    key: Option<String>,
    method: &'static str,
    request_hash: String,
    encode: fn(&T) -> Vec<u8>,
) -> Option<Keyed<T>> {
    let scope = "global".to_owned();
    key.map(|key| Keyed { key: IdempotencyKey { scope, key, method, request_hash }, encode })
}

fn of_created(created: &Order) -> Vec<u8> {
    created.id().to_string().into_bytes()
}

fn of_status(now: &StatusNow) -> Vec<u8> {
    format!("{} {:?}", now.order_id, now.status).into_bytes()
}

fn of_refund(given: &GivenBack) -> Vec<u8> {
    format!("{given:?}").into_bytes()
}

fn of_edit(edited: &Edited) -> Vec<u8> {
    format!("{:?}", edited.order.lines()).into_bytes()
}

fn told_of_edit(reply: Reply<Edited>) -> Told {
    told(reply, |Edited { order }| (Some(order.id().to_string()), Some(order.status())))
}

fn told_of_created(reply: Reply<Order>) -> Told {
    let mut told = told(reply, |created| (Some(created.id().to_string()), None));
    if let Some(Answer::Ok(order)) = &told.remembered {
        told.order = String::from_utf8(order.clone()).ok();
    }
    told
}

fn told_of_status(reply: Reply<StatusNow>) -> Told {
    told(reply, |now| (Some(now.order_id.clone()), Some(now.status)))
}

fn told<T>(reply: Reply<T>, what: impl FnOnce(&T) -> (Option<String>, Option<Status>)) -> Told {
    match reply {
        Reply::Fresh(fresh) => {
            let (order, status) = what(&fresh);
            Told { order, status, remembered: None }
        }
        Reply::Remembered { answer, .. } => {
            Told { order: None, status: None, remembered: Some(answer) }
        }
    }
}
