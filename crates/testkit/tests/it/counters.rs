//! The saga's counters add up, whatever is delivered how often.

use oms_proto::oms_v1::OrderStatus;
use oms_testkit::{
    Name, Stack, StackOptions,
    requests::{cancel, item},
};

/// What `curl … | grep oms_saga` prints of a counter or gauge.
fn value(page: &str, name: &str) -> i64 {
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is missing in\n{page}")).parse().unwrap()
}

async fn counters(stack: &Stack) -> [i64; 5] {
    let page = stack.metrics(Name::Order).await.unwrap();
    let all = ["started_total", "completed_total", "failed_total", "canceled_total", "active"];
    all.map(|name| value(&page, &format!("oms_saga_{name}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_mix_adds_up_and_still_does_when_everything_is_delivered_twice() {
    let stack = Stack::with(StackOptions::default()).await.unwrap();
    let clients = stack.clients().await.unwrap();
    let line = || vec![item("SKU-001", 1, 100)];
    for n in 0..8 {
        let order = clients.buy(&format!("customer-{n}"), line(), "").await.unwrap();
        clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    }
    for n in 0..2 {
        let order = clients.buy(&format!("c-{n}"), line(), "pm_card_declined").await.unwrap();
        clients.reaches(&order, OrderStatus::Canceled).await.unwrap();
    }
    let order = clients.buy("hasty", line(), "pm_card_slow").await.unwrap();
    assert_eq!(counters(&stack).await, [11, 8, 2, 0, 1], "during the run");
    clients.orders.clone().cancel_order(cancel(&order)).await.unwrap();
    stack.rest().await.unwrap();
    let expected = [11, 8, 2, 1, 0];
    assert_eq!(counters(&stack).await, expected);

    for group in ["oms-order", "oms-inventory", "oms-payment"] {
        stack.simulated().redeliver(group, 0);
    }
    for name in [Name::Order, Name::Inventory, Name::Payment] {
        all_heard_twice(&stack, name).await;
    }
    stack.rest().await.unwrap();
    assert_eq!(counters(&stack).await, expected, "after every event came again");
    stack.finish().await.unwrap();
}

/// Waits until a service has met as many duplicates as it has handled events.
async fn all_heard_twice(stack: &Stack, name: Name) {
    let service = format!("{name:?}").to_lowercase();
    let of = |family: &str| format!("{family}{{service=\"{service}\"}}");
    let again = of("oms_inbox_duplicates_total");
    oms_testkit::eventually(std::time::Duration::from_secs(30), || async {
        let page = stack.metrics(name).await?;
        let handled: i64 = ["moved", "already"]
            .iter()
            .filter_map(|outcome| {
                let labels = format!("{{service=\"{service}\",outcome=\"{outcome}\"}} ");
                let name = format!("oms_events_handled_total{labels}");
                page.lines().find_map(|line| line.strip_prefix(&name)?.parse::<i64>().ok())
            })
            .sum();
        let duplicates = value(&page, &again);
        let all = handled > 0 && duplicates >= handled;
        Ok(if all { Ok(()) } else { Err(format!("{duplicates} of {handled} came again")) })
    })
    .await
    .unwrap();
}
