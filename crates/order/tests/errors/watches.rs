//! What WatchOrder refuses, and what its stream ends with.

use std::time::Duration;

use oms_proto::oms_v1::WatchOrderResponse;
use oms_service::TRACE_ID;
use tonic::{Response, Status, Streaming};

use super::{
    stage::{PLACES, Stage},
    wishes::{NO_IDS, UNKNOWN},
};
use crate::served::{Seen, after, watch, within};

const METHOD: &str = "WatchOrder";
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn watch_order(stage: &mut Stage) {
    let mut client = stage.client();
    for id in ["", UNKNOWN].into_iter().chain(NO_IDS) {
        stage.refused(METHOD, client.watch_order(watch(id))).await;
    }
    let confirmed = stage.confirmed.clone();
    for (id, version) in [(confirmed.as_str(), -1), (&confirmed, i32::MAX), ("", i32::MIN)] {
        stage.refused(METHOD, client.watch_order(after(id, version))).await;
    }
    too_many(stage).await;
    for (id, ended) in [(&confirmed, too_late(stage).await), (&confirmed, drained(stage).await)] {
        assert_eq!(ended.1.order.unwrap().id, *id);
        stage.table.note(METHOD, Err::<(), _>(ended.0));
    }
}

/// Only one order may be waited for, and only so many calls may watch.
async fn too_many(stage: &mut Stage) {
    let mut client = stage.client();
    let (confirmed, pending) = (stage.confirmed.clone(), stage.pending.clone());
    let mut streams = vec![client.watch_order(watch(&confirmed)).await.unwrap()];
    stage.refused(METHOD, client.watch_order(watch(&pending))).await;
    while streams.len() < PLACES {
        streams.push(client.watch_order(watch(&confirmed)).await.unwrap());
    }
    stage.refused(METHOD, client.watch_order(watch(&confirmed))).await;
    drop(streams);
    stage.served.until_counted("oms_watchers 0").await;
}

/// The caller's own deadline comes while nothing happens.
async fn too_late(stage: &Stage) -> (Status, Seen) {
    loop {
        let request = within(Duration::from_millis(500), watch(&stage.confirmed));
        let begun = stage.client().watch_order(request).await;
        // On a machine that is busy the time may be over before the watch has begun.
        let Ok(begun) = begun else { continue };
        let (ended, seen) = end_of(begun, async {}).await;
        if ended.code() == tonic::Code::DeadlineExceeded && seen.order.is_some() {
            stage.served.until_counted("oms_watchers 0").await;
            return (ended, seen);
        }
    }
}

/// Another instance on the same data shuts down.
async fn drained(stage: &Stage) -> (Status, Seen) {
    let leaving = stage.served.beside().await;
    let begun = leaving.client.clone().watch_order(watch(&stage.confirmed)).await.unwrap();
    end_of(begun, leaving.host.drain(PATIENCE)).await
}

/// What a stream ends with, with the trace that its head named, and what it told before. Once it
/// has told something, `then` happens.
async fn end_of(
    begun: Response<Streaming<WatchOrderResponse>>,
    then: impl Future<Output = ()>,
) -> (Status, Seen) {
    let trace = begun.metadata().get(TRACE_ID).expect("the trace").clone();
    let (mut stream, mut seen) = (begun.into_inner(), Seen::default());
    let first = seen.take(&mut stream).await;
    then.await;
    let ended = match first {
        Ok(_) => seen.end(&mut stream).await,
        Err(ended) => Err(ended),
    };
    let mut ended = ended.expect_err("it does not end well");
    ended.metadata_mut().insert(TRACE_ID, trace);
    (ended, seen)
}
