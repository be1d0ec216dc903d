//! What reflection tells a tool.

use std::collections::BTreeSet;

use futures::stream;
use tonic_reflection::pb::{
    v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    },
    v1alpha,
};

use crate::support::Served;

async fn ask(served: &Served, what: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(what) };
    let mut client = ServerReflectionClient::new(served.channel().await);
    let answer = client.server_reflection_info(stream::iter([request])).await.unwrap();
    answer.into_inner().message().await.unwrap().unwrap().message_response.unwrap()
}

const SERVICES: [&str; 4] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "oms.v1.PaymentService",
];

#[tokio::test]
async fn reflection_lists_what_this_port_serves_and_nothing_else() {
    // Even before the service is ready.
    let served = Served::start().await;
    let MessageResponse::ListServicesResponse(list) =
        ask(&served, MessageRequest::ListServices(String::new())).await
    else {
        panic!("no list")
    };
    let names: BTreeSet<_> = list.service.into_iter().map(|service| service.name).collect();
    assert_eq!(names, SERVICES.map(str::to_owned).into());
}

#[tokio::test]
async fn the_older_reflection_lists_the_same() {
    let served = Served::start().await;
    let mut client =
        v1alpha::server_reflection_client::ServerReflectionClient::new(served.channel().await);
    let what = v1alpha::server_reflection_request::MessageRequest::ListServices(String::new());
    let request =
        v1alpha::ServerReflectionRequest { host: String::new(), message_request: Some(what) };
    let answer = client.server_reflection_info(stream::iter([request])).await.unwrap();
    let answer = answer.into_inner().message().await.unwrap().unwrap().message_response.unwrap();
    let v1alpha::server_reflection_response::MessageResponse::ListServicesResponse(list) = answer
    else {
        panic!("no list")
    };
    let names: BTreeSet<_> = list.service.into_iter().map(|service| service.name).collect();
    assert_eq!(names, SERVICES.map(str::to_owned).into());
}

#[tokio::test]
async fn reflection_describes_messages_and_error_details() {
    let served = Served::start().await;
    for symbol in [
        "oms.v1.PaymentService",
        "oms.v1.Payment",
        "google.rpc.BadRequest",
        "google.rpc.ErrorInfo",
        "google.protobuf.Timestamp",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ] {
        let what = MessageRequest::FileContainingSymbol(symbol.to_owned());
        let answer = ask(&served, what).await;
        assert!(
            matches!(answer, MessageResponse::FileDescriptorResponse(_)),
            "{symbol}: {answer:?}"
        );
    }
    let file = MessageRequest::FileByFilename("google/rpc/error_details.proto".to_owned());
    assert!(matches!(ask(&served, file).await, MessageResponse::FileDescriptorResponse(_)));
}
