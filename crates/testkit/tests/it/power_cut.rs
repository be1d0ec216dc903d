//! Everything dies at once and starts again on the same data with an empty log.

use std::time::Duration;

use oms_events::TOPIC;
use oms_testkit::{Branch, Clients, Stack, StackOptions, Wire, eventually};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_in_flight_end_after_power_cuts() {
    let mut stack = Stack::start().await.unwrap();
    let mut orders = Vec::new();
    for round in 0..6 {
        let clients = stack.clients().await.unwrap();
        for branch in Branch::ALL {
            orders.push((branch, format!("power-{round}-{branch:?}")));
        }
        // Dropped after the cut: most are in the middle of something, and the next round tries them
        // again.
        let _playing = play_together(&clients, &orders);
        let wanted = round * 7 + 3;
        eventually(Duration::from_secs(30), || async {
            let seen = stack.simulated().records(TOPIC).len();
            Ok(if seen >= wanted { Ok(()) } else { Err(format!("{seen} events")) })
        })
        .await
        .unwrap();
        stack.power_cut().await.unwrap();
    }
    play_all(&stack, &orders).await;
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_broker_may_be_lost_with_everything_else() {
    let options = StackOptions { wire: Wire::Embedded, ..StackOptions::default() };
    let mut stack = Stack::with(options).await.unwrap();
    let clients = stack.clients().await.unwrap();
    let orders: Vec<_> =
        Branch::ALL.iter().map(|branch| (*branch, format!("embedded-{branch:?}"))).collect();
    let _playing = play_together(&clients, &orders);
    tokio::time::timeout(Duration::from_secs(30), async {
        while clients.stock("SKU-001").await.unwrap().held == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("nothing was ever held");
    stack.power_cut().await.unwrap();
    play_all(&stack, &orders).await;
    stack.finish().await.unwrap();
}

fn play_together(
    clients: &Clients,
    orders: &[(Branch, String)],
) -> JoinSet<anyhow::Result<String>> {
    let mut playing = JoinSet::new();
    for (branch, tag) in orders {
        let (clients, branch, tag) = (clients.clone(), *branch, tag.clone());
        playing.spawn(async move { branch.play(&clients, &tag).await });
    }
    playing
}

async fn play_all(stack: &Stack, orders: &[(Branch, String)]) {
    let clients = stack.clients().await.unwrap();
    for (branch, tag) in orders {
        let order = branch.play(&clients, tag).await;
        let order = order.unwrap_or_else(|error| panic!("{tag}: {error:#}"));
        let seen = clients.order(&order).await.unwrap().order.unwrap();
        assert_eq!(seen.status(), branch.ends(), "{tag}");
    }
}
