//! Whether money and stock agree: every order of ours is asked about at all three services.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt, stream};
use oms_proto::oms_v1::{
    GetOrderRequest, GetPaymentRequest, GetReservationRequest, Order, Payment, Reservation, Stock,
    inventory_service_client::InventoryServiceClient, order_service_client::OrderServiceClient,
    payment_service_client::PaymentServiceClient,
};
use tokio::time::Instant;
use tonic::transport::Channel;

use super::{
    agree::{Settled, agree},
    crowd::{Crowd, Own},
    stock,
};
use crate::cli::{Exit, Failure, Session};

/// Orders asked about at the same time.
const AT_ONCE: usize = 16;
/// How soon what has not settled is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Orders that nobody answered about before the rest is not asked about.
const UNHEARD_MAX: usize = 50;

/// What the services say at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict {
    /// Orders asked about.
    pub(super) orders: usize,
    /// Money taken and given back, in minor units.
    pub(super) captured: i64,
    pub(super) refunded: i64,
    /// Units that went to orders.
    pub(super) units: i64,
    /// What does not agree; empty when all does.
    pub(super) wrong: Vec<String>,
    /// Why it could not be verified to the end; what is told above is then a part.
    pub(super) unfinished: Option<Failure>,
}

impl Verdict {
    /// Whether all was asked about, and agrees.
    pub(super) fn is_well(&self) -> bool {
        self.wrong.is_empty() && self.unfinished.is_none()
    }
}

/// What became known of one order.
enum Heard {
    /// What it came to, once all agree.
    Settled(Settled),
    /// Somebody says otherwise, or has not settled yet.
    Disagree(String),
    /// Somebody did not say.
    Unheard(Failure),
}

/// Asks until all is settled and agrees, for so long at most. What could not be asked is part of
/// the verdict, so that nothing keeps the report from being told.
pub(super) async fn verify(
    crowd: &Crowd,
    before: &BTreeMap<String, Stock>,
    within: Duration,
) -> Verdict {
    let mut verdict = Verdict::default();
    if let Err(failure) = ask(crowd, before, within, &mut verdict).await {
        verdict.unfinished = Some(failure);
    }
    verdict
}

