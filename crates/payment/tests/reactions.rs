//! What payment does about each fact: once, twice, early, late, stale, as an ask, and with an inbox
//! that remembers nothing. The real consumer reads a simulated log.

use std::{collections::BTreeSet, sync::Arc};

use oms_messaging::{
    Consumer, Event, Log, MessagingMetrics, Record, SimulatedLog, Step, tables::inbox,
};
use oms_payment::reactions::{Reactions, router};
use oms_service::testing::backends;
use prometheus_client::registry::Registry;
use sea_orm::EntityTrait;
use serde_json::json;

use crate::support::{
    Bench, ORDER, Told, amended, canceled, confirmed, order, refund_requested, reserved, submitted,
    submitted_by,
};

const GROUP: &str = "oms-payment";
const VISA: &str = "pm_card_visa";

/// A bench that hears through the log.
struct Listening {
    bench: Bench,
    log: SimulatedLog,
    consumer: Consumer<Reactions>,
}

impl Listening {
    async fn new(backend: &oms_service::testing::Backend) -> Self {
        let bench = Bench::new(backend).await;
        let log = SimulatedLog::new(&[("events", 3), ("dead", 1)]);
        let reactions = Reactions::new(bench.metrics.clone(), bench.wake.clone());
        let consumer = Consumer::new(
            bench.messaging.clone(),
            Arc::new(reactions),
            Arc::new(log.clone()),
            GROUP.to_owned(),
            MessagingMetrics::register(&mut Registry::default()).for_service("payment"),
        );
        Self { bench, log, consumer }
    }

    async fn publish(&self, event: &Event, ask: bool) {
        let headers = if ask { vec![("oms-ask".to_owned(), b"1".to_vec())] } else { Vec::new() };
        let record = Record {
            topic: "events".to_owned(),
            key: Some(event.subject.clone().into_bytes()),
            payload: event.to_payload().unwrap(),
            headers,
        };
        self.log.publish(vec![record]).await.remove(0).unwrap();
    }

    /// Reads the log to its end.
    async fn read(&mut self) -> Step {
        let mut all = Step::default();
        loop {
            let step = self.consumer.step().await.unwrap();
            all.moved += step.moved;
            all.already += step.already;
            all.duplicates += step.duplicates;
            all.ignored += step.ignored;
            all.dead_letters += step.dead_letters;
            all.answered += step.answered;
            if step.polled == 0 {
                return all;
            }
        }
    }

    async fn hear(&mut self, event: &Event) -> Step {
        self.publish(event, false).await;
        self.read().await
    }

    async fn forget_inbox(&self) {
        inbox::Entity::delete_many().exec(&self.bench.database.write).await.unwrap();
    }
}

/// A part of a story: payment hears something, or the gateway answers what is due.
enum Part {
    Hears(Box<Event>),
    Works,
}

use Part::Works;

fn hears(event: Event) -> Part {
    Part::Hears(Box::new(event))
}

/// Every reaction in every situation that matters, and what payment says in the end.
fn stories() -> Vec<Story> {
    pay_stories().into_iter().chain(amend_stories()).collect()
}

/// What it is about, what happens, and what payment has said at its end.
type Story = (&'static str, Vec<Part>, Vec<&'static str>);

