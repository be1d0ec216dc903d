//! WatchOrder: follows an order as a stream that reads when its caller takes what comes.
//!
//! While the service drains the server ends the stream with UNAVAILABLE, as every stream.

use futures::{
    StreamExt,
    stream::{BoxStream, try_unfold},
};
use oms_proto::oms_v1 as wire;
use oms_service::Refusal;
use tokio::time::{Instant, sleep_until};
use tonic::{Code, Request, Status};

use super::{
    convert, deadline,
    status::{not_found, of_store},
    validate::Findings,
};
use crate::queries::{Followed, WatchError, Watchers};

/// What a watch answers.
pub(super) type Steps = BoxStream<'static, Result<wire::WatchOrderResponse, Status>>;

/// Begins to answer a `WatchOrderRequest`. The first look is made here, so that what is wrong with
/// the call is the call's own answer.
pub(super) async fn watch(
    watchers: &Watchers,
    request: Request<wire::WatchOrderRequest>,
) -> Result<Steps, Refusal> {
    let until = deadline::named(request.metadata());
    let wire::WatchOrderRequest { order_id, after_version } = request.into_inner();
    let mut found = Findings::default();
    let order_id = found.order_id(&order_id);
    if after_version < 0 {
        found.add("after_version", "after_version must not be negative");
    }
    let order_id = found.or(order_id)?.ok_or_else(not_found)?;
    let followed = watchers.follow(&order_id, after_version).await.map_err(refusal)?;
    Ok(try_unfold(Watch { followed, until }, Watch::next).boxed())
}

/// Why an order cannot be watched, as its caller learns it.
fn refusal(error: WatchError) -> Refusal {
    match error {
        WatchError::NotFound => not_found(),
        WatchError::Ahead { .. } => Refusal::invalid_field("after_version", error.to_string()),
        WatchError::TooManyWatchers | WatchError::TooManyWaiting(_) => {
            Refusal::unavailable("OVERLOADED", error.to_string())
        }
        WatchError::Store(failure) => of_store(&failure),
    }
}

/// A watch and when its caller stops waiting.
struct Watch {
    followed: Followed,
    until: Option<Instant>,
}

impl Watch {
    async fn next(mut self) -> Result<Option<(wire::WatchOrderResponse, Self)>, Status> {
        let next = tokio::select! {
            biased;
            () = reached(self.until) => return Err(too_late().into()),
            next = self.followed.next() => next,
        };
        let step = next.map_err(|failure| of_store(&failure))?;
        Ok(step.map(|step| (convert::step(step), self)))
    }
}

/// Resolves at the caller's deadline; never for one that named none.
async fn reached(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

fn too_late() -> Refusal {
    let message = "the order has not ended; watch it again after the last version seen";
    Refusal::new(Code::DeadlineExceeded, "STILL_WATCHING", message)
}
