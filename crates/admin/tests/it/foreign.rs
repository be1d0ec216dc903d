//! What is not gRPC does not reach an API: any page that an operator has open in a browser may send
//! to this port what a form could send.

use std::net::SocketAddr;

use oms_proto::oms_admin_v1::{DeadLetterFilter, DiscardDeadLettersRequest};
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::Code;

use crate::support::{PATIENCE, Served, channel, listing};

const DISCARD: &str = "/oms.admin.v1.DeadLetterService/DiscardDeadLetters";

/// A discard as gRPC frames it, over HTTP/1.1; the head of the answer.
async fn post(address: SocketAddr, path: &str, kind: &str) -> String {
    let filter = DeadLetterFilter { reason: "malformed_envelope".into(), ..Default::default() };
    let note = "from a page".to_owned();
    let request = DiscardDeadLettersRequest { filter: Some(filter), note, ..Default::default() };
    let message = request.encode_to_vec();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{kind}Content-Length: {}\r\n\r\n",
        message.len() + 5
    );
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let request = [head.as_bytes(), &[0], &length, &message].concat();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    tokio::time::timeout(PATIENCE, read).await.expect("an answer").unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_page_in_a_browser_can_discard_nothing() {
    let served = Served::start().await;
    let _order = served.ready("order", &["o-1"]).await;
    let address = served.admin.address();
    for kind in [
        "Content-Type: text/plain\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: application/grpc-web\r\n",
        // A name that was bound to this address anew is no other origin.
        "Content-Type: application/grpc\r\n",
        "",
    ] {
        let answer = post(address, DISCARD, kind).await;
        assert!(answer.starts_with("HTTP/1.1 415 "), "{kind}: {answer}");
        assert!(answer.contains("HTTP/2"), "it says what would do: {answer}");
    }
    let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let answer = post(address, reflection, "Content-Type: text/plain\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 415 "), "{answer}");
    let mut client = served.client().await;
    let left = client.list_dead_letters(listing("")).await.unwrap().into_inner().dead_letters;
    assert_eq!(left.len(), 1);
}

#[tokio::test]
async fn an_outage_is_not_told_as_a_start() {
    let served = Served::start().await;
    let host = served.host("order");
    let database = host.health().component("database");
    let channel = channel(served.admin.address()).await;
    let mut elsewhere = oms_proto::oms_v1::order_service_client::OrderServiceClient::new(channel);
    let mut code = async || {
        let request = oms_proto::oms_v1::GetOrderRequest::default();
        elsewhere.get_order(request).await.unwrap_err().code()
    };
    assert_eq!(code().await, Code::Unavailable);
    database.up();
    host.ready(PATIENCE).await.unwrap();
    assert_eq!(code().await, Code::Unimplemented);
    database.down("away for hours");
    assert_eq!(code().await, Code::Unimplemented);
}