fn pay_stories() -> Vec<Story> {
    let (sub, res) = (|| hears(submitted(ORDER, 100, VISA)), || hears(reserved(ORDER, 1)));
    let (con, can) = (|| hears(confirmed(ORDER, 1, 100)), || hears(canceled(ORDER)));
    let refund = |amount| hears(refund_requested(ORDER, "r-1", amount));
    let declines = || hears(submitted(ORDER, 100, "pm_card_declined"));
    vec![
        ("a paid order", vec![sub(), res(), Works, con()], vec!["captured"]),
        ("reserved first", vec![res(), sub(), Works, con()], vec!["captured"]),
        ("reserved of a later revision", vec![sub(), hears(reserved(ORDER, 2)), Works], vec![]),
        ("only submitted", vec![sub(), Works], vec![]),
        ("only reserved", vec![res(), Works], vec![]),
        ("declined", vec![declines(), res(), Works], vec!["declined"]),
        ("declined, canceled", vec![declines(), res(), Works, can()], vec!["declined", "closed"]),
        ("nothing due", vec![hears(submitted(ORDER, 0, VISA)), res()], vec!["captured"]),
        ("confirmed before all else", vec![con(), sub(), res(), Works], vec![]),
        ("confirmed late and stale", vec![sub(), hears(confirmed(ORDER, 2, 50)), con()], vec![]),
        ("canceled before all else", vec![can(), sub(), res(), Works], vec!["closed"]),
        ("canceled before reserved", vec![sub(), can(), res(), Works], vec!["closed"]),
        (
            "canceled while due",
            vec![sub(), res(), can(), Works],
            vec!["captured", "refunded", "closed"],
        ),
        (
            "canceled after captured",
            vec![sub(), res(), Works, can(), Works],
            vec!["captured", "refunded", "closed"],
        ),
        (
            "canceled after confirmed, confirmed again",
            vec![sub(), res(), Works, con(), can(), Works, hears(confirmed(ORDER, 1, 100))],
            vec!["captured", "refunded", "closed"],
        ),
        (
            "refunded in part",
            vec![sub(), res(), Works, con(), refund(40), Works],
            vec!["captured", "refunded"],
        ),
        (
            "too much asked back",
            vec![sub(), res(), Works, con(), refund(101)],
            vec!["captured", "refund_failed"],
        ),
        (
            "asked back too early",
            vec![sub(), refund(1), res(), Works],
            vec!["refund_failed", "captured"],
        ),
        (
            "asked back, then canceled",
            vec![sub(), res(), Works, con(), refund(40), can(), Works],
            vec!["captured", "refunded", "refunded", "closed"],
        ),
        (
            "asked back after the end",
            vec![sub(), res(), Works, can(), Works, refund(40), Works],
            vec!["captured", "refunded", "closed", "refund_failed"],
        ),
    ]
}

fn amend_stories() -> Vec<Story> {
    let (sub, res) = (|| hears(submitted(ORDER, 100, VISA)), || hears(reserved(ORDER, 1)));
    let (con, can) = (|| hears(confirmed(ORDER, 1, 100)), || hears(canceled(ORDER)));
    let refund = |amount| hears(refund_requested(ORDER, "r-1", amount));
    let paid = || vec![sub(), res(), Works, con()];
    let then = |more: Vec<Part>| paid().into_iter().chain(more).collect();
    let amend = |revision, total| hears(amended(ORDER, revision, total, 100, None));
    let held = |revision| hears(reserved(ORDER, revision));
    let ends = |revision, total| hears(confirmed(ORDER, revision, total));
    vec![
        (
            "amended to cost more",
            then(vec![amend(2, 150), held(2), Works, ends(2, 150)]),
            vec!["captured", "captured"],
        ),
        (
            "amended to cost less, held first",
            then(vec![held(2), amend(2, 40), Works, ends(2, 40)]),
            vec!["captured", "refunded"],
        ),
        ("amended at the same cost", then(vec![amend(2, 100), held(2)]), vec!["captured"; 2]),
        (
            "amended and never held",
            then(vec![amend(2, 150), Works, ends(3, 100)]),
            vec!["captured"],
        ),
        (
            "amended, refused and amended again",
            then(vec![amend(2, 150), ends(3, 100), held(2), amend(4, 120), held(4), Works]),
            vec!["captured", "captured"],
        ),
        (
            "canceled while an amendment is due",
            then(vec![amend(2, 150), held(2), can(), Works]),
            vec!["captured", "captured", "refunded", "closed"],
        ),
        (
            "canceled while an amendment gives back",
            then(vec![amend(2, 40), held(2), can(), Works]),
            vec!["captured", "refunded", "refunded", "closed"],
        ),
        (
            "more taken off than is left",
            then(vec![refund(70), Works, amend(2, 40), held(2), Works]),
            vec!["captured", "refunded", "refund_failed"],
        ),
    ]
}

/// Everything the outside can see of the order.
async fn seen(bench: &Bench) -> (String, Vec<Told>, [(usize, i64); 2]) {
    let payment = bench.view(ORDER).await.map(|view| view.payment);
    (format!("{payment:?}"), bench.told(ORDER).await, bench.moved(ORDER).await)
}

