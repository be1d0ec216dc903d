//! Ports: both loopbacks, taken ones, wrong addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::net::{TcpListener, TcpStream};

use crate::support::{PATIENCE, Served, channel, host, order};
use oms_proto::oms_v1::payment_service_client::PaymentServiceClient;

async fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok()
}

#[tokio::test]
async fn localhost_is_both_loopbacks_on_one_port() {
    let served = Served::start().await;
    served.host.ready(PATIENCE).await.unwrap();
    let port = served.address.port();
    let mut addresses = vec![(Ipv4Addr::LOCALHOST, port).into()];
    if has_ipv6().await {
        addresses.push((Ipv6Addr::LOCALHOST, port).into());
    }
    for address in addresses {
        let mut client = PaymentServiceClient::new(channel(address).await);
        client.get_payment(order("a")).await.unwrap();
    }
}

#[tokio::test]
async fn a_taken_port_is_one_line_that_names_port_and_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = host().bind("order.grpc.listen", &format!("localhost:{port}")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "order.grpc.listen: port {port} is already in use; stop the other program or set \
             another address (OMS_ORDER__GRPC__LISTEN)"
        )
    );
    assert_eq!(error.exit_code(), 2);
}

#[tokio::test]
async fn a_port_taken_on_the_other_loopback_is_taken() {
    if !has_ipv6().await {
        return;
    }
    let taken = TcpListener::bind("[::1]:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = host().bind("a.b", &format!("localhost:{port}")).await.unwrap_err();
    assert!(error.to_string().contains("already in use"), "{error}");
    let free = TcpStream::connect(("127.0.0.1", port)).await;
    assert!(free.is_err(), "nothing stays bound");
}

#[tokio::test]
async fn binding_a_setting_twice_gives_the_same_port() {
    let host = host();
    let first = host.bind("order.grpc.listen", "localhost:0").await.unwrap();
    let again = host.bind("order.grpc.listen", "localhost:0").await.unwrap();
    assert_eq!(first, again);
    assert_ne!(first, host.bind("other", "localhost:0").await.unwrap());
}

#[tokio::test]
async fn other_addresses_are_bound_as_they_are() {
    let bound = host().bind("a", "127.0.0.2:0").await.unwrap();
    assert_eq!(bound.ip().to_string(), "127.0.0.2");
}

#[tokio::test]
async fn an_address_that_is_none_is_one_line_that_names_the_setting() {
    for wrong in ["", "localhost", ":1", "localhost:x", "localhost:70000", "203.0.113.7:1"] {
        let error = host().bind("order.grpc.listen", wrong).await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("order.grpc.listen: cannot listen on"), "{text}");
        assert_eq!((text.lines().count(), error.exit_code()), (1, 2));
    }
}
