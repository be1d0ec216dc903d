//! What a call is told whose time ends behind an equal call.

use std::time::Duration;

use tonic::{Code, Request, Response, Status};

use super::stage::Stage;
use crate::served::{cancel, complete, create, keyed, pay, refund, ship, within};

/// The caller's time here.
const SHORT: Duration = Duration::from_millis(500);

/// Its first call goes on without its caller, and stands before the one writer; the second stands
/// behind the first. None of the orders allows what is asked, so that nothing comes of it.
pub(super) async fn running(stage: &mut Stage) {
    let client = stage.client();
    let (pending, confirmed) = (stage.pending.clone(), stage.confirmed.clone());
    let refunded = stage.refunded.clone();
    behind(stage, "CreateOrder", async |request| {
        client.clone().create_order(with(request, create())).await.map(drop)
    })
    .await;
    behind(stage, "PayOrder", async |request| {
        client.clone().pay_order(with(request, pay(&confirmed))).await.map(drop)
    })
    .await;
    behind(stage, "CancelOrder", async |request| {
        client.clone().cancel_order(with(request, cancel(&refunded))).await.map(drop)
    })
    .await;
    behind(stage, "ShipOrder", async |request| {
        client.clone().ship_order(with(request, ship(&pending))).await.map(drop)
    })
    .await;
    behind(stage, "CompleteOrder", async |request| {
        client.clone().complete_order(with(request, complete(&pending))).await.map(drop)
    })
    .await;
    behind(stage, "RefundOrder", async |request| {
        client.clone().refund_order(with(request, refund(&pending, None))).await.map(drop)
    })
    .await;
}

fn with<M>(request: Request<()>, message: M) -> Request<M> {
    let (metadata, extensions, ()) = request.into_parts();
    Request::from_parts(metadata, extensions, message)
}

async fn behind(
    stage: &mut Stage,
    method: &'static str,
    call: impl AsyncFn(Request<()>) -> Result<(), Status>,
) {
    let writing = stage.served.running.messaging.begin().await.unwrap();
    let short = || within(SHORT, keyed(method, ()));
    call(short()).await.unwrap_err();
    let second = async {
        loop {
            match call(short()).await {
                // On a machine that is busy the answer may come after the caller's time.
                Err(late) if matches!(late.code(), Code::DeadlineExceeded | Code::Cancelled) => {}
                told => return told.map(Response::new),
            }
        }
    };
    stage.refused(method, second).await;
    drop(writing);
    // Once the first call has ended the key is as free as ever.
    let ended = loop {
        match call(keyed(method, ())).await {
            Err(status) if status.code() == Code::Aborted => {}
            ended => break ended,
        }
    };
    assert_eq!(ended.is_ok(), method == "CreateOrder", "{method}: {ended:?}");
}
