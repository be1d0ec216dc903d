//! Pay runs: their deadline, their counters, changes made by another instance.

use oms_order::deadlines::Deadlines;
use oms_proto::oms_v1::OrderStatus;
use tonic::Code;

use crate::{
    served::{Paying, Served, cancel, each_backend, pay},
    support::{Speaker, totals_of},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_past_its_deadline_is_cancelled_and_not_before() {
    for backend in each_backend() {
        // The service's own sweeper looks once an hour: this test sweeps.
        let change = |config: &mut oms_order::OrderConfig| {
            config.order.deadline_sweep_ms = 3_600_000;
        };
        let served = Served::start_with(&backend, change).await;
        served.others.pay(Paying::Wait);
        let order = served.created(500).await;
        let untouched = served.created(600).await;
        served.client.clone().pay_order(pay(&order)).await.unwrap();
        let mut deadlines = Deadlines::new(served.context());
        served.clock.forward(15 * 60 - 60);
        assert_eq!(deadlines.step().await.unwrap(), 0);
        served.clock.forward(61);
        assert_eq!(deadlines.step().await.unwrap(), 1);
        assert_eq!(deadlines.step().await.unwrap(), 0);

        let view = served.view(&order).await.order.unwrap();
        assert_eq!(view.status(), OrderStatus::Canceled);
        assert_eq!(view.status_reason.unwrap().code, "deadline_exceeded");
        assert_eq!(served.view(&untouched).await.order.unwrap().status(), OrderStatus::Pending);
        let refused = served.client.clone().pay_order(pay(&order)).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(refused.message(), "order status must be pending");
        assert!(served.counts("oms_saga_failed_total 1").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_own_sweeper_ends_late_runs() {
    let change = |config: &mut oms_order::OrderConfig| config.order.deadline_sweep_ms = 10;
    let backend = oms_service::testing::Backend::Sqlite;
    let served = Served::start_with(&backend, change).await;
    served.others.pay(Paying::Wait);
    let order = served.created(500).await;
    served.client.clone().pay_order(pay(&order)).await.unwrap();
    served.clock.forward(16 * 60);
    served.reaches(&order, OrderStatus::Canceled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_is_counted_once_when_it_starts_and_once_when_it_ends() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    served.confirmed(500).await;
    for how in [Paying::Decline, Paying::OutOfStock] {
        served.others.pay(how);
        let order = served.created(500).await;
        client.pay_order(pay(&order)).await.unwrap();
        served.reaches(&order, OrderStatus::Canceled).await;
    }
    served.others.pay(Paying::Wait);
    let canceled = served.created(500).await;
    client.pay_order(pay(&canceled)).await.unwrap();
    client.cancel_order(cancel(&canceled)).await.unwrap();
    let open = served.created(500).await;
    client.pay_order(pay(&open)).await.unwrap();
    for line in [
        "oms_saga_started_total 5",
        "oms_saga_completed_total 1",
        "oms_saga_failed_total 2",
        "oms_saga_canceled_total 1",
        "oms_saga_active 1",
        "oms_saga_duration_seconds_count 4",
    ] {
        assert!(served.counts(line).await, "{line}\n{}", served.metrics().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_is_what_the_saga_names() {
    let served = Served::start().await;
    let order = served.confirmed(500).await;
    let said = served.says(&order, 3).await;
    assert_eq!(said, ["oms.order.created.v1", "oms.order.submitted.v1", "oms.order.confirmed.v1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_impossible_fact_is_counted_once_and_changes_nothing() {
    use oms_events::payment::Declined;
    let served = Served::start().await;
    let order = served.confirmed(500).await;
    let mut payment = Speaker::payment(&order);
    // Earlier sequences were payment's own in this test.
    payment.skip(10);
    let impossible = payment.say(&Declined {
        revision: 7,
        code: "card_declined".to_owned(),
        reason: String::new(),
        totals: totals_of(500, 0),
    });
    served.hear(&impossible).await;
    served
        .until_counted("oms_dlq_messages_total{service=\"order\",reason=\"refused_transition\"} 1")
        .await;
    assert!(served.counts("oms_refused_transitions_total 1").await);
    assert_eq!(served.view(&order).await.order.unwrap().version, 4);
}
