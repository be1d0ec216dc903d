//! What the admin ports tell about an order that does not move.

use std::time::Duration;

use oms_proto::{
    oms_admin_v1::{ExplainOrderRequest, OwedWord, ServiceAccount},
    oms_v1::OrderStatus,
};
use oms_testkit::{Name, Stack, StackOptions, eventually, requests::item};

async fn account(stack: &Stack, name: Name, order: &str) -> ServiceAccount {
    let request = ExplainOrderRequest { order_id: order.to_owned() };
    let mut client = stack.explains(name).await.unwrap();
    let mut answer = client.explain_order(request).await.unwrap().into_inner();
    assert_eq!(answer.services.len(), 1, "{answer:?}");
    answer.services.remove(0)
}

/// The account, once it is as it should be.
async fn until(
    stack: &Stack,
    name: Name,
    order: &str,
    holds: impl Fn(&ServiceAccount) -> bool,
) -> ServiceAccount {
    eventually(Duration::from_secs(20), || async {
        let told = account(stack, name, order).await;
        Ok(if holds(&told) { Ok(told) } else { Err(format!("{told:#?}")) })
    })
    .await
    .unwrap()
}

fn owed(account: &ServiceAccount) -> Vec<(&str, &str)> {
    account.owed.iter().map(|OwedWord { word, by, .. }| (word.as_str(), by.as_str())).collect()
}

/// Nobody asks again and so tells the same twice.
fn patient() -> StackOptions {
    let mut options = StackOptions { slow_card_ms: 3_000, ..StackOptions::default() };
    (options.messaging.ask_after_ms, options.messaging.ask_delay_ms_max) = (600_000, 600_000);
    options
}

async fn buy(stack: &Stack, method: &str) -> String {
    let clients = stack.clients().await.unwrap();
    clients.buy("customer", vec![item("SKU-001", 1, 100)], method).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_whose_inventory_is_stopped_waits_for_its_word() {
    let mut stack = Stack::with(patient()).await.unwrap();
    let clients = stack.clients().await.unwrap();
    let order = clients.create("customer", vec![item("SKU-001", 1, 100)]).await.unwrap();
    stack.kill(Name::Inventory).await;
    let pay = oms_testkit::requests::pay(&order, "");
    clients.orders.clone().pay_order(pay).await.unwrap();
    let told = until(&stack, Name::Order, &order, |told| {
        told.said.len() == 2 && told.said.iter().all(|said| said.published_at.is_some())
    })
    .await;
    assert_eq!(told.standing, "pending, a pay run is open");
    assert_eq!(owed(&told), [("reserved or rejected", "inventory")]);
    assert!(told.owed[0].since.is_some() && told.owed[0].deadline.is_some());
    assert!(told.asks_at.is_some() && told.troubles.is_empty(), "{told:?}");
    // Payment has heard of it, and owes nothing yet.
    let payment = until(&stack, Name::Payment, &order, |told| !told.heard.is_empty()).await;
    assert!(payment.dead_letters.is_empty(), "{payment:?}");
    stack.restart(Name::Inventory).await.unwrap();
    clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    stack.rest().await.unwrap();
    let told = account(&stack, Name::Order, &order).await;
    assert_eq!((told.standing.as_str(), told.owed.len()), ("confirmed, no run is open", 0));
    let caused: Vec<_> = told.said.iter().map(|said| said.causation_id.is_empty()).collect();
    assert_eq!(caused, [true, true, false], "confirmed has a cause: {told:?}");
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_gateway_is_told_by_payment() {
    let stack = Stack::with(patient()).await.unwrap();
    let order = buy(&stack, "pm_card_slow").await;
    let told = until(&stack, Name::Payment, &order, |told| !told.owed.is_empty()).await;
    assert_eq!(owed(&told)[0], ("the outcome of a capture", "gateway"));
    assert_eq!(told.owed[0].detail, "the first call has not been answered");
    let told = until(&stack, Name::Order, &order, |told| told.standing.contains("reserved")).await;
    assert_eq!(owed(&told), [("captured or declined", "payment")]);
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_away_and_what_waits_for_it_are_told() {
    let stack = Stack::with(patient()).await.unwrap();
    stack.simulated().down();
    let order = buy(&stack, "").await;
    let told = until(&stack, Name::Order, &order, |told| {
        told.troubles.iter().any(|trouble| trouble.component == "broker")
    })
    .await;
    assert!(!told.said.is_empty() && told.said.iter().all(|said| said.published_at.is_none()));
    stack.simulated().up();
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_knows_has_no_standing_and_what_is_no_id_is_refused() {
    let stack = Stack::start().await.unwrap();
    let told = account(&stack, Name::Order, "0199aaaa-0000-7000-8000-000000000000").await;
    assert!(told.standing.is_empty() && told.said.is_empty() && told.heard.is_empty());
    for bad in ["", "a\0b", &"x".repeat(256)] {
        let request = ExplainOrderRequest { order_id: bad.to_owned() };
        let mut client = stack.explains(Name::Order).await.unwrap();
        let refused = client.explain_order(request).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{bad:?}");
    }
    stack.finish().await.unwrap();
}
