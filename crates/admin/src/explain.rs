//! `oms.admin.v1.ExplainService`: where an order stands, in the words of each service.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use oms_messaging::{DeadLetters, Failure, LetterFilter, account_of};
use oms_proto::oms_admin_v1::{self as wire, explain_service_server::ExplainService as Service};
use oms_service::{Health, Process, Refusal};
use sea_orm::DatabaseConnection;
use tokio::time::timeout;
use tonic::{Request, Response, Status};

use crate::convert;

/// Parked events told of an order.
const LETTERS_MAX: u64 = 20;
/// How long one service may take; the others' answers do not wait longer for it.
const ACCOUNT_MAX: Duration = Duration::from_secs(3);
/// Bytes of an order's id.
const ID_BYTES_MAX: usize = 255;

/// Where an order stands in a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// In words.
    pub words: String,
    /// What is waited for.
    pub owed: Vec<Owed>,
}

/// A word that a service waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// In words, for example `reserved or rejected`.
    pub word: &'static str,
    /// Who owes it.
    pub by: &'static str,
    /// Since when; `None` where it is not known.
    pub since: Option<DateTime<Utc>>,
    /// Until when it is waited for.
    pub deadline: Option<DateTime<Utc>>,
    /// What is known about the delay.
    pub detail: String,
}

impl Owed {
    /// A word that is waited for as long as it takes.
    #[must_use]
    pub fn new(word: &'static str, by: &'static str, since: DateTime<Utc>) -> Self {
        Self { word, by, since: Some(since), deadline: None, detail: String::new() }
    }
}

/// A service that can tell where an order stands.
#[async_trait]
pub trait Teller: Send + Sync + std::fmt::Debug {
    /// Where the order stands; `None` where it is not known.
    ///
    /// # Errors
    /// Any failure of the store.
    async fn standing(&self, order_id: &str) -> Result<Option<Standing>, Failure>;
}

/// What an account is made of, of one service.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) read: DatabaseConnection,
    pub(crate) letters: DeadLetters,
    pub(crate) teller: Arc<dyn Teller>,
    pub(crate) process: Process,
}

/// The books of a process, by the service's name.
#[derive(Debug, Default)]
pub(crate) struct Books(Mutex<BTreeMap<&'static str, Arc<Book>>>);

impl Books {
    pub(crate) fn open(&self, service: &'static str, book: Arc<Book>) {
        self.books().insert(service, book);
    }

    /// Closes it, unless the service was started again meanwhile.
    pub(crate) fn close(&self, service: &'static str, book: &Arc<Book>) {
        let mut books = self.books();
        if books.get(service).is_some_and(|there| Arc::ptr_eq(there, book)) {
            books.remove(service);
        }
    }

    fn books(&self) -> MutexGuard<'_, BTreeMap<&'static str, Arc<Book>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The API over the books of a process.
#[derive(Debug)]
pub(crate) struct ExplainApi(pub(crate) Arc<Books>);

#[tonic::async_trait]
impl Service for ExplainApi {
    async fn explain_order(
        &self,
        request: Request<wire::ExplainOrderRequest>,
    ) -> Result<Response<wire::ExplainOrderResponse>, Status> {
        let order = request.into_inner().order_id;
        if order.is_empty() || order.len() > ID_BYTES_MAX || order.contains('\0') {
            let message = format!("order_id must have 1 to {ID_BYTES_MAX} bytes and no NUL");
            return Err(Refusal::invalid_field("order_id", message).into());
        }
        let books = self.0.books().clone();
        let Some(process) = books.values().next().map(|book| book.process.clone()) else {
            return Err(Refusal::unavailable("DRAINING", "the process is shutting down").into());
        };
        let mut services = Vec::new();
        for (service, health) in process.health() {
            services.push(account(service, &health, books.get(service), &order).await);
        }
        Ok(Response::new(wire::ExplainOrderResponse { services }))
    }
}

async fn account(
    service: &str,
    health: &Health,
    book: Option<&Arc<Book>>,
    order: &str,
) -> wire::ServiceAccount {
    let mut account = wire::ServiceAccount {
        service: service.to_owned(),
        troubles: troubles(health),
        ..wire::ServiceAccount::default()
    };
    let read = match book {
        Some(book) => timeout(ACCOUNT_MAX, fill(&mut account, book, order)).await,
        None => {
            tell(&mut account, "start", "the service is starting or shutting down".to_owned());
            return account;
        }
    };
    match read {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => tell(&mut account, "database", failure.to_string()),
        Err(_) => tell(&mut account, "database", format!("no answer in {ACCOUNT_MAX:?}")),
    }
    account
}

fn troubles(health: &Health) -> Vec<wire::Trouble> {
    let down = health.components().into_iter();
    down.filter_map(|(component, trouble)| {
        trouble.map(|message| wire::Trouble { component, message })
    })
    .collect()
}

/// What went wrong while the account was taken, unless the service knows better.
fn tell(account: &mut wire::ServiceAccount, component: &str, message: String) {
    if !account.troubles.iter().any(|trouble| trouble.component == component) {
        account.troubles.push(wire::Trouble { component: component.to_owned(), message });
    }
}

async fn fill(account: &mut wire::ServiceAccount, book: &Book, order: &str) -> Result<(), Failure> {
    if let Some(Standing { words, owed }) = book.teller.standing(order).await? {
        account.standing = words;
        account.owed = owed.into_iter().map(convert::owed).collect();
    }
    let events = account_of(&book.read, order).await?;
    account.asks_at = events.asks_at.map(convert::timestamp);
    account.asked = events.asked;
    account.said = events.said.into_iter().map(convert::said).collect();
    account.heard = events.heard.into_iter().map(convert::heard).collect();
    let of_order = LetterFilter::of_stream(order);
    let letters = book.letters.list(&of_order, 0, LETTERS_MAX).await?;
    let letters = letters.into_iter().map(|one| convert::letter(&account.service, one)).collect();
    account.dead_letters = letters;
    Ok(())
}
