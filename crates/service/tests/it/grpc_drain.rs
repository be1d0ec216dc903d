//! How a served port ends: in order, or at once.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::support::{PATIENCE, Served, eventually, order, soon};

#[tokio::test]
async fn a_drain_answers_the_calls_that_run_and_only_then_stops_the_workers() {
    let served = Served::ready().await;
    let mut client = served.client().await;
    let call = tokio::task::spawn(async move { client.get_payment(order("wait")).await });
    served.signals.started.notified().await;
    let host = served.host.clone();
    let drain = tokio::task::spawn(async move { host.drain(PATIENCE).await });
    soon("the intake ends", served.host.intake().cancelled()).await;
    let refused = async || TcpStream::connect(served.address).await.is_err();
    eventually("nobody new gets in", refused).await;
    assert!(!served.host.workers().is_cancelled(), "workers run while a call does");
    assert!(!drain.is_finished());
    served.signals.release.notify_one();
    soon("the answer", call).await.unwrap().unwrap();
    soon("the drain", drain).await.unwrap();
    assert!(served.host.workers().is_cancelled());
    TcpListener::bind(served.address).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_waits_ends_with_unavailable_and_holds_no_drain_up() {
    let served = Served::ready().await;
    let mut client = HealthClient::new(served.channel().await);
    let mut stream = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    let idle = served.channel().await;
    let silent = TcpStream::connect(served.address).await.unwrap();
    // A drain waits most of its time for calls: this one ends long before.
    soon("the drain", served.host.drain(PATIENCE * 10)).await;
    let ended = async {
        loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("a stream cut short is no success"),
                Err(status) => return status,
            }
        }
    };
    assert_eq!(soon("the stream's end", ended).await.code(), Code::Unavailable);
    drop((idle, silent));
}

#[tokio::test]
async fn a_service_that_was_never_ready_drains_too() {
    let served = Served::start().await;
    let silent = TcpStream::connect(served.address).await.unwrap();
    let idle = served.channel().await;
    soon("the drain", served.host.drain(PATIENCE * 10)).await;
    drop((idle, silent));
}

#[tokio::test]
async fn a_call_that_never_ends_is_killed_when_the_drain_is_over() {
    let served = Served::ready().await;
    let mut client = served.client().await;
    let call = tokio::task::spawn(async move { client.get_payment(order("wait")).await });
    served.signals.started.notified().await;
    soon("the drain", served.host.drain(Duration::from_millis(50))).await;
    assert!(soon("the broken call", call).await.unwrap().is_err());
}

#[tokio::test]
async fn a_kill_answers_nobody_and_frees_the_port() {
    let served = Served::ready().await;
    let mut client = served.client().await;
    let mut other = client.clone();
    let call = tokio::task::spawn(async move { client.get_payment(order("detached")).await });
    served.signals.started.notified().await;
    served.host.kill();
    soon("every task ends", served.host.gone()).await;
    let status = soon("the broken call", call).await.unwrap().unwrap_err();
    assert_ne!(status.message(), "killed", "nothing is written after a kill");
    soon("a refusal", other.get_payment(order("a"))).await.unwrap_err();
    served.signals.release.notify_one();
    let finished = served.signals.finished.notified();
    assert!(tokio::time::timeout(Duration::from_millis(50), finished).await.is_err());
    let free = async || TcpListener::bind(served.address).await.is_ok();
    eventually("the port is free", free).await;
}
