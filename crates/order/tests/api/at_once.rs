//! Many calls at once with one key: one effect, equal answers, and every other wish refused (I7).
//!
//! A method is a [`Wish`]: two bodies that differ, and what shows that one of them had its effect
//! once. A new mutating method brings one, and its line in [`wishes`].

use std::{pin::Pin, sync::Arc};

use oms_proto::oms_v1::{
    CancelOrderRequest, CompleteOrderRequest, OrderStatus, PayOrderRequest, ShipOrderRequest,
    order_service_client::OrderServiceClient,
};
use oms_service::testing::Backend;
use prost::Message;
use tokio::task::JoinSet;
use tonic::{Code, Request, Response, Status, transport::Channel};
use tonic_types::StatusExt;

use crate::served::{
    Served, cancel, complete, create_for, each_backend, is_replay, keyed, pay, refund, ship,
};

/// Calls with each of the two bodies.
const CALLS: usize = 20;
/// The version of an order that was confirmed, and of one that was shipped.
const CONFIRMED: i32 = 4;
const SHIPPED: i32 = 5;

type Client = OrderServiceClient<Channel>;
/// Whether it was a replay, and the answer's bytes.
type Told = Result<(bool, Vec<u8>), Status>;
type Call = Pin<Box<dyn Future<Output = Told> + Send>>;
type Effects = Pin<Box<dyn Future<Output = usize> + Send>>;

/// A method with two bodies.
#[derive(Clone, Copy)]
struct Wish {
    name: &'static str,
    /// Calls for the order with the first body or the other.
    call: fn(Client, Request<()>, String, bool) -> Call,
    /// How often it had its effect on the order.
    effects: fn(Arc<Served>, String) -> Effects,
}

impl Wish {
    /// An order that allows it.
    async fn order(self, served: &Served) -> String {
        match self.name {
            "RefundOrder" | "ShipOrder" => served.confirmed(10_000).await,
            "CompleteOrder" => {
                let order = served.confirmed(10_000).await;
                served.client.clone().ship_order(ship(&order)).await.unwrap();
                order
            }
            _ => served.created(10_000).await,
        }
    }
}

fn wishes() -> [Wish; 6] {
    [
        Wish { name: "CreateOrder", call: create_order, effects: orders },
        Wish { name: "PayOrder", call: pay_order, effects: runs },
        Wish { name: "CancelOrder", call: cancel_order, effects: cancellations },
        Wish { name: "RefundOrder", call: refund_order, effects: refunds },
        Wish { name: "ShipOrder", call: ship_order, effects: shipments },
        Wish { name: "CompleteOrder", call: complete_order, effects: completions },
    ]
}

/// The message under the metadata of `request`.
fn with<M>(request: Request<()>, message: M) -> Request<M> {
    let (metadata, extensions, ()) = request.into_parts();
    Request::from_parts(metadata, extensions, message)
}

fn told<M: Message>(answer: Result<Response<M>, Status>) -> Told {
    let answer = answer?;
    Ok((is_replay(answer.metadata()), answer.get_ref().encode_to_vec()))
}

fn create_order(mut client: Client, request: Request<()>, _: String, other: bool) -> Call {
    let customer = if other { "somebody" } else { "customer" };
    let request = with(request, create_for(customer, 77));
    Box::pin(async move { told(client.create_order(request).await) })
}

fn pay_order(mut client: Client, request: Request<()>, order: String, other: bool) -> Call {
    let payment_method = if other { "pm_card_slow" } else { "" }.to_owned();
    let request = with(request, PayOrderRequest { payment_method, ..pay(&order) });
    Box::pin(async move { told(client.pay_order(request).await) })
}

fn cancel_order(mut client: Client, request: Request<()>, order: String, other: bool) -> Call {
    let reason = if other { "too late" } else { "" }.to_owned();
    let request = with(request, CancelOrderRequest { reason, ..cancel(&order) });
    Box::pin(async move { told(client.cancel_order(request).await) })
}

fn refund_order(mut client: Client, request: Request<()>, order: String, other: bool) -> Call {
    let request = with(request, refund(&order, Some(if other { 1_000 } else { 2_000 })));
    Box::pin(async move { told(client.refund_order(request).await) })
}

fn ship_order(mut client: Client, request: Request<()>, order: String, other: bool) -> Call {
    let expected_version = other.then_some(CONFIRMED);
    let request = with(request, ShipOrderRequest { expected_version, ..ship(&order) });
    Box::pin(async move { told(client.ship_order(request).await) })
}

fn complete_order(mut client: Client, request: Request<()>, order: String, other: bool) -> Call {
    let expected_version = other.then_some(SHIPPED);
    let request = with(request, CompleteOrderRequest { expected_version, ..complete(&order) });
    Box::pin(async move { told(client.complete_order(request).await) })
}

fn orders(served: Arc<Served>, _: String) -> Effects {
    // One of them is the order the other methods are tried on.
    Box::pin(async move { usize::try_from(served.orders().await).unwrap() - 1 })
}

