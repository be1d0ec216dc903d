//! What all journeys of a load share: connections, the recorder, and every order of ours.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use oms_proto::oms_v1::{CreateOrderRequest, order_service_client::OrderServiceClient};
use tonic::transport::Channel;

use super::{
    agree::Known,
    mix::{Dealer, Mix},
    recorder::Recorder,
};
use crate::cli::{Failure, Session};

/// Streams and calls that share a connection. The services allow 1,024 on one; other servers often
/// 100: none is to wait unseen on this side. Watches of all connections together are bounded by
/// `order.watchers_max` (5,000).
const ORDERS_PER_CONNECTION: u32 = 40;
const CONNECTIONS_MAX: u32 = 64;

/// An order of this load.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// Its id, when the answer to its creation arrived.
    pub(super) order: Option<String>,
    /// The key of its creation, by which the id can be asked for again.
    pub(super) key: String,
    /// What was asked for.
    pub(super) request: CreateOrderRequest,
    /// What is known of it by what was answered since.
    pub(super) known: Known,
}

impl Own {
    /// What a report calls it.
    pub(super) fn name(&self) -> String {
        match &self.order {
            Some(order) => format!("order {order}"),
            None => format!("the order of key {}", self.key),
        }
    }
}

/// Shared by all journeys.
pub(super) struct Crowd {
    pub(super) session: Session,
    pub(super) recorder: Recorder,
    pub(super) dealer: Dealer,
    /// How long an order may take to its outcome.
    pub(super) settle: Duration,
    clients: Vec<OrderServiceClient<Channel>>,
    own: Mutex<Vec<Own>>,
}

impl Crowd {
    /// Connects as often as so many orders at once need.
    pub(super) async fn gather(
        session: Session,
        mix: &Mix,
        at_once: u32,
        settle: Duration,
    ) -> Result<Self, Failure> {
        let connections = at_once.div_ceil(ORDERS_PER_CONNECTION).clamp(1, CONNECTIONS_MAX);
        let mut clients = Vec::new();
        for _ in 0..connections {
            clients.push(session.orders().await?);
        }
        let (recorder, own) = (Recorder::default(), Mutex::default());
        Ok(Self { session, recorder, dealer: Dealer::new(mix), settle, clients, own })
    }

    /// The client of the `n`th order.
    pub(super) fn client(&self, n: u64) -> OrderServiceClient<Channel> {
        let at = usize::try_from(n).unwrap_or(0) % self.clients.len();
        self.clients[at].clone()
    }

    /// Notes an order before it is created; gives its place.
    pub(super) fn note(&self, own: Own) -> usize {
        let mut all = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(own);
        all.len() - 1
    }

    /// Notes what is learned of the order at a place.
    pub(super) fn learn(&self, at: usize, what: impl FnOnce(&mut Own)) {
        let mut all = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        what(&mut all[at]);
    }

    /// Every order of ours.
    pub(super) fn own(&self) -> Vec<Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
