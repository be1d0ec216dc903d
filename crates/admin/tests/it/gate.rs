//! When calls are taken: not before a service was ready, and not while it drains.

use oms_proto::oms_admin_v1::{
    DeadLetterFilter, DiscardDeadLettersRequest, GetDeadLetterRequest, RedriveDeadLettersRequest,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::support::{Client, PATIENCE, Served, listing};

/// Every method, each for this service or for all.
async fn every_method(client: &mut Client, service: &str) -> Vec<Status> {
    let ids = if service.is_empty() { Vec::new() } else { vec![1] };
    let filter = Some(DeadLetterFilter {
        service: service.to_owned(),
        ids,
        reason: "malformed_envelope".to_owned(),
        ..DeadLetterFilter::default()
    });
    let redrive = RedriveDeadLettersRequest { filter: filter.clone(), ..Default::default() };
    let note = "x".to_owned();
    let discard = DiscardDeadLettersRequest { filter, note, ..Default::default() };
    let get = GetDeadLetterRequest { service: service.to_owned(), id: 1 };
    vec![
        client.list_dead_letters(listing(service)).await.unwrap_err(),
        client.get_dead_letter(get).await.unwrap_err(),
        client.redrive_dead_letters(redrive).await.unwrap_err(),
        client.discard_dead_letters(discard).await.unwrap_err(),
    ]
}

#[track_caller]
fn come_again(refusals: &[Status], reason: &str, message: &str) {
    for refused in refusals {
        assert_eq!((refused.code(), refused.message()), (Code::Unavailable, message));
        let details = refused.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, reason);
        assert!(details.retry_info().unwrap().retry_delay.is_some());
    }
}

#[tokio::test]
async fn before_any_service_has_come_so_far_the_process_is_starting() {
    let served = Served::start().await;
    let _order = served.host("order");
    let mut client = served.client().await;
    let refused = client.list_dead_letters(listing("")).await.unwrap_err();
    come_again(&[refused], "STARTING", "the process is starting");
}

#[tokio::test]
async fn a_service_that_is_starting_refuses_every_method_until_it_is_ready() {
    let served = Served::start().await;
    let host = served.host("order");
    let database = host.health().component("database");
    let order = served.open(host, &["o-1"]).await;
    let mut client = served.client().await;
    for service in ["", "order"] {
        come_again(&every_method(&mut client, service).await, "STARTING", "order is starting");
    }
    database.up();
    order.host.ready(PATIENCE).await.unwrap();
    let found = client.list_dead_letters(listing("")).await.unwrap().into_inner().dead_letters;
    assert_eq!(found.len(), 1, "nothing was done about it");
    // What goes away later is the calls' own concern.
    database.down("away");
    client.list_dead_letters(listing("")).await.unwrap();
}

#[tokio::test]
async fn a_service_without_a_desk_yet_is_starting_and_not_elsewhere() {
    let served = Served::start().await;
    let _order = served.ready("order", &[]).await;
    let payment = served.host("payment");
    let mut client = served.client().await;
    client.list_dead_letters(listing("order")).await.unwrap();
    for service in ["", "payment"] {
        let refused = client.list_dead_letters(listing(service)).await.unwrap_err();
        come_again(&[refused], "STARTING", "payment is starting");
    }
    let payment = served.open(payment, &["p-1"]).await;
    payment.host.ready(PATIENCE).await.unwrap();
    let found = client.list_dead_letters(listing("")).await.unwrap().into_inner().dead_letters;
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn a_service_that_drains_refuses_every_method_and_the_others_go_on() {
    let served = Served::start().await;
    let order = served.ready("order", &["o-1"]).await;
    let _payment = served.ready("payment", &["p-1"]).await;
    let mut client = served.client().await;
    order.host.drain(PATIENCE).await;
    for service in ["", "order"] {
        let refusals = every_method(&mut client, service).await;
        come_again(&refusals, "DRAINING", "order is shutting down");
    }
    let found = client.list_dead_letters(listing("payment")).await.unwrap().into_inner();
    assert_eq!(found.dead_letters.len(), 1);
}

#[tokio::test]
async fn when_all_have_gone_nobody_says_that_there_are_no_letters() {
    let served = Served::start().await;
    let order = served.ready("order", &["o-1"]).await;
    let mut client = served.client().await;
    client.list_dead_letters(listing("")).await.unwrap();
    order.host.drain(PATIENCE).await;
    let refused = client.list_dead_letters(listing("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(refused.get_error_details().error_info().unwrap().reason, "DRAINING");
}

#[tokio::test]
async fn a_service_started_again_has_a_desk_again() {
    let served = Served::start().await;
    let first = served.ready("order", &["o-1"]).await;
    let mut client = served.client().await;
    first.host.kill();
    let _again = served.ready("order", &["o-1", "o-2"]).await;
    // The end of the older one closes no desk but its own.
    first.host.gone().await;
    for service in ["order", ""] {
        let found = client.list_dead_letters(listing(service)).await.unwrap().into_inner();
        assert_eq!(found.dead_letters.len(), 2, "the newer one's");
    }
}
