//! One service on a database and a log, with everything in a test's hands.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use oms_messaging::{
    Announcement, Asker, Consumer, Crew, Delivery, Event, Log, Messaging, MessagingMetrics,
    MessagingSettings, Record, Relay, SimulatedLog, Standing, Step, envelope::ASK_HEADER,
    outlet::MessagingParts,
};
use oms_seams::Clock;
use prometheus_client::registry::Registry;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement};
use serde_json::value::to_raw_value;
use uuid::Uuid;

use super::{
    database,
    ledger::{HEARD, Ledger, Number},
    seams::Hands,
};

pub(super) const TOPIC: &str = "events";
pub(super) const DLQ: &str = "events.dlq";

pub(super) struct Bench {
    pub(super) messaging: Messaging,
    pub(super) log: SimulatedLog,
    pub(super) ledger: Arc<Ledger>,
    pub(super) hands: Hands,
    pub(super) metrics: MessagingMetrics,
    pub(super) registry: Arc<Registry>,
    pub(super) group: String,
}

/// Runs a test of one service on every kind of database.
pub(super) async fn everywhere(test: impl AsyncFn(Bench)) {
    with_settings(|_| (), test).await;
}

/// The same with settings of its own.
pub(super) async fn with_settings(
    change: impl Fn(&mut MessagingSettings),
    test: impl AsyncFn(Bench),
) {
    database::everywhere(1, async |mut databases| {
        let mut settings = settings();
        change(&mut settings);
        let log = SimulatedLog::new(&[(TOPIC, 4), (DLQ, 1)]);
        test(Bench::new("own", databases.remove(0), log, Hands::new(), settings)).await;
    })
    .await;
}

/// A test of two services on one log.
pub(super) async fn two_services(test: impl AsyncFn(Bench, Bench)) {
    database::everywhere(2, async |databases| {
        let log = SimulatedLog::new(&[(TOPIC, 4), (DLQ, 1)]);
        let hands = Hands::new();
        let [one, two] = <[_; 2]>::try_from(databases).unwrap();
        test(
            Bench::new("one", one, log.clone(), hands.clone(), settings()),
            Bench::new("two", two, log, hands, settings()),
        )
        .await;
    })
    .await;
}

/// One worker, so that a batch is one transaction on every database.
fn settings() -> MessagingSettings {
    let (poll_wait_ms, consume_parallel_max) = (1, 1);
    MessagingSettings { poll_wait_ms, consume_parallel_max, ..MessagingSettings::default() }
}

impl Bench {
    fn new(
        name: &str,
        database: DatabaseConnection,
        log: SimulatedLog,
        hands: Hands,
        settings: MessagingSettings,
    ) -> Self {
        let mut registry = Registry::default();
        let metrics = MessagingMetrics::register(&mut registry).for_service(name);
        let messaging = Messaging::new(MessagingParts {
            source: format!("/{name}"),
            topic: TOPIC.to_owned(),
            dead_letter_topic: DLQ.to_owned(),
            database,
            seams: hands.seams(),
            settings,
        });
        let (ledger, registry) = (Arc::default(), Arc::new(registry));
        Self { messaging, log, ledger, hands, metrics, registry, group: format!("g-{name}") }
    }

    pub(super) fn consumer(&self) -> Consumer<Ledger> {
        let log: Arc<dyn Log> = Arc::new(self.log.clone());
        let metrics = self.metrics.clone();
        let reactor = Arc::clone(&self.ledger);
        Consumer::new(self.messaging.clone(), reactor, log, self.group.clone(), metrics)
    }

    pub(super) fn relay(&self) -> Relay {
        self.relay_on(Arc::new(self.log.clone()))
    }

    pub(super) fn relay_on(&self, log: Arc<dyn Log>) -> Relay {
        Relay::new(self.messaging.clone(), log, self.metrics.clone())
    }

    pub(super) fn asker(&self) -> Asker {
        Asker::new(self.messaging.clone(), self.metrics.clone())
    }

    pub(super) fn crew(&self) -> Crew<Ledger> {
        let log: Arc<dyn Log> = Arc::new(self.log.clone());
        let (reactor, metrics) = (Arc::clone(&self.ledger), self.metrics.clone());
        Crew::new(self.messaging.clone(), reactor, log, self.group.clone(), metrics)
    }

    pub(super) fn echo(&self) {
        self.ledger.echoes.store(true, Ordering::SeqCst);
    }

    /// Steps until nothing is left to do now, seen twice because the first look may only tell of
    /// partitions that were taken away; the sum of what was done.
    pub(super) async fn consume(&self, consumer: &mut Consumer<Ledger>) -> Step {
        let mut total = Step::default();
        let mut idle = 0;
        while idle < 2 {
            let step = consumer.step().await.unwrap();
            total.handled += step.handled;
            total.moved += step.moved;
            total.duplicates += step.duplicates;
            total.ignored += step.ignored;
            total.parked += step.parked;
            total.dead_letters += step.dead_letters;
            total.answered += step.answered;
            total.retrying = step.retrying;
            idle = if step.is_idle() { idle + 1 } else { 0 };
        }
        total
    }

    pub(super) async fn publish(&self, records: Vec<Record>) {
        let count = records.len();
        let reports = self.log.publish(records).await;
        assert_eq!(reports.iter().filter(|report| report.is_ok()).count(), count);
    }

