//! Calls on a served port.

use oms_service::{GrpcSettings, deadline};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::{Code, Request, metadata::MetadataMap};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_types::StatusExt;

use crate::support::{PATIENCE, Served, eventually, order, soon};

async fn health(served: &Served, service: &str) -> ServingStatus {
    let mut client = HealthClient::new(served.channel().await);
    let request = HealthCheckRequest { service: service.to_owned() };
    client.check(request).await.unwrap().into_inner().status()
}

#[tokio::test]
async fn calls_are_told_to_come_again_until_the_service_is_ready() {
    let served = Served::start().await;
    let late = served.host.health().component("database");
    let refused = served.client().await.get_payment(order("a")).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::Unavailable, "the service is starting"));
    let details = refused.get_error_details();
    assert!(details.retry_info().unwrap().retry_delay.is_some());
    assert_eq!(details.error_info().unwrap().reason, "STARTING");
    assert_eq!(details.error_info().unwrap().domain, "oms");
    for name in ["", "oms.v1.PaymentService"] {
        assert_eq!(health(&served, name).await, ServingStatus::NotServing);
    }

    late.up();
    served.host.ready(PATIENCE).await.unwrap();
    served.client().await.get_payment(order("a")).await.unwrap();
    for name in ["", "oms.v1.PaymentService"] {
        eventually("serving", async || health(&served, name).await == ServingStatus::Serving).await;
    }
}

#[tokio::test]
async fn a_component_that_fails_later_turns_health_but_not_calls() {
    let served = Served::start().await;
    let database = served.host.health().component("database");
    database.up();
    served.host.ready(PATIENCE).await.unwrap();
    let mut client = served.client().await;
    client.get_payment(order("a")).await.unwrap();
    database.down("away");
    let down = async || health(&served, "").await == ServingStatus::NotServing;
    eventually("not serving", down).await;
    client.get_payment(order("a")).await.unwrap();
}

#[tokio::test]
async fn a_panic_is_internal_and_the_connection_lives() {
    let served = Served::ready().await;
    let mut client = served.client().await;
    for poison in ["panic", "detached panic"] {
        let status = client.get_payment(order(poison)).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
    }
    client.get_payment(order("a")).await.unwrap();
    assert!(served.host.process().failed().reason().is_none(), "a call is no task");
}

#[tokio::test]
async fn one_call_too_many_is_told_to_come_again() {
    let settings = GrpcSettings { concurrency_max: 1, ..GrpcSettings::at("localhost:0") };
    let served = Served::start_with(settings).await;
    served.host.ready(PATIENCE).await.unwrap();
    let mut client = served.client().await;
    let mut other = client.clone();
    let (first, ()) = tokio::join!(other.get_payment(order("wait")), async {
        served.signals.started.notified().await;
        let refused = client.get_payment(order("a")).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        assert_eq!(refused.get_error_details().error_info().unwrap().reason, "OVERLOADED");
        assert!(refused.get_error_details().retry_info().is_some());
        // Health has no share in the limit.
        assert_eq!(health(&served, "").await, ServingStatus::Serving);
        served.signals.release.notify_one();
    });
    first.unwrap();
    let free = async || client.get_payment(order("a")).await.is_ok();
    eventually("the slot is given back", free).await;
}

#[tokio::test]
async fn a_command_outlives_the_caller_that_gave_up() {
    let served = Served::ready().await;
    let mut client = served.client().await;
    let call = tokio::task::spawn(async move { client.get_payment(order("detached")).await });
    served.signals.started.notified().await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    served.signals.release.notify_one();
    soon("the command ends", served.signals.finished.notified()).await;
}