#[tokio::test]
async fn every_story_ends_as_told_however_often_and_late_its_facts_are_repeated() {
    for (name, parts, told) in stories() {
        let mut at = Listening::new(&oms_service::testing::Backend::Sqlite).await;
        let (mut events, mut heard) = (Vec::new(), Step::default());
        for part in parts {
            match part {
                Part::Hears(event) => {
                    let step = at.hear(&event).await;
                    heard.moved += step.moved + step.already;
                    events.push(event);
                }
                Works => drop(at.bench.work().await),
            }
        }
        at.bench.work().await;
        assert_eq!(heard.moved, events.len() as u64, "{name}: each was handled once");
        assert_eq!(at.bench.types(ORDER).await, told, "{name}");
        let before = seen(&at.bench).await;

        at.log.redeliver(GROUP, 0);
        let again = at.read().await;
        assert_eq!((again.duplicates, again.moved), (events.len() as u64, 0), "{name}: twice");
        assert_eq!(seen(&at.bench).await, before, "{name}: twice");

        at.forget_inbox().await;
        at.log.redeliver(GROUP, 0);
        let again = at.read().await;
        assert_eq!((again.already, again.moved), (events.len() as u64, 0), "{name}: no inbox");
        at.bench.work().await;
        assert_eq!(seen(&at.bench).await, before, "{name}: no inbox");

        for event in events.iter().rev() {
            at.forget_inbox().await;
            at.hear(event).await;
        }
        at.bench.work().await;
        assert_eq!(seen(&at.bench).await, before, "{name}: each once more, last to first");
    }
}

#[tokio::test]
async fn every_type_payment_hears_is_in_the_catalogue_and_in_a_story() {
    let listens = oms_events::catalogue().into_iter();
    let listens = listens.filter(|entry| entry.listeners.contains(&oms_events::Service::Payment));
    let listens: BTreeSet<_> = listens.map(|entry| entry.event_type.to_owned()).collect();
    let hears: BTreeSet<_> = router().types().map(str::to_owned).collect();
    let parts = stories().into_iter().flat_map(|(_, parts, _)| parts);
    let told: BTreeSet<_> = parts
        .filter_map(|part| match part {
            Part::Hears(event) => Some(event.event_type),
            Works => None,
        })
        .collect();
    assert_eq!((&hears, &told), (&listens, &listens));
}

#[tokio::test]
async fn an_ask_of_any_type_is_answered_with_everything_said_and_changes_nothing() {
    let mut at = Listening::new(&oms_service::testing::Backend::Sqlite).await;
    let heard = [submitted(ORDER, 100, VISA), reserved(ORDER, 1), canceled(ORDER)];
    for event in &heard {
        at.hear(event).await;
    }
    at.bench.work().await;
    let before = seen(&at.bench).await;
    let unheard = oms_events::inventory::Released {};
    for ask in [heard[0].clone(), crate::support::event_of(ORDER, &unheard)] {
        let published = |rows: Vec<oms_messaging::tables::outbox::Model>| {
            rows.into_iter().map(|row| row.generation).collect::<Vec<_>>()
        };
        let generations = published(at.bench.outbox(ORDER).await);
        at.publish(&ask, true).await;
        assert_eq!(at.read().await.answered, 1, "{}", ask.event_type);
        let later = published(at.bench.outbox(ORDER).await);
        assert!(later.iter().zip(&generations).all(|(now, then)| now > then), "{later:?}");
        assert_eq!(seen(&at.bench).await, before);
    }
}

