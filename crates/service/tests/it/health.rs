//! Components, and what they add up to.

use std::time::Duration;

use crate::support::{PATIENCE, host, soon};

#[tokio::test]
async fn a_service_is_ready_when_start_is_over_and_all_components_are_up() {
    let host = host();
    let (database, relay) = (host.health().component("database"), host.health().component("relay"));
    assert!(!host.health().is_ready());
    database.up();
    relay.up();
    assert!(!host.health().is_ready(), "start is not over");
    soon("ready", host.ready(PATIENCE)).await.unwrap();
    assert!(host.health().is_ready());
    relay.down("no broker");
    assert_eq!(host.health().trouble().unwrap(), "relay: no broker");
}

#[tokio::test]
async fn a_reporter_registers_its_components_at_once_and_tells_about_them_by_name() {
    let host = host();
    let report = host.health().reporter(["broker", "relay"]);
    let starting = || Some("starting".to_owned());
    let named = |broker, relay| [("broker".to_owned(), broker), ("relay".to_owned(), relay)];
    let now = || {
        let all = host.health().components().into_iter();
        all.filter(|(name, _)| name != "start").collect::<Vec<_>>()
    };
    assert_eq!(now(), named(starting(), starting()));
    report("broker", Ok(()));
    report("nobody", Ok(()));
    assert_eq!(now(), named(None, starting()));
    report("relay", Ok(()));
    report("broker", Err("away".to_owned()));
    assert_eq!(now(), named(Some("away".to_owned()), None));
}

#[tokio::test]
async fn who_is_not_ready_in_time_says_why() {
    let host = host();
    let _database = host.health().component("database");
    let error = host.ready(Duration::from_millis(10)).await.unwrap_err();
    assert_eq!(error.to_string(), "test is not ready after 0.01 s: database: starting");
}

#[tokio::test]
async fn waiting_ends_as_soon_as_the_last_component_is_up() {
    let host = host();
    let database = host.health().component("database");
    let (ready, ()) = tokio::join!(host.ready(PATIENCE), async {
        tokio::task::yield_now().await;
        database.up();
    });
    ready.unwrap();
}

#[tokio::test]
async fn the_same_name_is_the_same_component() {
    let host = host();
    host.health().component("database").up();
    let _again = host.health().component("database");
    soon("ready", host.ready(PATIENCE)).await.unwrap();
}

#[tokio::test]
async fn a_draining_service_is_not_ready() {
    let host = host();
    host.ready(PATIENCE).await.unwrap();
    host.drain(PATIENCE).await;
    assert_eq!(host.health().trouble().unwrap(), "draining");
}