#[tokio::test]
async fn a_call_given_up_keeps_its_slot_until_its_command_ends() {
    let settings = GrpcSettings { concurrency_max: 1, ..GrpcSettings::at("localhost:0") };
    let served = Served::start_with(settings).await;
    served.host.ready(PATIENCE).await.unwrap();
    let mut client = served.client().await;
    let mut other = client.clone();
    let call = tokio::task::spawn(async move { other.get_payment(order("detached")).await });
    served.signals.started.notified().await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let dropped = async || served.host.metrics().render().contains(r#"code="CANCELLED"} 1"#);
    eventually("the server has dropped the call", dropped).await;

    let refused = client.get_payment(order("a")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(refused.get_error_details().error_info().unwrap().reason, "OVERLOADED");
    served.signals.release.notify_one();
    soon("the command ends", served.signals.finished.notified()).await;
    let free = async || client.get_payment(order("a")).await.is_ok();
    eventually("the slot is given back", free).await;
}

#[tokio::test]
async fn calls_are_counted_by_service_method_and_code() {
    let served = Served::ready().await;
    let mut client = served.client().await;
    client.get_payment(order("a")).await.unwrap();
    client.get_payment(order("b")).await.unwrap();
    client.get_payment(order("missing")).await.unwrap_err();
    client.get_payment(order("panic")).await.unwrap_err();
    let mut raw = tonic::client::Grpc::new(served.channel().await);
    raw.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let path = http::uri::PathAndQuery::from_static("/a.caller/invention");
    let unknown = raw.unary(Request::new(()), path, codec).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);

    let page = served.host.metrics().render();
    let get = r#"service="oms.v1.PaymentService",method="GetPayment""#;
    let unknown = r#"service="unknown",method="unknown""#;
    for line in [
        format!("oms_grpc_requests_total{{{get},code=\"OK\"}} 2"),
        format!("oms_grpc_requests_total{{{get},code=\"NOT_FOUND\"}} 1"),
        format!("oms_grpc_requests_total{{{get},code=\"INTERNAL\"}} 1"),
        format!("oms_grpc_request_duration_seconds_count{{{get}}} 4"),
        format!("oms_grpc_requests_total{{{unknown},code=\"UNIMPLEMENTED\"}} 1"),
    ] {
        assert!(page.contains(&line), "{line}\n{page}");
    }
    assert!(!page.contains("invention"));
}

#[tokio::test]
async fn a_call_given_up_counts_as_cancelled() {
    let served = Served::ready().await;
    let mut client = served.client().await;
    let call = tokio::task::spawn(async move { client.get_payment(order("wait")).await });
    served.signals.started.notified().await;
    call.abort();
    let counted = async || served.host.metrics().render().contains(r#"code="CANCELLED"} 1"#);
    eventually("the cancelled call is counted", counted).await;
}

#[tokio::test]
async fn a_call_goes_on_with_the_callers_trace() {
    oms_service::testing::traced();
    let served = Served::ready().await;
    let mut client = served.client().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let mut request = Request::new(order("trace"));
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    let seen = client.get_payment(request).await.unwrap().into_inner().payment.unwrap().currency;
    assert_eq!(seen, trace);

    let own = client.get_payment(order("trace")).await.unwrap().into_inner().payment.unwrap();
    assert!(own.currency.len() == 32 && own.currency != trace, "a trace of its own");
}

#[tokio::test]
async fn random_bytes_do_no_harm() {
    let served = Served::ready().await;
    let mut client = served.client().await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut noise =
        vec![Vec::new(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), preface.to_vec()];
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for length in [1_usize, 9, 24, 100, 5_000, 100_000] {
        let mut bytes = Vec::with_capacity(length);
        bytes.resize_with(length, || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed.to_le_bytes()[0]
        });
        noise.push([preface.as_slice(), &bytes].concat());
        noise.push(bytes);
    }
    for bytes in noise {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        // The server may hang up in the middle; that is its right.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let _ = soon("the server hangs up", stream.read_to_end(&mut Vec::new())).await;
        client.get_payment(order("a")).await.unwrap();
    }
    assert!(served.host.process().failed().reason().is_none());
}

#[test]
fn the_deadline_is_read_as_the_protocol_says() {
    let read = |text: &'static str| {
        let mut metadata = MetadataMap::new();
        metadata.insert("grpc-timeout", text.parse().unwrap());
        deadline(&metadata).map(|limit| limit.as_nanos())
    };
    let second = 1_000_000_000;
    assert_eq!(read("2H"), Some(2 * 3_600 * second));
    assert_eq!(read("3M"), Some(180 * second));
    assert_eq!(read("5S"), Some(5 * second));
    assert_eq!(read("100m"), Some(second / 10));
    assert_eq!(read("7u"), Some(7_000));
    assert_eq!(read("99999999n"), Some(99_999_999));
    for wrong in ["", "5", "S", "5s", "-5S", "5.5S", "+5S", "999999999S", "5 S"] {
        assert_eq!(read(wrong), None, "{wrong:?}");
    }
    assert_eq!(deadline(&MetadataMap::new()), None);
}
