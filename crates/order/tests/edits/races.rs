//! What waits behind an amendment, and what an amendment waits behind.

use oms_order::{
    commands::CommandError,
    domain::{Refusal, Status},
};
use oms_proto::oms_v1::OrderStatus;
use tokio::task::JoinSet;

use super::stage::{LONG, add, edit, stored, watching};
use crate::served::{Paying, Refunding, Served, cancel, each_backend, refund, ship, within};

/// Waits until the amendment is on the order's timeline.
async fn began(served: &Served, order: &str) {
    let asked = |entry: &oms_proto::oms_v1::TimelineEntry| entry.event_type == "AmendmentRequested";
    served.until(order, |view| view.timeline.iter().any(asked)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_and_a_ship_wait_for_the_amendments_end() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let context = watching(&served);
        let order = served.confirmed(10_000).await;
        served.others.pay(Paying::Wait);
        let amends = edit(&context, &order, add("SKU-X", 700));
        let others = async {
            began(&served, &order).await;
            let (mut first, mut second) = (served.client.clone(), served.client.clone());
            let refunds = first.refund_order(within(LONG, refund(&order, Some(500))));
            let ships = second.ship_order(within(LONG, ship(&order)));
            let frees = async {
                // Both have arrived before this on the same connection.
                served.view(&order).await;
                served.others.pay(Paying::Approve);
            };
            let (refunded, shipped, ()) = tokio::join!(refunds, ships, frees);
            assert_eq!(refunded.unwrap().into_inner().refunded_amount, 500);
            shipped.unwrap();
        };
        let (amended, ()) = tokio::join!(amends, others);
        amended.unwrap();
        let order = stored(&served, &order).await;
        assert_eq!((order.status(), order.total().minor()), (Status::Shipped, 10_700));
        assert_eq!(order.left().minor(), 10_200);
        let timeline = served.view(&order.id().to_string()).await.timeline;
        let at = |what: &str| timeline.iter().position(|entry| entry.event_type == what);
        assert!(at("OrderAmended") < at("RefundRequested"));
        let shipped = timeline.iter().position(|entry| entry.payload.contains("shipped"));
        assert!(at("OrderAmended") < shipped);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_waits_for_the_refunds_end_and_finds_a_dead_order_dead() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let context = watching(&served);
        let order = served.confirmed(10_000).await;
        served.others.refund(Refunding::Wait);
        let mut client = served.client.clone();
        let refunds = client.refund_order(within(LONG, refund(&order, None)));
        let amends = async {
            let asked =
                |entry: &oms_proto::oms_v1::TimelineEntry| entry.event_type == "RefundRequested";
            served.until(&order, |view| view.timeline.iter().any(asked)).await;
            let waits = edit(&context, &order, add("SKU-X", 700));
            let frees = async {
                served.view(&order).await;
                served.others.refund(Refunding::Approve);
            };
            tokio::join!(waits, frees).0
        };
        let (refunded, amended) = tokio::join!(refunds, amends);
        assert_eq!(refunded.unwrap().into_inner().status(), OrderStatus::Refunded);
        let told = amended.unwrap_err();
        let refusal = Refusal::NotEditable(Status::Refunded);
        assert!(matches!(&told, CommandError::Refused(told) if *told == refusal), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_amendments_and_a_cancellation_at_once_end_one_way() {
    for backend in each_backend() {
        for round in 0..3_u64 {
            let served = Served::start_with(&backend, |_| {}).await;
            let context = watching(&served);
            let order = served.confirmed(10_000).await;
            let mut calls = JoinSet::new();
            for n in 0..20 {
                let (context, order) = (context.clone(), order.clone());
                calls.spawn(
                    async move { edit(&context, &order, add(&format!("SKU-{n}"), 100)).await },
                );
            }
            let mut accepted = 0;
            for _ in 0..round * 4 {
                accepted += usize::from(calls.join_next().await.unwrap().unwrap().is_ok());
            }
            served.client.clone().cancel_order(cancel(&order)).await.unwrap();
            for told in calls.join_all().await {
                match told {
                    Ok(_) => accepted += 1,
                    Err(CommandError::Refused(
                        Refusal::AmendmentCanceled | Refusal::NotEditable(Status::Canceled),
                    )) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            served.until_rest(&order).await;
            let order = stored(&served, &order).await;
            assert_eq!((order.status(), order.left().minor()), (Status::Canceled, 0));
            assert_eq!(order.lines().len(), 1 + accepted, "exactly what was accepted");
        }
    }
}
