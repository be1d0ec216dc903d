//! The simulated gateway behind a bad line: a call may not arrive, its answer may be lost, and it
//! can be held on its way.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use oms_payment::gateway::{
    CaptureOrder, Gateway, RefundOrder, SimulatedGateway, Unknown, Verdict,
};

use crate::{
    trail::Trail,
    trap::{Place, Trap},
};

/// What becomes of the next call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Line {
    /// It is answered.
    #[default]
    Fine,
    /// It never arrives.
    Deaf,
    /// It arrives, and its answer is lost.
    Mute,
    /// If it is a refund never asked for before, it is declined, and so it stays.
    Refused,
}

/// What became of keys, kept as long as the gateway's own log.
#[derive(Debug, Default)]
struct Keys {
    settled: BTreeSet<String>,
    refused: BTreeSet<String>,
}

/// The gateway and the line to it.
#[derive(Debug)]
pub(crate) struct Processor {
    gateway: SimulatedGateway,
    line: Mutex<Line>,
    keys: Mutex<Keys>,
    trail: Arc<Trail>,
    trap: Arc<Trap>,
}

impl Processor {
    /// The gateway with whoever watches it.
    #[must_use]
    pub(crate) fn new(gateway: SimulatedGateway, trail: Arc<Trail>, trap: Arc<Trap>) -> Self {
        Self { gateway, line: Mutex::default(), keys: Mutex::default(), trail, trap }
    }

    /// Decides about the next call.
    pub(crate) fn next_call(&self, line: Line) {
        *self.line() = line;
    }

    async fn carry(
        &self,
        what: String,
        call: impl Future<Output = Result<Verdict, Unknown>>,
    ) -> Result<Verdict, Unknown> {
        self.trap.pass(Place::BeforeCall).await;
        let line = std::mem::take(&mut *self.line());
        let answer = match line {
            Line::Deaf => Err(Unknown("the call did not arrive".to_owned())),
            Line::Fine | Line::Refused => call.await,
            Line::Mute => call.await.and(Err(Unknown("the answer was lost".to_owned()))),
        };
        if answer.is_err() {
            self.trail.count(|counts| counts.failures += 1);
        }
        self.trail.note(match &answer {
            Ok(Verdict::Approved) => format!("{what} approved"),
            Ok(Verdict::Declined { code, .. }) => format!("{what} declined: {code}"),
            Err(Unknown(why)) => format!("{what} unknown: {why}"),
        });
        self.trap.pass(Place::AfterCall).await;
        answer
    }

    /// Whether a refund is declined: now, if the line says so and the gateway does not know it yet,
    /// and ever after.
    fn refuses(&self, key: &str) -> bool {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if *self.line() == Line::Refused && !keys.settled.contains(key) {
            keys.refused.insert(key.to_owned());
        }
        let refused = keys.refused.contains(key);
        if !refused {
            keys.settled.insert(key.to_owned());
        }
        refused
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Gateway for Processor {
    async fn capture(&self, order: CaptureOrder) -> Result<Verdict, Unknown> {
        let what = format!("capture {} of {}", order.amount_minor, order.order_id);
        self.carry(what, self.gateway.capture(order)).await
    }

    async fn refund(&self, order: RefundOrder) -> Result<Verdict, Unknown> {
        let what = format!("refund {} to {}", order.amount_minor, order.order_id);
        if self.refuses(&order.idempotency_key) {
            let (code, reason) = ("refused".to_owned(), "by the seed".to_owned());
            return self.carry(what, async { Ok(Verdict::Declined { code, reason }) }).await;
        }
        self.carry(what, self.gateway.refund(order)).await
    }

    async fn ping(&self) -> Result<(), Unknown> {
        self.gateway.ping().await
    }
}
