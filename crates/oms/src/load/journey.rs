//! One order from its creation to its outcome.

use oms_proto::oms_v1::{
    CancelOrderRequest, CreateOrderRequest, Money, Order, OrderStatus, PayOrderRequest,
    RefundOrderRequest, create_order_request::Item, order_service_client::OrderServiceClient,
};
use tokio::time::Instant;
use tonic::{Request, Response, Status, transport::Channel};

use super::{
    agree::{Back, Known},
    crowd::{Crowd, Own},
    mix::Kind,
    recorder::Measured,
    stock,
};
use crate::{
    cli::{Exit, Failure, KeyFlags, status_word},
    commands::{Follow, Step},
};

const CURRENCY: &str = "USD";
/// How often in a row a watch is begun anew without progress.
const WATCH_RETRIES: u32 = 10;

/// Plays the `n`th order, which should have begun at `begin`.
pub(super) async fn play(crowd: &Crowd, n: u64, begin: Instant) {
    let kind = crowd.dealer.deal();
    crowd.recorder.begun(kind);
    let journey = Journey { crowd, kind, n, begin, client: crowd.client(n) };
    let played = tokio::time::timeout(crowd.settle, journey.play()).await;
    match played {
        Ok(Ok(())) => crowd.recorder.well(kind),
        Ok(Err((what, failure))) => crowd.recorder.failed(what, &failure),
        Err(_) => {
            let late = Failure::new(Exit::Unavailable, "no outcome in time (--settle)");
            crowd.recorder.failed("order", &late);
        }
    }
}

struct Journey<'a> {
    crowd: &'a Crowd,
    kind: Kind,
    n: u64,
    begin: Instant,
    client: OrderServiceClient<Channel>,
}

