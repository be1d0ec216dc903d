//! Many customers at once, for as long as a story wants them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, ensure};
use oms_events::Service;
use oms_proto::oms_v1::order_service_client::OrderServiceClient;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    call::{Door, Shop},
    shopping::{self, Intent, Placed},
};
use crate::{Ports, cluster::System};

/// How long customers may take to end what they began.
const ENDED_WITHIN: Duration = Duration::from_secs(300);
/// Complaints that an error repeats.
const COMPLAINTS_MAX: usize = 10;

/// How many customers there are, and how fast they go.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Customers at the same time.
    pub clients: u64,
    /// Orders of one customer in a second, at most.
    pub orders_per_s: u64,
    /// What their names begin with: keys are theirs alone.
    pub name: &'static str,
}

impl Default for Pace {
    fn default() -> Self {
        Self { clients: 16, orders_per_s: 1, name: "customer" }
    }
}

/// Customers at work.
#[derive(Debug)]
pub struct Load {
    shop: Arc<Shop>,
    placed: Arc<Mutex<Vec<Placed>>>,
    paid: Arc<AtomicU64>,
    stop: CancellationToken,
    clients: JoinSet<anyhow::Result<()>>,
}

/// What customers came to.
#[derive(Debug)]
pub struct Served {
    placed: Vec<Placed>,
    /// Calls made.
    pub calls: u64,
    /// Tries made again because the service had gone.
    pub excused: u64,
    /// Tries made again because it said when to come again.
    pub asked: u64,
    /// Tries made again although it was there; at most one a call.
    pub retries: u64,
}

impl Load {
    /// Customers of the order service in all its instances, from now on.
    #[must_use]
    pub fn start(system: &System, pace: Pace) -> Self {
        let doors = system.of(Service::Order).map(|instance| Door {
            orders: OrderServiceClient::new(Ports::channel(instance.grpc)),
            presence: instance.presence.clone(),
        });
        let shop = Arc::new(Shop::new(doors.collect()));
        let mut load = Self {
            shop,
            placed: Arc::default(),
            paid: Arc::default(),
            stop: CancellationToken::new(),
            clients: JoinSet::new(),
        };
        for client in 0..pace.clients {
            let customer = Customer {
                shop: load.shop.clone(),
                placed: load.placed.clone(),
                paid: load.paid.clone(),
                stop: load.stop.clone(),
                number: client,
                pace,
            };
            load.clients.spawn(customer.shop_until_stopped());
        }
        load
    }

    /// Orders paid so far.
    #[must_use]
    pub fn paid(&self) -> u64 {
        self.paid.load(Ordering::SeqCst)
    }

    /// Sends no more customers, and waits until each has ended what it began.
    ///
    /// # Errors
    /// Every complaint.
    pub async fn end(mut self) -> anyhow::Result<Served> {
        self.stop.cancel();
        let mut failures = Vec::new();
        let ended = tokio::time::timeout(ENDED_WITHIN, async {
            while let Some(ended) = self.clients.join_next().await {
                failures.extend(ended.map_err(Into::into).flatten().err());
            }
        });
        ended.await.with_context(|| format!("customers still wait after {ENDED_WITHIN:?}"))?;
        let tally = &self.shop.tally;
        let complaints = tally.complaints.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let failures = failures.iter().map(|why| format!("{why:#}"));
        // A complaint that ended a customer is in both.
        let all: BTreeSet<String> = failures.chain(complaints).collect();
        let mut all: Vec<String> = all.into_iter().collect();
        let count = all.len();
        all.truncate(COMPLAINTS_MAX);
        ensure!(count == 0, "{count} complaints of customers:\n{}", all.join("\n"));
        let of = |count: &AtomicU64| count.load(Ordering::SeqCst);
        let placed = self.placed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Served {
            placed,
            calls: of(&tally.calls),
            excused: of(&tally.excused),
            asked: of(&tally.asked),
            retries: of(&tally.retries),
        })
    }
}

impl Served {
    /// Orders acknowledged.
    #[must_use]
    pub fn orders(&self) -> usize {
        self.placed.len()
    }

    /// Checks that each acknowledged order is there and ended as its customer wanted.
    ///
    /// # Errors
    /// Those that did not.
    pub fn ended_well(&self, statuses: &BTreeMap<String, String>) -> anyhow::Result<()> {
        let wrong: Vec<String> = self
            .placed
            .iter()
            .filter_map(|Placed { id, key, intent }| {
                let status = statuses.get(id).map_or("lost", String::as_str);
                (status != intent.ends()).then(|| format!("{key} {id} {intent:?}: {status}"))
            })
            .take(COMPLAINTS_MAX)
            .collect();
        ensure!(wrong.is_empty(), "orders that did not end well:\n{}", wrong.join("\n"));
        ensure!(!self.placed.is_empty(), "nobody ordered anything");
        Ok(())
    }
}

/// One of them.
struct Customer {
    shop: Arc<Shop>,
    placed: Arc<Mutex<Vec<Placed>>>,
    paid: Arc<AtomicU64>,
    stop: CancellationToken,
    number: u64,
    pace: Pace,
}

impl Customer {
    async fn shop_until_stopped(self) -> anyhow::Result<()> {
        let mut ticks =
            tokio::time::interval(Duration::from_millis(1_000 / self.pace.orders_per_s.max(1)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let usual = usize::try_from(self.number)?;
        // Waiting for a confirmation keeps nobody from the next order.
        let mut waiting = JoinSet::new();
        for n in 0.. {
            let stopped = self.stop.run_until_cancelled(ticks.tick()).await;
            if stopped.is_none() {
                break;
            }
            let intent = Intent::of(n * self.pace.clients + self.number);
            let key = format!("{}-{}-{n}", self.pace.name, self.number);
            let placed = shopping::place(&self.shop, usual, &key, intent).await?;
            self.placed.lock().unwrap_or_else(PoisonError::into_inner).push(placed.clone());
            shopping::buy(&self.shop, usual, &placed).await?;
            self.paid.fetch_add(1, Ordering::SeqCst);
            if intent == Intent::WantsMoneyBack {
                let shop = self.shop.clone();
                waiting.spawn(async move { shopping::give_back(&shop, usual, &placed).await });
            }
        }
        while let Some(ended) = waiting.join_next().await {
            ended??;
        }
        Ok(())
    }
}
