//! One call of a customer: repeated with the same key when the service went away, and judged.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use oms_proto::oms_v1::order_service_client::OrderServiceClient;
use tonic::{Code, Response, Status, transport::Channel};
use tonic_types::StatusExt;

use crate::cluster::Presence;

/// How long one try of a call may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long a customer waits for a service to come back.
const BACK_WITHIN: Duration = Duration::from_secs(180);
/// How often a customer comes again because the service said when to.
const COMES_AGAIN_MAX: u32 = 5;
/// Tries a customer makes while the outcome of something slow is not known.
const PATIENCE_MAX: u32 = 200;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// A client of the order service.
pub(super) type Orders = OrderServiceClient<Channel>;

/// What comes of one try.
type Answer<T> = Result<Response<T>, Status>;

/// The order service as customers reach it: one or several doors.
#[derive(Debug)]
pub(super) struct Shop {
    doors: Vec<Door>,
    pub(super) tally: Tally,
}

/// An instance of the order service.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) orders: Orders,
    pub(super) presence: Presence,
}

/// What came of all calls.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) calls: AtomicU64,
    /// Tries made again because the service went away.
    pub(super) excused: AtomicU64,
    /// Tries made again because the service said when to come again.
    pub(super) asked: AtomicU64,
    /// Tries made again although the service was there and had said nothing of the kind.
    pub(super) retries: AtomicU64,
    /// Calls that needed more than one such retry, or were never answered.
    pub(super) complaints: Mutex<Vec<String>>,
}

impl Tally {
    fn complain(&self, what: String) {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }
}

impl Shop {
    pub(super) fn new(doors: Vec<Door>) -> Self {
        Self { doors, tally: Tally::default() }
    }

    /// An open door, the customer's usual one first.
    async fn door(&self, usual: usize) -> anyhow::Result<&Door> {
        let count = self.doors.len();
        let mut near = (0..count).map(|n| &self.doors[(usual + n) % count]);
        if let Some(door) = near.find(|door| door.presence.is_there()) {
            return Ok(door);
        }
        let door = &self.doors[usual % count];
        door.presence.back(BACK_WITHIN).await?;
        Ok(door)
    }

    /// Makes a call until it is answered. A try that fails although the service was there all the
    /// time may be made again once.
    ///
    /// # Errors
    /// The refusal that is an answer, or a complaint.
    pub(super) async fn call<T, F: Future<Output = Answer<T>>>(
        &self,
        what: &str,
        usual: usize,
        call: impl Fn(Orders) -> F,
    ) -> anyhow::Result<Result<T, Status>> {
        self.tally.calls.fetch_add(1, Ordering::Relaxed);
        let (mut unexcused, mut patience, mut asked) = (0, 0, 0);
        loop {
            let door = self.door(usual).await.with_context(|| what.to_owned())?;
            let then = door.presence.now();
            let answer = tokio::time::timeout(ANSWER_WITHIN, call(door.orders.clone())).await;
            let status = match answer {
                Ok(Ok(answer)) => return Ok(Ok(answer.into_inner())),
                Ok(Err(status)) => status,
                Err(_) => Status::deadline_exceeded("no answer"),
            };
            match status.code() {
                // What was begun goes on, or another call is at it: the same key tells.
                Code::DeadlineExceeded | Code::Aborted if patience < PATIENCE_MAX => patience += 1,
                Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal
                    if !door.presence.was_there_since(then) =>
                {
                    self.tally.excused.fetch_add(1, Ordering::Relaxed);
                }
                // It is too busy and says so; that is its contract, and no failure of the process.
                Code::Unavailable if asked < COMES_AGAIN_MAX && says_when(&status) => {
                    self.tally.asked.fetch_add(1, Ordering::Relaxed);
                    asked += 1;
                }
                Code::Unavailable | Code::Unknown | Code::Cancelled if unexcused == 0 => {
                    self.tally.retries.fetch_add(1, Ordering::Relaxed);
                    unexcused += 1;
                }
                Code::FailedPrecondition | Code::ResourceExhausted => return Ok(Err(status)),
                _ => {
                    let complaint = format!("{what}: {:?} {}", status.code(), status.message());
                    self.tally.complain(complaint.clone());
                    bail!(complaint);
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// A call whose every refusal is a complaint.
    pub(super) async fn must<T, F: Future<Output = Answer<T>>>(
        &self,
        what: &str,
        usual: usize,
        call: impl Fn(Orders) -> F,
    ) -> anyhow::Result<T> {
        self.call(what, usual, call).await?.map_err(|status| {
            let complaint = format!("{what}: refused: {:?} {}", status.code(), status.message());
            self.tally.complain(complaint.clone());
            anyhow!(complaint)
        })
    }
}

/// Whether a refusal tells when to come again.
fn says_when(status: &Status) -> bool {
    status.get_details_retry_info().is_some_and(|info| info.retry_delay.is_some())
}