/// What failed, and how.
type Trouble = (&'static str, Failure);

impl Journey<'_> {
    async fn play(&self) -> Result<(), Trouble> {
        let (place, order) = self.create().await.map_err(|failure| ("CreateOrder", failure))?;
        // Watched before it is paid: the instant of CONFIRMED is then the instant of its arrival.
        let mut follow = Follow::new(self.client.clone(), &order, 0, WATCH_RETRIES);
        follow.next().await.map_err(|failure| ("WatchOrder", failure))?;
        self.pay(&order).await.map_err(|failure| ("PayOrder", failure))?;
        self.crowd.learn(place, |own| own.known.paid = true);
        let accepted = Instant::now();
        if self.kind == Kind::Cancel {
            self.cancel(&order).await.map_err(|failure| ("CancelOrder", failure))?;
        }
        let outcome = outcome(&mut follow, self.kind).await;
        let ended = outcome.map_err(|failure| ("WatchOrder", failure))?;
        self.crowd.learn(place, |own| own.known.became = Some(ended.lifecycle_status()));
        if ended.lifecycle_status() == OrderStatus::Confirmed {
            self.crowd.recorder.took(Measured::Confirmed, accepted.elapsed());
            self.crowd.recorder.took(Measured::Whole, self.begin.elapsed());
        }
        self.expect(&ended).map_err(|failure| (self.kind.name(), failure))?;
        if self.kind == Kind::Refund {
            self.refund(place, &ended).await.map_err(|failure| ("RefundOrder", failure))?;
        }
        Ok(())
    }

    /// The order's place among ours, and its id.
    async fn create(&self) -> Result<(usize, String), Failure> {
        let key = format!("load-{}", self.crowd.session.seams.ids.next());
        let request = request(self.kind, self.n);
        let known = Known::default();
        let own = Own { order: None, key: key.clone(), request: request.clone(), known };
        let place = self.crowd.note(own);
        let send = |request| {
            let mut client = self.client.clone();
            async move { client.create_order(request).await }
        };
        let created = self.crowd.session.change_by(request, &key, send).await?.answer;
        self.crowd.recorder.took(Measured::Create, self.begin.elapsed());
        self.crowd.learn(place, |own| own.order = Some(created.order_id.clone()));
        Ok((place, created.order_id))
    }

    async fn pay(&self, order: &str) -> Result<(), Failure> {
        let method = if self.kind == Kind::Declined { "pm_card_declined" } else { "" };
        let request = PayOrderRequest {
            order_id: order.to_owned(),
            payment_method: method.to_owned(),
            expected_version: None,
        };
        let send = |request| {
            let mut client = self.client.clone();
            async move { client.pay_order(request).await }
        };
        let began = Instant::now();
        self.change(request, send).await?;
        self.crowd.recorder.took(Measured::Pay, began.elapsed());
        Ok(())
    }

    async fn cancel(&self, order: &str) -> Result<(), Failure> {
        let request = CancelOrderRequest {
            order_id: order.to_owned(),
            reason: "oms load".to_owned(),
            expected_version: None,
        };
        let send = |request| {
            let mut client = self.client.clone();
            async move { client.cancel_order(request).await }
        };
        let began = Instant::now();
        self.change(request, send).await?;
        self.crowd.recorder.took(Measured::Cancel, began.elapsed());
        Ok(())
    }

    async fn refund(&self, place: usize, order: &Order) -> Result<(), Failure> {
        let half = Money { currency: order.currency.clone(), amount_minor: order.amount_minor / 2 };
        let back = half.amount_minor;
        self.crowd.learn(place, |own| own.known.back = Back::Asked(back));
        let request = RefundOrderRequest {
            order_id: order.id.clone(),
            amount: Some(half),
            reason: "oms load".to_owned(),
            expected_version: None,
        };
        let send = |request| {
            let mut client = self.client.clone();
            async move { client.refund_order(request).await }
        };
        let began = Instant::now();
        self.change(request, send).await?;
        self.crowd.learn(place, |own| own.known.back = Back::Given(back));
        self.crowd.recorder.took(Measured::Refund, began.elapsed());
        Ok(())
    }

    /// A call that changes something, under a key of its own.
    async fn change<Q: Clone, A, F>(
        &self,
        request: Q,
        send: impl Fn(Request<Q>) -> F,
    ) -> Result<A, Failure>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        self.crowd.session.change(request, &KeyFlags::default(), send).await
    }

    /// Whether the order became what it should.
    fn expect(&self, order: &Order) -> Result<(), Failure> {
        let (status, code) = match self.kind {
            Kind::Ok | Kind::Refund => (OrderStatus::Confirmed, ""),
            Kind::Declined => (OrderStatus::Canceled, "payment_declined"),
            Kind::OutOfStock => (OrderStatus::Canceled, "inventory_unavailable"),
            Kind::Cancel => (OrderStatus::Canceled, "customer"),
        };
        let why = order.status_reason.as_ref().map_or("", |reason| reason.code.as_str());
        if order.lifecycle_status() == status && why == code {
            return Ok(());
        }
        let now = status_word(order.lifecycle_status);
        let wanted = format!("became {now} {why}, not {} {code}", status_word(status.into()));
        Err(Failure::new(Exit::Refused, wanted))
    }
}

/// What the `n`th order buys. Amounts are even, so that half of them can be given back.
fn request(kind: Kind, n: u64) -> CreateOrderRequest {
    let few = |modulus: u64| i32::try_from(n % modulus).unwrap_or(0);
    let item = |sku: String, qty: i32| Item {
        sku,
        qty,
        price: Some(Money {
            currency: CURRENCY.to_owned(),
            amount_minor: 1_000 + 100 * i64::from(few(7)),
        }),
        name: String::new(),
    };
    let mut items = vec![item(stock::sku(n), 1 + few(3))];
    if kind == Kind::OutOfStock {
        items.push(item(stock::OUT_OF_STOCK.to_owned(), 1));
    }
    CreateOrderRequest {
        customer_id: format!("load-customer-{}", n % 1_000),
        currency: CURRENCY.to_owned(),
        items,
        reference: String::new(),
    }
}

/// The order once it is cancelled, or confirmed and not to be cancelled.
async fn outcome(follow: &mut Follow, kind: Kind) -> Result<Order, Failure> {
    loop {
        match follow.next().await? {
            Step::Lost(..) => {}
            Step::Ended => return Err(Failure::new(Exit::Fault, "the watch ended too early")),
            Step::Seen(seen) => {
                let order = seen.order.unwrap_or_default();
                match order.lifecycle_status() {
                    OrderStatus::Canceled => return Ok(order),
                    OrderStatus::Confirmed if kind != Kind::Cancel => return Ok(order),
                    _ => {}
                }
            }
        }
    }
}
