//! The state behind the three fakes, and the faults a test asks for.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use oms_proto::{
    oms_admin_v1::{DeadLetter, dead_letter_service_server::DeadLetterServiceServer},
    oms_v1::{
        Order, OrderStatus, StatusReason, TimelineEntry,
        inventory_service_server::InventoryServiceServer, order_service_server::OrderServiceServer,
        payment_service_server::PaymentServiceServer,
    },
};
use tokio::{net::TcpListener, process::Child, sync::watch};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Status, transport::Server};

use crate::program::{Ended, command};

/// What one of the services says wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Payment took a cent more than anybody knows.
    Money,
    /// Stock of SKU-LOAD-01 went to somebody else.
    Stock,
    /// Every refund is given twice, and all know of both.
    RefundedTwice,
    /// An order that was CONFIRMED is CANCELED once somebody asks, and all say so.
    CanceledLater,
    /// Order has forgotten its first order.
    Forgotten,
    /// Inventory is out of order as soon as there are orders.
    StockBroken,
}

/// An order and its timeline.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) order: Order,
    pub(crate) timeline: Vec<TimelineEntry>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) orders: Vec<Kept>,
    pub(crate) keys: BTreeMap<String, String>,
    /// Keys as they came, by method.
    pub(crate) seen: Vec<(&'static str, String)>,
    /// What a method answers next instead of its work.
    pub(crate) faults: BTreeMap<&'static str, VecDeque<Status>>,
    /// Paid orders stay PENDING.
    pub(crate) stuck: bool,
    pub(crate) lie: Option<Lie>,
    /// Parked events; as long as nothing is mended, each poisoned one fails again.
    pub(crate) letters: Vec<DeadLetter>,
    pub(crate) mended: bool,
    /// What operators said, call by call.
    pub(crate) notes: Vec<String>,
}

/// Handles to the fakes.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) changed: Arc<watch::Sender<u64>>,
    pub(crate) address: String,
}

impl Fake {
    /// Serves all three on one free port until the runtime ends.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let fake =
            Self { state: Arc::default(), changed: Arc::new(watch::Sender::new(0)), address };
        let server = Server::builder()
            .add_service(OrderServiceServer::new(fake.clone()))
            .add_service(InventoryServiceServer::new(fake.clone()))
            .add_service(PaymentServiceServer::new(fake.clone()))
            .add_service(DeadLetterServiceServer::new(fake.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::task::spawn_local(async move { server.await.unwrap() });
        fake
    }

    /// Runs a test against a fake.
    pub(crate) fn with<T>(test: impl AsyncFnOnce(Self) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async { test(Self::start().await).await })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Runs the program against the fakes to its end.
    pub(crate) async fn oms(&self, arguments: &[&str]) -> Ended {
        Ended::of(&self.spawn(arguments).wait_with_output().await.unwrap())
    }

    /// Starts the program against the fakes.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.spawn_into(Stdio::piped(), arguments)
    }

    /// The same with another standard output.
    pub(crate) fn spawn_into(&self, stdout: impl Into<Stdio>, arguments: &[&str]) -> Child {
        let mut command = command(arguments);
        for service in ["ORDER", "INVENTORY", "PAYMENT", "ADMIN"] {
            command.env(format!("OMS_{service}_ADDR"), &self.address);
        }
        command.stdout(stdout).stderr(Stdio::piped());
        tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap()
    }

    /// Waits, with a bound, until the state is so.
    pub(crate) async fn until(&self, is: impl Fn(&State) -> bool) {
        let waiting = async {
            while !is(&self.lock()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it never became so");
    }

    /// The method fails so often before it works.
    pub(crate) fn fail(&self, method: &'static str, with: impl IntoIterator<Item = Status>) {
        self.lock().faults.entry(method).or_default().extend(with);
    }

    /// The fault that is due, and a note of the key.
    pub(crate) fn begin<T>(
        &self,
        method: &'static str,
        request: &Request<T>,
    ) -> Result<(), Status> {
        let mut state = self.lock();
        if let Some(key) = request.metadata().get("idempotency-key") {
            state.seen.push((method, key.to_str().unwrap().to_owned()));
        }
        state.faults.get_mut(method).and_then(VecDeque::pop_front).map_or(Ok(()), Err)
    }

    /// Changes an order, with an entry on its timeline.
    pub(crate) fn change<T>(
        &self,
        id: &str,
        change: impl FnOnce(&mut Order) -> Result<T, Status>,
    ) -> Result<T, Status> {
        let mut state = self.lock();
        let kept = state.orders.iter_mut().find(|kept| kept.order.id == id);
        let kept = kept.ok_or_else(|| refusal(tonic::Code::NotFound, "ORDER_NOT_FOUND"))?;
        let before = kept.order.lifecycle_status;
        let done = change(&mut kept.order)?;
        if kept.order.lifecycle_status != before {
            kept.note(&status_word(kept.order.lifecycle_status()));
        }
        drop(state);
        self.changed.send_modify(|count| *count += 1);
        Ok(done)
    }
}

impl Kept {
    /// A further entry.
    pub(crate) fn note(&mut self, status: &str) {
        self.order.version += 1;
        self.timeline.push(TimelineEntry {
            event_type: "OrderStatusChanged".into(),
            payload: format!("{{\"status\":\"{status}\"}}"),
            version: self.order.version,
            timestamp: self.order.created_at,
            ..TimelineEntry::default()
        });
    }
}

fn status_word(status: OrderStatus) -> String {
    status.as_str_name().replace("ORDER_STATUS_", "").to_lowercase()
}

/// Both statuses at once.
pub(crate) fn become_(order: &mut Order, status: OrderStatus) {
    order.set_status(status);
    order.set_lifecycle_status(status);
}

/// Cancelled, for a reason.
pub(crate) fn cancel(order: &mut Order, code: &str) {
    become_(order, OrderStatus::Canceled);
    order.refunded_minor = order.captured_minor;
    order.status_reason = Some(StatusReason { code: code.into(), message: "so it is".into() });
}

/// A refusal with its reason.
pub(crate) fn refusal(code: tonic::Code, reason: &str) -> Status {
    use tonic_types::{ErrorDetails, StatusExt};
    let details = ErrorDetails::with_error_info(reason, "oms", none());
    let message = reason.to_lowercase().replace('_', " ");
    Status::with_error_details(code, message, details)
}

/// UNAVAILABLE that wants to be asked again at once.
pub(crate) fn busy() -> Status {
    use tonic_types::{ErrorDetails, StatusExt};
    let mut details = ErrorDetails::new();
    details.set_retry_info(Some(std::time::Duration::from_millis(1)));
    details.set_error_info("DRAINING", "oms", none());
    Status::with_error_details(tonic::Code::Unavailable, "the service is shutting down", details)
}

fn none() -> HashMap<String, String> {
    HashMap::new()
}
