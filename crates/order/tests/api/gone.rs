//! Callers that go away in the middle of a call: its effect is whole or none, and the key tells.

use oms_proto::oms_v1::OrderStatus;
use oms_service::idempotency::{self, IdempotencyKey};
use tokio::task::yield_now;

use crate::served::{Paying, Served, create, create_for, each_backend, is_replay, keyed, pay};

/// Begins the call, lets the service take it in, and drops it.
async fn given_up<T>(served: &Served, known: &str, call: impl Future<Output = T>) {
    let mut call = std::pin::pin!(call);
    tokio::select! {
        biased;
        _ = &mut call => panic!("it cannot have ended"),
        // On the same connection, so that the call has arrived before it.
        _ = served.view(known) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_whose_caller_goes_away_is_done_and_the_key_tells() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let known = served.created(500).await;
        let mut client = served.client.clone();
        let request = keyed("k", create());
        let (method, message) = ("oms.v1.OrderService/CreateOrder", request.get_ref());
        let key = IdempotencyKey::from_request(request.metadata(), method, message).unwrap();
        // Another call has the key in hand, so that this one waits where it cannot be stopped.
        let ahead = served.running.messaging.begin().await.unwrap();
        idempotency::claim(ahead.conn(), &key.unwrap(), ahead.now()).await.unwrap();
        given_up(&served, &known, client.create_order(request)).await;
        drop(ahead);
        while served.orders().await < 2 {
            yield_now().await;
        }
        let answer = client.create_order(keyed("k", create())).await.unwrap();
        assert!(is_replay(answer.metadata()));
        let order = answer.into_inner().order_id;
        assert_eq!(served.view(&order).await.timeline.len(), 1);
        assert_eq!(served.orders().await, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_whose_caller_goes_away_is_done_and_the_key_tells() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        served.others.pay(Paying::Wait);
        let order = served.created(500).await;
        let mut client = served.client.clone();
        let mut ahead = served.running.messaging.begin().await.unwrap();
        ahead.lock([order.clone()]).await.unwrap();
        given_up(&served, &order, client.pay_order(keyed("k", pay(&order)))).await;
        drop(ahead);
        served.says(&order, 2).await;
        let answer = client.pay_order(keyed("k", pay(&order))).await.unwrap();
        assert!(is_replay(answer.metadata()));
        assert_eq!(answer.into_inner().status(), OrderStatus::Pending);
        assert!(served.counts("oms_saga_started_total 1").await);
        served.others.pay(Paying::Approve);
        served.reaches(&order, OrderStatus::Confirmed).await;
        let said = served.says(&order, 3).await;
        assert_eq!(said.len(), 3, "one run: {said:?}");
    }
}

/// Wherever a call is dropped, the same key leads to one order and to its answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_dropped_anywhere_leaves_one_order_or_none() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    for n in 0..60_usize {
        let name = format!("c-{n}");
        let mut first = client.clone();
        let call = first.create_order(keyed(&name, create_for(&name, 100)));
        {
            let mut call = std::pin::pin!(call);
            for _ in 0..n * n {
                tokio::select! {
                    biased;
                    _ = &mut call => break,
                    () = yield_now() => {}
                }
            }
        }
        let request = keyed(&name, create_for(&name, 100));
        let order = client.create_order(request).await.unwrap().into_inner().order_id;
        assert_eq!(served.view(&order).await.timeline.len(), 1);
        assert_eq!(served.orders().await, n as u64 + 1);
    }
}
