//! One port: pages over HTTP/1.1 for scrapers and probes, gRPC over HTTP/2 for operators.

use std::{collections::BTreeSet, net::SocketAddr};

use futures::stream;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::Code;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::support::{PATIENCE, Served, channel, listing};

/// The status and the body of a page.
async fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(PATIENCE, read).await.expect("an answer").unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 "), "{head}");
    (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
}

#[tokio::test]
async fn pages_and_calls_are_served_side_by_side() {
    let served = Served::start().await;
    let address = served.admin.address();
    let host = served.host("order");
    let database = host.health().component("database");
    let order = served.open(host, &["o-1"]).await;
    // Probes are answered while calls are refused.
    let mut client = served.client().await;
    let refused = client.list_dead_letters(listing("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(get(address, "/livez").await, ("200".to_owned(), "ok\n".to_owned()));
    assert_eq!(get(address, "/readyz").await.0, "503");
    database.up();
    order.host.ready(PATIENCE).await.unwrap();
    assert_eq!(get(address, "/readyz").await.0, "200");

    // The same HTTP/2 connection, before and after.
    let found = client.list_dead_letters(listing("")).await.unwrap().into_inner();
    assert_eq!(found.dead_letters.len(), 1);
    let (status, metrics) = get(address, "/metrics").await;
    assert_eq!(status, "200");
    let counted = "oms_dlq_messages_total{service=\"order\",reason=\"malformed_envelope\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    client.list_dead_letters(listing("")).await.unwrap();
    assert_eq!(get(address, "/oms.admin.v1.Nothing").await.0, "404");
}

#[tokio::test]
async fn a_call_of_what_is_not_there_is_unimplemented() {
    let served = Served::start().await;
    let _order = served.ready("order", &[]).await;
    let channel = channel(served.admin.address()).await;
    let mut elsewhere = oms_proto::oms_v1::order_service_client::OrderServiceClient::new(channel);
    let request = oms_proto::oms_v1::GetOrderRequest::default();
    let refused = elsewhere.get_order(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
}

#[tokio::test]
async fn reflection_tells_what_operators_can_call_and_nothing_else() {
    let served = Served::start().await;
    let _services = [served.ready("order", &[]).await, served.ready("payment", &[]).await];
    let ask = async |what: MessageRequest| {
        let request = ServerReflectionRequest { host: String::new(), message_request: Some(what) };
        let mut client = ServerReflectionClient::new(channel(served.admin.address()).await);
        let answer = client.server_reflection_info(stream::iter([request])).await.unwrap();
        answer.into_inner().message().await.unwrap().unwrap().message_response.unwrap()
    };
    let MessageResponse::ListServicesResponse(list) =
        ask(MessageRequest::ListServices(String::new())).await
    else {
        panic!("no list")
    };
    let names: BTreeSet<_> = list.service.into_iter().map(|service| service.name).collect();
    let served = ["grpc.reflection.v1.ServerReflection", "oms.admin.v1.DeadLetterService"];
    assert_eq!(names, served.map(str::to_owned).into());
    for symbol in ["oms.admin.v1.DeadLetterService", "oms.admin.v1.DeadLetterFilter"] {
        let answer = ask(MessageRequest::FileContainingSymbol(symbol.to_owned())).await;
        let described = matches!(answer, MessageResponse::FileDescriptorResponse(_));
        assert!(described, "{symbol}: {answer:?}");
    }
}
