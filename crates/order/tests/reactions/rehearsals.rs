//! What follows from a transaction follows from its commit: nothing from one that an operator only
//! rehearsed, and each commit has its own (saga rule 4).

use std::sync::Arc;

use oms_messaging::{
    Crew, DeadLetters, Event, LetterFilter, Log, MessagingMetrics, Reactor, Record, SimulatedLog,
    consumer::letters::{Orders, Settlement},
};
use oms_order::{domain::Status, reactions::OrderReactor};
use prometheus_client::registry::Registry;

use super::world::{Followed, Others, id};
use crate::support::{DEAD, Db, TOPIC, databases, paying, record};

fn garbage(order: &str) -> Record {
    let (topic, key) = (TOPIC.to_owned(), Some(order.as_bytes().to_vec()));
    Record { topic, key, payload: b"no event".to_vec(), headers: Vec::new() }
}

/// All that was read is parked, the first of it for ever.
async fn parked(db: &Db, followed: &Arc<Followed>, behind: &[&Event]) -> DeadLetters {
    let log = SimulatedLog::new(&[(TOPIC, 1), (DEAD, 1)]);
    let records = behind.iter().map(|event| record(event, false));
    let records: Vec<Record> = [garbage(&id(1))].into_iter().chain(records).collect();
    let wanted = records.len() as u64;
    log.publish(records).await;
    let crew = Crew::new(
        db.messaging.clone(),
        Arc::new(OrderReactor::new(followed.clone())),
        Arc::new(log),
        "oms-order".to_owned(),
        MessagingMetrics::register(&mut Registry::default()).for_service("order"),
    );
    let letters = crew.dead_letters();
    let mut consumer = crew.into_hands().consumer;
    let mut parked = 0;
    for _ in 0..100 {
        parked += consumer.step().await.unwrap().parked;
        if parked == wanted {
            return letters;
        }
    }
    panic!("{parked} of {wanted} are parked");
}

async fn redrive(letters: &DeadLetters, dry_run: bool) -> Settlement {
    let how = Orders { dry_run, max: 10, ..Orders::default() };
    letters.redrive(&LetterFilter::of_stream(id(1)), &how).await.unwrap()
}

#[tokio::test]
async fn what_was_only_rehearsed_is_never_counted() {
    for discards in [true, false] {
        for db in databases().await {
            db.insert([paying(1)]).await;
            let followed = Arc::new(Followed::default());
            let mut others = Others::about(1);
            let (reserved, captured) = (others.reserved(), others.captured());
            let letters = parked(&db, &followed, &[&reserved, &captured]).await;
            let all = LetterFilter::of_stream(id(1));
            let how = Orders { max: 1, ..Orders::default() };
            letters.discard(&all, &how).await.unwrap();
            let counted = || followed.milestones.lock().unwrap().len();
            let rehearsed = redrive(&letters, true).await;
            assert!(rehearsed.settled.iter().all(|one| !one.failed()), "{rehearsed:?}");
            assert_eq!((rehearsed.settled.len(), counted()), (2, 0));
            if discards {
                let how = Orders { max: 10, ..Orders::default() };
                assert_eq!(letters.discard(&all, &how).await.unwrap().settled.len(), 2);
                assert_eq!(counted(), 0, "a discard counts nothing of what never happened");
                assert_ne!(db.order(&id(1)).await.status(), Status::Confirmed);
            } else {
                redrive(&letters, false).await;
                assert_eq!(db.order(&id(1)).await.status(), Status::Confirmed);
                assert_eq!(counted(), 1, "the run has ended, once");
            }
        }
    }
}

#[tokio::test]
async fn what_is_committed_is_counted_whoever_is_next_at_the_stream() {
    for db in databases().await {
        db.insert([paying(1)]).await;
        let followed = Arc::new(Followed::default());
        let reactor = OrderReactor::new(followed.clone());
        let mut others = Others::about(1);
        let events = [others.reserved(), others.captured()];
        let mut tx = db.begin(&id(1)).await;
        let heard: Vec<&Event> = events.iter().collect();
        let mut session = reactor.load(&mut tx, &heard).await.unwrap();
        for event in &events {
            reactor.react(&mut session, event).unwrap();
        }
        reactor.save(&mut tx, session).await.unwrap();
        tx.commit().await.unwrap();
        // The stream is free, and an operator rehearses something on it before anybody is told.
        let mut rehearsal = db.begin(&id(1)).await;
        let late = others.released();
        let mut session = reactor.load(&mut rehearsal, &[&late]).await.unwrap();
        let _ = reactor.react(&mut session, &late);
        reactor.save(&mut rehearsal, session).await.unwrap();
        drop(rehearsal);
        assert_eq!(followed.milestones.lock().unwrap().len(), 1, "the run that has ended");
        assert_eq!(db.order(&id(1)).await.status(), Status::Confirmed);
    }
}