    /// An event from elsewhere; `n` is its id and what it says.
    pub(super) fn event(&self, stream: &str, event_type: &str, n: i64) -> Record {
        let event = Event {
            event_type: event_type.to_owned(),
            id: id(n),
            source: "/elsewhere".to_owned(),
            subject: stream.to_owned(),
            time: self.hands.clock.now(),
            specversion: "1.0".to_owned(),
            datacontenttype: "application/json".to_owned(),
            sagaid: None,
            causationid: None,
            sequence: format!("{n:010}"),
            traceparent: None,
            data: to_raw_value(&Number { n }).unwrap(),
        };
        record(Some(stream.as_bytes()), event.to_payload().unwrap())
    }

    pub(super) fn heard(&self, stream: &str, n: i64) -> Record {
        self.event(stream, HEARD, n)
    }

    /// Says something about a stream in a transaction of its own.
    pub(super) async fn say(&self, stream: &str, n: i64, standing: Standing) {
        let mut tx = self.messaging.begin().await.unwrap();
        tx.lock([stream.to_owned()]).await.unwrap();
        let said = Announcement::new(stream, "test.said.v1", &Number { n }).unwrap();
        tx.announce(said).unwrap();
        tx.set_standing(stream, standing).unwrap();
        tx.commit().await.unwrap();
    }

    /// Makes what was said about a stream due again, as a question or as an answer.
    pub(super) async fn asked_again(&self, stream: &str, ask: bool) {
        let mut tx = self.messaging.begin().await.unwrap();
        tx.lock([stream.to_owned()]).await.unwrap();
        assert!(tx.resend(stream, ask).await.unwrap() > 0);
        tx.commit().await.unwrap();
    }

    /// What was applied, in the order of application.
    pub(super) async fn applied(&self) -> Vec<i64> {
        self.numbers("SELECT n FROM applied ORDER BY place, n").await
    }

    pub(super) async fn count(&self, from: &str) -> i64 {
        self.numbers(&format!("SELECT count(*) FROM {from}")).await[0]
    }

    pub(super) async fn numbers(&self, sql: &str) -> Vec<i64> {
        let database = self.messaging.database();
        let read = Statement::from_string(database.get_database_backend(), sql);
        let rows = database.query_all_raw(read).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// Every row of every table, as text.
    pub(super) async fn rows(&self) -> BTreeMap<String, Vec<String>> {
        const TABLES: &str = "applied inbox interventions leases outbox parked streams";
        let mut all = BTreeMap::new();
        for table in TABLES.split(' ') {
            let row = match self.backend() {
                DatabaseBackend::Postgres => format!("CAST({table} AS TEXT)"),
                _ => self.row_as_text(table).await,
            };
            let sql = format!("SELECT {row} FROM {table} ORDER BY 1");
            all.insert(table.to_owned(), self.texts(&sql).await);
        }
        all
    }

    /// SQLite's expression for all columns of a table.
    async fn row_as_text(&self, table: &str) -> String {
        let names = self.texts(&format!("SELECT name FROM pragma_table_info('{table}')")).await;
        assert!(!names.is_empty(), "no table {table}");
        let columns = names.iter().map(|name| format!("quote(\"{name}\")"));
        columns.collect::<Vec<_>>().join(" || ',' || ")
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        let read = Statement::from_string(self.backend(), sql);
        let rows = self.messaging.database().query_all_raw(read).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    pub(super) fn backend(&self) -> DatabaseBackend {
        self.messaging.database().get_database_backend()
    }

    pub(super) async fn execute(&self, sql: &str) {
        self.messaging.database().execute_unprepared(sql).await.unwrap();
    }

    /// What this service has on the log about each stream, and whether it asked with it.
    pub(super) fn said(&self) -> BTreeMap<String, Vec<(i64, bool)>> {
        let mut said = BTreeMap::<_, Vec<_>>::new();
        for delivery in self.log.records(TOPIC) {
            let Ok(event) = Event::parse(&delivery.record.payload) else { continue };
            if event.source == self.messaging.source() {
                let n = event.data::<Number>().unwrap().n;
                said.entry(event.subject).or_default().push((n, is_ask(&delivery)));
            }
        }
        said
    }

    pub(super) fn scrape(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        text
    }
}

pub(super) fn id(n: i64) -> Uuid {
    Uuid::from_u128(u128::try_from(n).unwrap())
}

pub(super) fn record(key: Option<&[u8]>, payload: Vec<u8>) -> Record {
    let key = key.map(<[u8]>::to_vec);
    Record { topic: TOPIC.to_owned(), key, payload, headers: Vec::new() }
}

/// The same record with the question.
pub(super) fn asking(mut record: Record) -> Record {
    record.headers.push((ASK_HEADER.to_owned(), b"1".to_vec()));
    record
}

pub(super) fn is_ask(delivery: &Delivery) -> bool {
    delivery.header(ASK_HEADER) == Some(b"1")
}

/// One key for each of the topic's four partitions.
pub(super) async fn key_per_partition() -> Vec<String> {
    let log = SimulatedLog::new(&[(TOPIC, 4)]);
    let keys = (0..100).map(|n| format!("s-{n}"));
    log.publish(keys.map(|key| record(Some(key.as_bytes()), Vec::new())).collect()).await;
    let mut by_partition = BTreeMap::new();
    for delivery in log.records(TOPIC) {
        let key = String::from_utf8(delivery.record.key.unwrap()).unwrap();
        by_partition.entry(delivery.partition.number).or_insert(key);
    }
    assert_eq!(by_partition.len(), 4);
    by_partition.into_values().collect()
}
