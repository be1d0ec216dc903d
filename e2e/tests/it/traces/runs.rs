//! Runs of the saga as the trees that their traces are, in a collector of the test's own. The
//! story `traces` plays the same of separate processes, with Jaeger.

use oms_e2e::traces::{
    Shape, Tree,
    runs::{self, buy, trace_of},
};
use oms_proto::oms_v1::OrderStatus;
use oms_testkit::{Name, requests::refund};

use super::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_order_is_one_trace_in_causal_order() {
    let stage = Stage::set().await;
    let clients = stage.stack.clients().await.unwrap();
    runs::paid(&clients, stage.spans()).await.unwrap();
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_declined_order_is_one_trace_until_the_stock_is_back() {
    let stage = Stage::set().await;
    let clients = stage.stack.clients().await.unwrap();
    runs::declined(&clients, stage.spans()).await.unwrap();
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_during_the_run_is_a_trace_of_its_own_with_a_link() {
    let stage = Stage::set().await;
    let clients = stage.stack.clients().await.unwrap();
    runs::cancelled(&clients, stage.spans()).await.unwrap();
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_refund_links_to_the_order_and_comes_back_in_its_own_trace() {
    const REFUND: Shape = Shape {
        root: "oms.v1.OrderService/RefundOrder",
        command: "RefundOrder",
        events: &["order.refund_requested", "payment.refunded"],
        gateway: &["refund"],
    };
    let stage = Stage::set().await;
    let clients = stage.stack.clients().await.unwrap();
    let bought = buy(&clients, "customer", "").await.unwrap();
    clients.reaches(&bought.order, OrderStatus::Confirmed).await.unwrap();
    let request = refund(&bought.order, Some(40));
    let answer = clients.orders.clone().refund_order(request).await.unwrap();
    let tree = stage.spans().whole(&trace_of(&answer).unwrap(), &REFUND).await.unwrap();
    assert!(tree.named("RefundOrder")[0].links.contains(&bought.trace), "{tree:#?}");
    let road = tree.road_to("payment.refunded").unwrap();
    assert!(road.contains(&"payment: gateway refund".to_owned()), "{road:#?}");
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_inventory_was_away_is_still_one_trace() {
    let mut stage = Stage::set().await;
    let clients = stage.stack.clients().await.unwrap();
    stage.stack.kill(Name::Inventory).await;
    let bought = buy(&clients, "customer", "").await.unwrap();
    // Paid for and published, and nobody there who could reserve.
    let said = || stage.stack.simulated().records("oms.saga.events").len();
    oms_testkit::eventually(std::time::Duration::from_secs(20), || async {
        Ok(if said() == 2 { Ok(()) } else { Err("not published".to_owned()) })
    })
    .await
    .unwrap();
    stage.stack.restart(Name::Inventory).await.unwrap();
    let clients = stage.stack.clients().await.unwrap();
    runs::confirmed(&clients, stage.spans(), &bought).await.unwrap();
    stage.finish().await;
}

/// The judge is judged: a trace that lacks any one of its spans is not whole, and one that has one
/// of them twice is not either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_without_any_one_of_its_spans_is_not_whole() {
    let stage = Stage::set().await;
    let clients = stage.stack.clients().await.unwrap();
    let bought = buy(&clients, "customer", "").await.unwrap();
    runs::confirmed(&clients, stage.spans(), &bought).await.unwrap();
    let spans = stage.spans().spans(&bought.trace).await.unwrap();
    runs::PAID.judge(&Tree::of(spans.clone())).unwrap();
    for at in 0..spans.len() {
        let mut some = spans.clone();
        let lost = some.remove(at);
        // Of several transactions of one service, one may be missing: how many there are is how
        // many events came at the same time.
        if lost.name == "transaction" {
            continue;
        }
        assert!(runs::PAID.judge(&Tree::of(some)).is_err(), "nobody misses {lost:#?}");
        let mut more = spans.clone();
        more.push(spans[at].clone());
        assert!(runs::PAID.judge(&Tree::of(more)).is_err(), "{} twice", spans[at].name);
    }
    stage.finish().await;
}