fn entries(served: Arc<Served>, order: String, is: fn(&str, &str) -> bool) -> Effects {
    Box::pin(async move {
        let timeline = served.view(&order).await.timeline;
        timeline.iter().filter(|entry| is(&entry.event_type, &entry.payload)).count()
    })
}

fn runs(served: Arc<Served>, order: String) -> Effects {
    Box::pin(async move {
        served.reaches(&order, OrderStatus::Confirmed).await;
        let said = served.says(&order, 3).await;
        said.iter().filter(|said| *said == "oms.order.submitted.v1").count()
    })
}

fn cancellations(served: Arc<Served>, order: String) -> Effects {
    entries(served, order, |_, payload| payload.contains(r#""status":"canceled""#))
}

fn shipments(served: Arc<Served>, order: String) -> Effects {
    entries(served, order, |_, payload| payload.contains(r#""status":"shipped""#))
}

fn completions(served: Arc<Served>, order: String) -> Effects {
    entries(served, order, |_, payload| payload.contains(r#""status":"completed""#))
}

fn refunds(served: Arc<Served>, order: String) -> Effects {
    entries(served, order, |event_type, _| event_type == "OrderRefunded")
}

/// Who has no turn in time is told to come again, and does.
async fn until_told(wish: Wish, client: Client, order: String, other: bool) -> Told {
    loop {
        let request = keyed("one key", ());
        match (wish.call)(client.clone(), request, order.clone(), other).await {
            Err(status) if status.code() == Code::Unavailable => {}
            told => return told,
        }
    }
}

async fn all_at_once(wish: Wish, clients: &[Client], order: &str) -> [Vec<Told>; 2] {
    let mut calls = JoinSet::new();
    for n in 0..2 * CALLS {
        let (client, order) = (clients[n / 2 % clients.len()].clone(), order.to_owned());
        let other = n % 2 == 1;
        calls.spawn(async move { (other, until_told(wish, client, order, other).await) });
    }
    let mut told = [Vec::new(), Vec::new()];
    for (other, answer) in calls.join_all().await {
        told[usize::from(other)].push(answer);
    }
    told
}

async fn one_effect(wish: Wish, served: Served, clients: &[Client]) {
    let order = wish.order(&served).await;
    let [first, other] = all_at_once(wish, clients, &order).await;
    // Whoever came first has the key; the others wanted something else.
    let (well, badly) =
        if first.iter().all(Result::is_ok) { (first, other) } else { (other, first) };
    let well: Vec<_> = well.into_iter().map(|told| told.unwrap()).collect();
    assert_eq!(well.len(), CALLS);
    assert!(well.iter().all(|(_, bytes)| *bytes == well[0].1), "{}", wish.name);
    let fresh = well.iter().filter(|(replayed, _)| !replayed).count();
    assert_eq!(fresh, 1, "{}: all but one are replays", wish.name);
    assert_eq!(badly.len(), CALLS);
    for told in badly {
        let status = told.expect_err(wish.name);
        assert_eq!(status.code(), Code::InvalidArgument, "{}: {status}", wish.name);
        let reason = status.get_details_error_info().unwrap().reason;
        assert_eq!(reason, "IDEMPOTENCY_KEY_REUSED", "{}", wish.name);
    }
    let effects = (wish.effects)(Arc::new(served), order).await;
    assert_eq!(effects, 1, "{}", wish.name);
}

async fn on(backend: &Backend) -> Served {
    Served::start_with(backend, |config| config.order.call_wait_ms = 60_000).await
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_and_conflicting_calls_with_one_key_have_one_effect() {
    for backend in each_backend() {
        for wish in wishes() {
            let served = on(&backend).await;
            let clients = [served.client.clone()];
            one_effect(wish, served, &clients).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_have_one_effect_also_with_two_instances_on_one_database() {
    for backend in each_backend() {
        for wish in wishes() {
            let served = on(&backend).await;
            let second = served.beside().await;
            let clients = [served.client.clone(), second.client.clone()];
            one_effect(wish, served, &clients).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_dies_between_its_effect_and_its_answer_is_answered_by_the_key() {
    // The others of these tests forget with a restart what they gave back: a refund that dies is
    // played with the real ones, in the tests of the whole system.
    for wish in wishes().into_iter().filter(|wish| wish.name != "RefundOrder") {
        let served = on(&Backend::Sqlite).await;
        let order = wish.order(&served).await;
        served.crash.arm("command.after_commit");
        let mut calls = JoinSet::new();
        let call = (wish.call)(served.client.clone(), keyed("k", ()), order.clone(), false);
        calls.spawn(call);
        served.crash.happened().await;
        let served = served.restart().await;
        let again = (wish.call)(served.client.clone(), keyed("k", ()), order.clone(), false).await;
        let (replayed, first) = again.expect(wish.name);
        assert!(replayed, "{}", wish.name);
        let again = (wish.call)(served.client.clone(), keyed("k", ()), order.clone(), false).await;
        assert_eq!(again.unwrap(), (true, first), "{}", wish.name);
        let effects = (wish.effects)(Arc::new(served), order).await;
        assert_eq!(effects, 1, "{}", wish.name);
    }
}