#[tokio::test]
async fn what_is_said_carries_totals_saga_cause_and_trace() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        let (sub, res) = (submitted(ORDER, 100, VISA), reserved(ORDER, 1));
        bench.hear([sub, res.clone()]).await;
        bench.work().await;
        let con = confirmed(ORDER, 1, 100);
        let (can, refund) = (canceled(ORDER), refund_requested(ORDER, "r-1", 30));
        bench.hear([con, refund, can.clone()]).await;
        bench.work().await;
        let usd = |n: i64| json!({"amount_minor": n, "currency": "USD"});
        let totals = |c: i64, r: i64| json!({"captured_minor": c, "refunded_minor": r});
        let cancel = format!("cancel:{ORDER}");
        let expected = [
            ("captured", json!({"revision": 1, "amount": usd(100), "totals": totals(100, 0)})),
            ("refunded", json!({"refund_id": "r-1", "amount": usd(30), "totals": totals(100, 30)})),
            (
                "refunded",
                json!({"refund_id": cancel, "amount": usd(70), "totals": totals(100, 100)}),
            ),
            ("closed", json!({"totals": totals(100, 100)})),
        ];
        let told = bench.told(ORDER).await;
        assert_eq!(told, expected.map(|(short, data)| (short.to_owned(), data)));
        let said: Vec<Event> = bench.outbox(ORDER).await.iter().map(envelope).collect();
        assert_eq!(said[0].causationid, Some(res.id));
        assert_eq!(said[3].causationid, Some(can.id));
        for (n, event) in said.iter().enumerate() {
            assert_eq!(event.sequence, format!("{:010}", n + 1));
            assert_eq!((event.sagaid, trace(event)), (res.sagaid, trace(&res)));
            assert_eq!((event.source.as_str(), event.subject.as_str()), ("/oms/payment", ORDER));
        }
    }
}

/// The trace alone: where spans are made, each event has one of its own.
fn trace(event: &Event) -> Option<&str> {
    event.traceparent.as_deref()?.split('-').nth(1)
}

fn envelope(row: &oms_messaging::tables::outbox::Model) -> Event {
    Event::parse(&row.payload).unwrap()
}

#[tokio::test]
async fn a_declined_fact_says_why() {
    let bench = Bench::new(&oms_service::testing::Backend::Sqlite).await;
    let sub = submitted_by("declined-1", ORDER, 100, VISA);
    bench.hear([sub, reserved(ORDER, 1)]).await;
    bench.work().await;
    let [(short, data)] = &bench.told(ORDER).await[..] else { panic!("one fact") };
    assert_eq!(short, "declined");
    let expected = json!({
        "revision": 1,
        "code": "card_declined",
        "reason": "The card was declined.",
        "totals": {"captured_minor": 0, "refunded_minor": 0},
    });
    assert_eq!(data, &expected);
}

#[tokio::test]
async fn what_no_interleaving_produces_becomes_a_dead_letter_and_others_go_on() {
    let mut at = Listening::new(&oms_service::testing::Backend::Sqlite).await;
    at.hear(&submitted(ORDER, 100, VISA)).await;
    let mut foreign = refund_requested(ORDER, "r-1", 10);
    let data =
        json!({"refund_id": "r", "amount": {"amount_minor": 1, "currency": "EUR"}, "reason": ""});
    foreign.data = serde_json::value::to_raw_value(&data).unwrap();
    at.publish(&foreign, false).await;
    at.publish(&submitted(&order(1), 100, VISA), false).await;
    let step = at.read().await;
    assert_eq!((step.dead_letters, step.moved), (1, 1));
    assert!(at.bench.view(&order(1)).await.is_some());
}

#[tokio::test]
async fn payment_waits_asks_and_ends_as_rule_ten_says() {
    use oms_messaging::tables::streams;
    let bench = Bench::new(&oms_service::testing::Backend::Sqlite).await;
    let stream = || async {
        let row = streams::Entity::find_by_id(ORDER).one(&bench.database.read).await.unwrap();
        let row = row.unwrap();
        (row.ask_at.is_some(), row.ended_at.is_some())
    };
    bench.hear([submitted(ORDER, 100, VISA), reserved(ORDER, 1)]).await;
    assert_eq!(stream().await, (false, false), "rests while the gateway is asked");
    bench.work().await;
    assert_eq!(stream().await, (true, false), "waits once it has answered");
    bench.hear([confirmed(ORDER, 1, 100)]).await;
    assert_eq!(stream().await, (false, false), "rests once it is confirmed");
    bench.hear([canceled(ORDER)]).await;
    assert_eq!(stream().await, (false, false), "rests while it gives back");
    bench.work().await;
    assert_eq!(stream().await, (false, true), "has ended once it is closed");
}