async fn ask(
    crowd: &Crowd,
    before: &BTreeMap<String, Stock>,
    within: Duration,
    verdict: &mut Verdict,
) -> Result<(), Failure> {
    let until = Instant::now() + within;
    let witnesses = Witnesses::call(crowd).await?;
    let mut open = crowd.own();
    verdict.orders = open.len();
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    loop {
        let asked = std::mem::take(&mut open).into_iter().map(|own| witnesses.hear(own));
        let mut hearing = stream::iter(asked).buffer_unordered(AT_ONCE);
        let mut unheard = Vec::new();
        verdict.wrong.clear();
        while let Some((own, heard)) = hearing.next().await {
            let why = match heard {
                Heard::Settled(settled) => {
                    count(verdict, &mut expected, settled);
                    continue;
                }
                Heard::Disagree(why) => why,
                // Who does not answer so often is away, and that is no matter of one order.
                Heard::Unheard(failure) if unheard.len() >= UNHEARD_MAX => return Err(failure),
                Heard::Unheard(failure) => {
                    let why = format!("cannot be asked about: {}", failure.message);
                    unheard.push(failure);
                    why
                }
            };
            verdict.wrong.push(format!("{}: {why}", own.name()));
            open.push(own);
        }
        if open.is_empty() {
            verdict.wrong = moved(before, &stock::counts(&crowd.session).await?, &expected);
        }
        if verdict.wrong.is_empty() || Instant::now() > until {
            let nothing_else = verdict.wrong.len() == unheard.len();
            return unheard.pop().filter(|_| nothing_else).map_or(Ok(()), Err);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn count(verdict: &mut Verdict, expected: &mut BTreeMap<String, i64>, settled: Settled) {
    verdict.captured += settled.captured;
    verdict.refunded += settled.refunded;
    for (sku, units) in settled.units {
        verdict.units += units;
        *expected.entry(sku).or_default() += units;
    }
}

/// SKUs whose counts moved by anything but what our orders took.
fn moved(
    before: &BTreeMap<String, Stock>,
    now: &BTreeMap<String, Stock>,
    expected: &BTreeMap<String, i64>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (sku, earlier) in before {
        let Some(later) = now.get(sku) else { continue };
        let taken = stock::taken(later) - stock::taken(earlier);
        let gone = earlier.available - later.available;
        let ours = expected.get(sku).copied().unwrap_or(0);
        if (taken, gone) != (ours, ours) {
            wrong.push(format!(
                "{sku}: our orders took {ours}, held + committed + shipped rose by {taken}, \
                 available fell by {gone}"
            ));
        }
    }
    wrong
}

/// The three services.
struct Witnesses<'a> {
    session: &'a Session,
    orders: OrderServiceClient<Channel>,
    inventory: InventoryServiceClient<Channel>,
    payments: PaymentServiceClient<Channel>,
}

impl<'a> Witnesses<'a> {
    async fn call(crowd: &'a Crowd) -> Result<Self, Failure> {
        let session = &crowd.session;
        Ok(Self {
            session,
            orders: session.orders().await?,
            inventory: session.inventory().await?,
            payments: session.payments().await?,
        })
    }

    /// What the three say of an order, and whether they agree with each other and with us. Where
    /// the answer to a creation was lost, the same call tells which order it was.
    async fn hear(&self, mut own: Own) -> (Own, Heard) {
        let heard = self.heard(&mut own).await.unwrap_or_else(Heard::Unheard);
        (own, heard)
    }

    async fn heard(&self, own: &mut Own) -> Result<Heard, Failure> {
        let order = match own.order.clone() {
            Some(order) => order,
            None => self.named(own).await?,
        };
        own.order = Some(order.clone());
        let Some(shown) = self.order(&order).await? else {
            return Ok(Heard::Disagree("order does not know it any more".to_owned()));
        };
        let payment = self.payment(&order).await?;
        let reservation = self.reservation(&order).await?;
        let agreed = agree(&own.known, &shown, &payment, &reservation);
        Ok(agreed.map_or_else(Heard::Disagree, Heard::Settled))
    }

    async fn named(&self, own: &Own) -> Result<String, Failure> {
        let send = |request| {
            let mut client = self.orders.clone();
            async move { client.create_order(request).await }
        };
        let created = self.session.change_by(own.request.clone(), &own.key, send).await?;
        Ok(created.answer.order_id)
    }

    /// `None` where there is no such order.
    async fn order(&self, order: &str) -> Result<Option<Order>, Failure> {
        let ask = |request| {
            let mut client = self.orders.clone();
            async move { client.get_order(request).await }
        };
        let answer = self.session.ask(GetOrderRequest { order_id: order.to_owned() }, ask).await;
        unheard_of(answer.map(|answer| answer.order))
    }

    async fn payment(&self, order: &str) -> Result<Payment, Failure> {
        let ask = |request| {
            let mut client = self.payments.clone();
            async move { client.get_payment(request).await }
        };
        let request = GetPaymentRequest { order_id: order.to_owned() };
        let answer = self.session.ask(request, ask).await;
        unheard_of(answer.map(|answer| answer.payment.unwrap_or_default()))
    }

    async fn reservation(&self, order: &str) -> Result<Reservation, Failure> {
        let ask = |request| {
            let mut client = self.inventory.clone();
            async move { client.get_reservation(request).await }
        };
        let request = GetReservationRequest { order_id: order.to_owned() };
        let answer = self.session.ask(request, ask).await;
        unheard_of(answer.map(|answer| answer.reservation.unwrap_or_default()))
    }
}

/// Of what a service never heard it has nothing.
fn unheard_of<T: Default>(answer: Result<T, Failure>) -> Result<T, Failure> {
    match answer {
        Err(failure) if failure.exit == Exit::NotFound => Ok(T::default()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(available: i64, committed: i64) -> BTreeMap<String, Stock> {
        let stock = Stock { sku: "a".into(), available, committed, ..Stock::default() };
        BTreeMap::from([("a".to_owned(), stock)])
    }

    #[test]
    fn stock_that_moved_by_anything_else_is_found() {
        let ours = BTreeMap::from([("a".to_owned(), 3)]);
        assert_eq!(moved(&counts(10, 0), &counts(7, 3), &ours), Vec::<String>::new());
        for now in [counts(6, 4), counts(7, 2), counts(8, 3), counts(10, 0)] {
            assert_eq!(moved(&counts(10, 0), &now, &ours).len(), 1, "{now:?}");
        }
        assert_eq!(moved(&counts(10, 0), &counts(9, 1), &BTreeMap::new()).len(), 1);
    }
}
