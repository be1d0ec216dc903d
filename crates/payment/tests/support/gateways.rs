//! Gateways that are slow, silent, or held by the test.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use oms_payment::gateway::{
    CaptureOrder, Gateway, RefundOrder, SimulatedGateway, Unknown, Verdict,
};
use tokio::sync::{Notify, Semaphore};

/// A gateway whose calls wait at a gate before they reach the real one.
#[derive(Debug)]
pub(crate) struct Gate {
    behind: SimulatedGateway,
    held: Option<String>,
    open: Semaphore,
    inside: AtomicUsize,
    most: AtomicUsize,
    pub(crate) entered: Notify,
}

impl Gate {
    /// Every call waits until the gate lets it through.
    pub(crate) fn closed(behind: &SimulatedGateway) -> Arc<Self> {
        Self::of(behind, None)
    }

    /// Only calls about `order` wait.
    pub(crate) fn closed_for(behind: &SimulatedGateway, order: &str) -> Arc<Self> {
        Self::of(behind, Some(order.to_owned()))
    }

    fn of(behind: &SimulatedGateway, held: Option<String>) -> Arc<Self> {
        Arc::new(Self {
            behind: behind.clone(),
            held,
            open: Semaphore::new(0),
            inside: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            entered: Notify::new(),
        })
    }

    pub(crate) fn let_through(&self, calls: usize) {
        self.open.add_permits(calls);
    }

    pub(crate) fn open_wide(&self) {
        self.open.close();
    }

    /// The most calls that were inside at once.
    pub(crate) fn most_inside(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    pub(crate) fn inside(&self) -> usize {
        self.inside.load(Ordering::SeqCst)
    }

    async fn pass(&self, order: &str) {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        self.entered.notify_one();
        if self.held.as_deref().is_none_or(|held| held == order)
            && let Ok(permit) = self.open.acquire().await
        {
            permit.forget();
        }
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Gateway for Gate {
    async fn capture(&self, order: CaptureOrder) -> Result<Verdict, Unknown> {
        self.pass(&order.order_id).await;
        self.behind.capture(order).await
    }

    async fn refund(&self, order: RefundOrder) -> Result<Verdict, Unknown> {
        self.pass(&order.order_id).await;
        self.behind.refund(order).await
    }

    async fn ping(&self) -> Result<(), Unknown> {
        self.behind.ping().await
    }
}

/// A gateway that hears and never answers.
#[derive(Debug)]
pub(crate) struct Silent;

#[async_trait]
impl Gateway for Silent {
    async fn capture(&self, _: CaptureOrder) -> Result<Verdict, Unknown> {
        std::future::pending().await
    }

    async fn refund(&self, _: RefundOrder) -> Result<Verdict, Unknown> {
        std::future::pending().await
    }

    async fn ping(&self) -> Result<(), Unknown> {
        std::future::pending().await
    }
}
