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
}

/// Asks until all is settled and agrees, for so long at most.
pub(super) async fn verify(
    crowd: &Crowd,
    before: &BTreeMap<String, Stock>,
    within: Duration,
) -> Result<Verdict, Failure> {
    let until = Instant::now() + within;
    let witnesses = Witnesses::call(&crowd.session).await?;
    let mut open = names(crowd).await?;
    let mut verdict = Verdict { orders: open.len(), ..Verdict::default() };
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    loop {
        let asked = open.drain(..).map(|order| witnesses.hear(order));
        let heard: Vec<_> = stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
        let mut wrong = Vec::new();
        for (order, said) in heard {
            match said? {
                Ok(settled) => count(&mut verdict, &mut expected, settled),
                Err(why) => {
                    wrong.push(format!("order {order}: {why}"));
                    open.push(order);
                }
            }
        }
        if open.is_empty() {
            wrong = moved(before, &stock::counts(&crowd.session).await?, &expected);
        }
        verdict.wrong = wrong;
        if verdict.wrong.is_empty() || Instant::now() > until {
            return Ok(verdict);
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

/// The ids of all our orders. Where the answer to a creation was lost, the same call tells.
async fn names(crowd: &Crowd) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for own in crowd.own() {
        names.push(match own.order {
            Some(order) => order,
            None => named(crowd, own).await?,
        });
    }
    Ok(names)
}

async fn named(crowd: &Crowd, own: Own) -> Result<String, Failure> {
    let client = crowd.client(0);
    let send = |request| {
        let mut client = client.clone();
        async move { client.create_order(request).await }
    };
    Ok(crowd.session.change(own.request, Some(&own.key), send).await?.order_id)
}

/// The three services.
struct Witnesses<'a> {
    session: &'a Session,
    orders: OrderServiceClient<Channel>,
    inventory: InventoryServiceClient<Channel>,
    payments: PaymentServiceClient<Channel>,
}

impl<'a> Witnesses<'a> {
    async fn call(session: &'a Session) -> Result<Self, Failure> {
        Ok(Self {
            session,
            orders: session.orders().await?,
            inventory: session.inventory().await?,
            payments: session.payments().await?,
        })
    }

    /// What the three say of an order, and whether they agree.
    async fn hear(&self, order: String) -> (String, Result<Result<Settled, String>, Failure>) {
        let heard = async {
            let shown = self.order(&order).await?;
            let payment = self.payment(&order).await?;
            let reservation = self.reservation(&order).await?;
            Ok(agree(&shown, &payment, &reservation))
        };
        let heard = heard.await;
        (order, heard)
    }

    async fn order(&self, order: &str) -> Result<Order, Failure> {
        let ask = |request| {
            let mut client = self.orders.clone();
            async move { client.get_order(request).await }
        };
        let answer = self.session.ask(GetOrderRequest { order_id: order.to_owned() }, ask).await?;
        Ok(answer.order.unwrap_or_default())
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
