//! Where an order's money stands, for operators: what the gateway owes, too.

use async_trait::async_trait;
use oms_admin::{Owed, Standing, Teller};
use oms_messaging::Failure;

use crate::{
    domain::{Payment, Progress, Snapshot},
    queries::{PaymentView, Queries},
};

/// Tells of this service's payments.
#[derive(Clone, Debug)]
pub(crate) struct PaymentTeller {
    queries: Queries,
}

impl PaymentTeller {
    pub(crate) fn new(queries: Queries) -> Self {
        Self { queries }
    }
}

#[async_trait]
impl Teller for PaymentTeller {
    async fn standing(&self, order_id: &str) -> Result<Option<Standing>, Failure> {
        let found = self.queries.payment(order_id).await?;
        Ok(found.map(|PaymentView { payment, .. }| Standing {
            words: words(&payment),
            owed: owed(&payment),
        }))
    }
}

fn words(payment: &Snapshot) -> String {
    let (taken, given) = (payment.totals.captured, payment.totals.refunded);
    let end = if payment.closed {
        ", closed"
    } else if payment.closing {
        ", closing"
    } else {
        ""
    };
    format!("captured {taken} and refunded {given} {} in minor units{end}", payment.currency)
}

fn owed(payment: &Snapshot) -> Vec<Owed> {
    let captures = payment.captures.values().map(|one| ("the outcome of a capture", &one.progress));
    let refunds = payment.refunds.values().map(|one| ("the outcome of a refund", &one.progress));
    let open = captures.chain(refunds).filter(|(_, progress)| progress.is_open());
    let mut owed: Vec<Owed> = open.map(|(word, progress)| at_the_gateway(word, progress)).collect();
    if Payment::restore(payment.clone()).waits() {
        owed.push(Owed::new("confirmed or canceled", "order", payment.updated_at));
    }
    owed
}

fn at_the_gateway(word: &'static str, progress: &Progress) -> Owed {
    let detail = match (progress.attempts, progress.next_at) {
        (0, _) => "the first call has not been answered".to_owned(),
        (unknown, Some(next)) => {
            format!("{unknown} calls without an outcome; asked again at {}", next.to_rfc3339())
        }
        (unknown, None) => format!("{unknown} calls without an outcome"),
    };
    Owed { detail, ..Owed::new(word, "gateway", progress.updated_at) }
}
