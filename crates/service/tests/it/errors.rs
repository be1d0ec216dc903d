//! What every method of every service may be refused with, as `docs/errors.md` tells it.

use std::time::Duration;

use oms_service::{
    GrpcSettings, MESSAGE_IN_MAX, TRACE_ID,
    testing::{RefusalTable, call_raw, framed, traced},
};
use tonic::{Code, Status};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt;

use crate::support::{PATIENCE, Served, eventually, order, soon};

const METHOD: &str = "/oms.v1.PaymentService/GetPayment";
const ANY: &str = "any";

/// Provokes each refusal once.
async fn refusals() -> RefusalTable {
    traced();
    let mut table = RefusalTable::new("Every method");
    let served = Served::ready().await;
    let at = served.address;
    let long = call_raw(at, METHOD, &[], framed(&vec![0; MESSAGE_IN_MAX + 1])).await;
    table.note(ANY, long);
    for unreadable in unreadable() {
        table.note(ANY, call_raw(at, METHOD, &[], unreadable).await);
    }
    table.note("none of ours", call_raw(at, "/a.caller/invention", &[], framed(&[])).await);
    let waits = call_raw(at, METHOD, &[("grpc-timeout", b"50m")], framed(&named("wait"))).await;
    table.note(ANY, waits);
    table.note(ANY, Served::start().await.client().await.get_payment(order("a")).await);
    table.note(ANY, Err::<(), _>(drained().await));
    table.note(ANY, Err::<(), _>(overloaded().await));
    table.note(ANY, served.client().await.get_payment(order("panic")).await);
    table
}

/// A `GetPaymentRequest` for the order of this name.
fn named(name: &str) -> Vec<u8> {
    prost::Message::encode_to_vec(&order(name))
}

/// Bodies that hold no message of the method.
fn unreadable() -> Vec<Vec<u8>> {
    let text = |bytes: &[u8]| framed(&[&[0x0a, 0x02], bytes].concat());
    vec![
        Vec::new(),
        vec![0],
        framed(b"\xff\xff\xff\xff"),
        framed(b"\x0a\x05ab"),
        // No UTF-8.
        text(&[0xc3, 0x28]),
        // Compressed, it says.
        [&[1_u8, 0, 0, 0, 2][..], b"ab"].concat(),
        vec![0, 0, 0, 0, 9, 1],
        vec![7, 0, 0, 0, 0],
    ]
}

/// What a stream is told that still runs when the service drains: in its trailers, its head named
/// the trace.
async fn drained() -> Status {
    let served = Served::ready().await;
    let mut client = HealthClient::new(served.channel().await);
    let watch = client.watch(HealthCheckRequest::default()).await.unwrap();
    let trace = watch.metadata().get(TRACE_ID).unwrap().clone();
    let mut stream = watch.into_inner();
    stream.message().await.unwrap().unwrap();
    soon("the drain", served.host.drain(PATIENCE)).await;
    let ended = async {
        loop {
            if let Err(status) = stream.message().await {
                return status;
            }
        }
    };
    let mut status = soon("the stream's end", ended).await;
    status.metadata_mut().insert(TRACE_ID, trace);
    status
}

async fn overloaded() -> Status {
    let settings = GrpcSettings { concurrency_max: 1, ..GrpcSettings::at("localhost:0") };
    let served = Served::start_with(settings).await;
    served.host.ready(PATIENCE).await.unwrap();
    let mut client = served.client().await;
    let mut other = client.clone();
    let (first, refused) = tokio::join!(other.get_payment(order("wait")), async {
        served.signals.started.notified().await;
        let refused = client.get_payment(order("a")).await.unwrap_err();
        served.signals.release.notify_one();
        refused
    });
    first.unwrap();
    refused
}

#[tokio::test]
async fn the_page_tells_what_any_method_may_be_refused_with() {
    refusals().await.check();
}

