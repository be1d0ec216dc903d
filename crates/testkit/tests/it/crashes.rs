//! A crash at every fault point of every service, crossed with the branches of the saga.

use std::collections::BTreeSet;

use oms_testkit::{Branch, Name, Stack};

const MESSAGING: [&str; 6] = [
    "relay.before_publish",
    "relay.after_publish",
    "relay.after_mark",
    "consumer.before_commit",
    "consumer.after_commit",
    "consumer.after_store",
];
const COMMANDS: [&str; 2] = ["command.before_commit", "command.after_commit"];
const GATEWAY: [&str; 4] =
    ["gateway.before_call", "gateway.after_call", "outcome.before_commit", "outcome.after_commit"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_may_die_anywhere() {
    dies_everywhere(Name::Order, &COMMANDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inventory_may_die_anywhere() {
    dies_everywhere(Name::Inventory, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payment_may_die_anywhere() {
    dies_everywhere(Name::Payment, &GATEWAY).await;
}

async fn dies_everywhere(name: Name, own: &[&str]) {
    let mut stack = Stack::start().await.unwrap();
    let mut died = BTreeSet::new();
    for point in MESSAGING.iter().chain(own) {
        for branch in Branch::ALL {
            if dies_once(&mut stack, name, point, branch).await {
                died.insert(*point);
            }
        }
    }
    let all: BTreeSet<&str> = MESSAGING.iter().chain(own).copied().collect();
    assert_eq!(died, all, "not every fault point was reached");
    stack.finish().await.unwrap();
}

/// Plays a branch while the service dies once at the point; true when it did.
async fn dies_once(stack: &mut Stack, name: Name, point: &str, branch: Branch) -> bool {
    let crashes = stack.crashes(name);
    let before = crashes.crashes();
    let tag = format!("{name:?}-{point}-{branch:?}");
    crashes.arm(point, 1);
    let order = loop {
        let clients = stack.clients().await.unwrap();
        let played = tokio::select! {
            played = branch.play(&clients, &tag) => Some(played),
            () = crashes.crashed() => None,
        };
        match played {
            Some(Ok(order)) => break order,
            Some(Err(error)) => panic!("{tag}: {error:#}"),
            None => stack.revive(name).await.unwrap(),
        }
    };
    loop {
        let rested = tokio::select! {
            rested = stack.rest() => Some(rested),
            () = crashes.crashed() => None,
        };
        match rested {
            Some(rested) => break rested.unwrap_or_else(|error| panic!("{tag}: {error:#}")),
            None => stack.revive(name).await.unwrap(),
        }
    }
    crashes.disarm();
    let seen = stack.clients().await.unwrap().order(&order).await.unwrap();
    assert_eq!(seen.order.unwrap().status(), branch.ends(), "{tag}");
    crashes.crashes() > before
}
