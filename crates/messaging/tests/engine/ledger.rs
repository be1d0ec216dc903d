//! A reactor that writes down what it applied, and fails on command.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use oms_messaging::{Announcement, Event, Failure, Intervention, Outcome, Reactor, Standing, Tx};
use sea_orm::{ConnectionTrait, Statement};
use serde::{Deserialize, Serialize};
use tokio::sync::RwLock;

/// The type it hears.
pub(super) const HEARD: &str = "test.heard.v1";
/// A type nobody hears.
pub(super) const UNHEARD: &str = "test.unheard.v1";
/// What it says about every event it applied, when told to.
pub(super) const ECHO: &str = "test.echo.v1";

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Number {
    pub(super) n: i64,
}

/// How to fail on an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fail {
    Poison,
    /// So many times.
    Transient(u32),
    /// So many times.
    Unclassified(u32),
    Panic,
    /// Poison with far too much to say.
    Loud,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) fails: Mutex<BTreeMap<i64, Fail>>,
    /// The sizes of the transactions that reached `load`.
    pub(super) loads: Mutex<Vec<usize>>,
    /// Numbers seen by `react`, in order.
    pub(super) reacted: Mutex<Vec<i64>>,
    /// Streams of each call of `committed`.
    pub(super) committed: Arc<Mutex<Vec<Vec<String>>>>,
    /// Records that were looked at, whatever became of them.
    pub(super) looked_at: AtomicUsize,
    /// Whoever holds it for writing lets no transaction beyond `load`.
    pub(super) gate: RwLock<()>,
    pub(super) echoes: AtomicBool,
    pub(super) standing: Mutex<Option<Standing>>,
    /// What operators did, committed or not.
    noted: Mutex<Vec<Intervention>>,
    place: AtomicUsize,
}

impl Ledger {
    pub(super) fn fail(&self, n: i64, how: Fail) {
        self.fails.lock().unwrap().insert(n, how);
    }

    pub(super) fn mend(&self) {
        self.fails.lock().unwrap().clear();
    }

    pub(super) fn noted(&self) -> Vec<Intervention> {
        self.noted.lock().unwrap().clone()
    }

    fn verdict(&self, n: i64) -> Result<(), Failure> {
        let mut fails = self.fails.lock().unwrap();
        let Some(fail) = fails.get_mut(&n) else { return Ok(()) };
        match fail {
            Fail::Poison => Err(Failure::poison("test_poison", format!("{n} is bad"))),
            Fail::Loud => Err(Failure::poison("test_poison", "loud\n".repeat(10_000))),
            Fail::Panic => {
                drop(fails);
                panic!("{n} hurts")
            }
            Fail::Transient(0) | Fail::Unclassified(0) => Ok(()),
            Fail::Transient(left) => {
                *left -= 1;
                Err(Failure::transient(format!("{n} not now")))
            }
            Fail::Unclassified(left) => {
                *left -= 1;
                Err(Failure::Unclassified(format!("{n} odd")))
            }
        }
    }
}

#[async_trait]
impl Reactor for Ledger {
    type Session = Vec<(Event, i64)>;

    fn hears(&self, event_type: &str) -> bool {
        self.looked_at.fetch_add(1, Ordering::SeqCst);
        event_type == HEARD
    }

    async fn load(&self, _: &mut Tx, events: &[&Event]) -> Result<Self::Session, Failure> {
        self.loads.lock().unwrap().push(events.len());
        let _open = self.gate.read().await;
        Ok(Vec::new())
    }

    fn react(&self, session: &mut Self::Session, event: &Event) -> Result<Outcome, Failure> {
        let n = event.data::<Number>()?.n;
        self.reacted.lock().unwrap().push(n);
        self.verdict(n)?;
        session.push((event.clone(), n));
        Ok(Outcome::Moved)
    }

    async fn save(&self, tx: &mut Tx, session: Self::Session) -> Result<(), Failure> {
        let standing = *self.standing.lock().unwrap();
        let streams: BTreeSet<String> = session.iter().map(|(e, _)| e.subject.clone()).collect();
        let committed = self.committed.clone();
        tx.afterwards(move || committed.lock().unwrap().push(streams.into_iter().collect()));
        for (event, n) in session {
            let place = self.place.fetch_add(1, Ordering::SeqCst);
            let insert = Statement::from_sql_and_values(
                tx.conn().get_database_backend(),
                "INSERT INTO applied (event, stream, n, place) VALUES ($1, $2, $3, $4)",
                [
                    event.id.to_string().into(),
                    event.subject.clone().into(),
                    n.into(),
                    i64::try_from(place).unwrap().into(),
                ],
            );
            tx.conn().execute_raw(insert).await?;
            if self.echoes.load(Ordering::SeqCst) {
                let said = Announcement::new(event.subject.clone(), ECHO, &Number { n })?;
                tx.announce(said.caused_by(&event))?;
            }
            if let Some(standing) = standing {
                tx.set_standing(&event.subject, standing)?;
            }
        }
        Ok(())
    }

    async fn intervened(&self, _: &mut Tx, what: &Intervention) -> Result<(), Failure> {
        self.noted.lock().unwrap().push(what.clone());
        Ok(())
    }
}