#[tokio::test]
#[ignore = "writes the page; run it by name when a change of the refusals is meant"]
async fn write_the_page() {
    refusals().await.write();
}

#[tokio::test]
async fn every_answer_names_its_trace_and_goes_on_with_the_callers() {
    traced();
    let served = Served::ready().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let ours: &[(&'static str, &[u8])] = &[("traceparent", parent.as_bytes())];
    for (path, message) in [
        (METHOD, named("a")),
        (METHOD, named("missing")),
        (METHOD, named("panic")),
        (METHOD, vec![0xff]),
        ("/a.caller/invention", Vec::new()),
        ("/grpc.health.v1.Health/Check", Vec::new()),
    ] {
        let answer = call_raw(served.address, path, ours, framed(&message)).await;
        let headers = answer.unwrap_or_else(|status| status.metadata().clone().into_headers());
        assert_eq!(headers.get(TRACE_ID).unwrap(), trace, "{path}");
    }
    for nonsense in [&b"00-xyz-1-01"[..], b"", b"\xff"] {
        let headers = &[("traceparent", nonsense)];
        let own = call_raw(served.address, METHOD, headers, framed(&named("a"))).await.unwrap();
        assert!(own.get(TRACE_ID).is_some_and(|id| id.len() == 32 && id != trace));
    }
}

/// The caller's time is the server's too, however it is written.
#[tokio::test]
async fn a_callers_deadline_is_kept_whatever_it_is() {
    traced();
    let served = Served::ready().await;
    let waits = async |timeout: &[u8]| {
        let metadata = &[("grpc-timeout", timeout)];
        call_raw(served.address, METHOD, metadata, framed(&named("wait"))).await
    };
    for short in ["0S", "0n", "1n", "1u", "1m", "20m", "99999999n"] {
        let status = soon(short, waits(short.as_bytes())).await.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{short}");
        let reason = status.get_details_error_info().unwrap().reason;
        assert_eq!(reason, "DEADLINE_EXCEEDED", "{short}");
    }
    let late = r#"method="GetPayment",code="DEADLINE_EXCEEDED"} 7"#;
    assert!(served.host.metrics().render().contains(late), "{}", served.host.metrics().render());
    for none in ["99999999H", "", "S", "1", "1s", "-1S", "123456789S", "five"] {
        let (answer, ()) = tokio::join!(waits(none.as_bytes()), async {
            served.signals.started.notified().await;
            served.signals.release.notify_one();
        });
        assert!(answer.is_ok(), "{none}");
    }
}

#[tokio::test]
async fn an_answer_that_is_there_at_once_keeps_every_deadline() {
    let served = Served::ready().await;
    let metadata: &[(&'static str, &[u8])] = &[("grpc-timeout", b"0n")];
    let answer = call_raw(served.address, METHOD, metadata, framed(&named("a"))).await;
    assert!(answer.is_ok());
}

#[tokio::test]
async fn a_large_request_is_refused_before_it_is_read_and_the_connection_lives() {
    let served = Served::ready().await;
    let mut client = served.client().await;
    for size in [MESSAGE_IN_MAX + 1, 2 * 1024 * 1024, 8 * 1024 * 1024] {
        let status = client.get_payment(order(&"x".repeat(size))).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        let reason = status.get_details_error_info().unwrap().reason;
        assert_eq!(reason, "REQUEST_TOO_LARGE");
    }
    client.get_payment(order("a")).await.unwrap();
    let counted = async || served.host.metrics().render().contains(r#""INVALID_ARGUMENT"} 3"#);
    eventually("the refusals are counted", counted).await;
}

#[tokio::test]
async fn an_answer_too_large_is_an_inside_error_with_its_reason() {
    let served = Served::ready().await;
    let call = call_raw(served.address, METHOD, &[], framed(&named("too large")));
    let status = tokio::time::timeout(Duration::from_secs(20), call).await.unwrap().unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
    assert_eq!(status.get_details_error_info().unwrap().reason, "INTERNAL");
}
