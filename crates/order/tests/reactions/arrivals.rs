//! Every event once, twice, early, late, stale, as an ask, and with an empty inbox.

use oms_messaging::Event;
use oms_order::domain::{Order, OrderState, RunKind, Status};

use super::world::{Others, World, are, id};
use crate::support::{Stage, databases, paying};

/// A story about one order: how it begins, what is heard, and its end.
struct Story {
    name: &'static str,
    begins: Stage,
    heard: fn(&mut Others) -> Vec<Event>,
    ends: Status,
}

fn stories() -> Vec<Story> {
    vec![
        Story {
            name: "paid",
            begins: Stage::Paying,
            heard: |o| vec![o.reserved(), o.captured()],
            ends: Status::Confirmed,
        },
        Story {
            name: "out of stock",
            begins: Stage::Paying,
            heard: |o| vec![o.rejected(), o.released(), o.closed(0, 0)],
            ends: Status::Canceled,
        },
        Story {
            name: "declined",
            begins: Stage::Paying,
            heard: |o| vec![o.reserved(), o.declined(), o.released(), o.closed(0, 0)],
            ends: Status::Canceled,
        },
        Story {
            name: "canceled while being paid",
            begins: Stage::CanceledEarly,
            heard: |o| {
                let refund = format!("cancel:{}", id(1));
                let words = [o.reserved(), o.captured(), o.released()];
                let money = [o.refunded(&refund, 25_000, 25_000), o.closed(25_000, 25_000)];
                words.into_iter().chain(money).collect()
            },
            ends: Status::Canceled,
        },
        Story {
            name: "canceled and money kept",
            begins: Stage::Canceled,
            heard: |o| {
                let refund = format!("cancel:{}", id(1));
                o.captured();
                vec![o.released(), o.refund_failed(&refund, 25_000), o.closed(25_000, 0)]
            },
            ends: Status::Canceled,
        },
        Story {
            name: "refunded",
            begins: Stage::Refunding,
            heard: |o| {
                o.captured();
                vec![o.refunded(&Stage::refund_id().to_string(), 25_000, 25_000), o.released()]
            },
            ends: Status::Refunded,
        },
        Story {
            name: "shipped",
            begins: Stage::Shipped,
            heard: |o| vec![o.dispatched()],
            ends: Status::Shipped,
        },
        Story {
            name: "refunded after shipping",
            begins: Stage::ShippedRefunding,
            heard: |o| {
                o.captured();
                vec![o.dispatched(), o.refunded(&Stage::refund_id().to_string(), 25_000, 25_000)]
            },
            ends: Status::Refunded,
        },
        Story {
            name: "refund failed",
            begins: Stage::Refunding,
            heard: |o| {
                o.captured();
                vec![o.refund_failed(&Stage::refund_id().to_string(), 25_000)]
            },
            ends: Status::Confirmed,
        },
    ]
}

/// The state without what depends on the wall clock of the transaction.
fn essence(order: &Order) -> OrderState {
    let mut state = order.state().clone();
    state.updated_at = state.created_at;
    for refund in &mut state.refunds {
        refund.asked_at = state.created_at;
        refund.ended_at = refund.ended_at.map(|_| state.created_at);
    }
    state
}

/// How a story went.
#[derive(Debug, PartialEq)]
struct Ending {
    state: OrderState,
    said: Vec<String>,
    timeline: Vec<(String, String)>,
}

async fn ending(world: &World) -> Ending {
    let timeline = world.db.timeline(&id(1)).await;
    Ending {
        state: essence(&world.db.order(&id(1)).await),
        said: world.db.said(&id(1)).await,
        timeline: timeline.into_iter().map(|entry| (entry.event_type, entry.payload)).collect(),
    }
}

async fn worlds(story: &Story) -> Vec<(World, Vec<Event>)> {
    let mut all = Vec::new();
    for db in databases().await {
        db.insert([story.begins.build(1)]).await;
        all.push((World::new(db), (story.heard)(&mut Others::about(1))));
    }
    all
}

#[tokio::test]
async fn each_event_alone_or_all_in_one_transaction_come_to_the_same() {
    for story in stories() {
        let mut endings = Vec::new();
        for (mut world, events) in worlds(&story).await {
            world.hear(&events.iter().collect::<Vec<_>>()).await;
            endings.push(ending(&world).await);
        }
        for (mut world, events) in worlds(&story).await {
            for event in &events {
                world.hear(&[event]).await;
            }
            endings.push(ending(&world).await);
        }
        let first = endings.remove(0);
        assert_eq!(first.state.status, story.ends, "{}", story.name);
        assert!(endings.iter().all(|ending| *ending == first), "{}", story.name);
    }
}

#[tokio::test]
async fn each_event_twice_comes_to_the_same() {
    for story in stories() {
        for (mut world, events) in worlds(&story).await {
            let doubled: Vec<&Event> = events.iter().flat_map(|event| [event, event]).collect();
            let step = world.hear(&doubled).await;
            assert_eq!(step.duplicates, events.len() as u64, "{}", story.name);
            let once = ending(&world).await;
            world.hear(&events.iter().collect::<Vec<_>>()).await;
            assert_eq!(ending(&world).await, once, "{}", story.name);
        }
    }
}

#[tokio::test]
async fn everything_again_with_an_empty_inbox_changes_nothing() {
    for story in stories() {
        for (mut world, events) in worlds(&story).await {
            world.hear(&events.iter().collect::<Vec<_>>()).await;
            let once = ending(&world).await;
            world.hear_all_again_with_an_empty_inbox().await;
            assert_eq!(ending(&world).await, once, "{}", story.name);
            let parked = world.db.count::<oms_messaging::tables::parked::Entity>().await;
            assert_eq!(parked, 0, "{}", story.name);
        }
    }
}

#[tokio::test]
async fn each_event_with_an_empty_inbox_right_after_itself_changes_nothing() {
    for story in stories() {
        for (mut world, events) in worlds(&story).await {
            for event in &events {
                world.hear(&[event]).await;
                let once = ending(&world).await;
                world.hear_all_again_with_an_empty_inbox().await;
                assert_eq!(ending(&world).await, once, "{}: {}", story.name, event.event_type);
            }
        }
    }
}

/// Inventory and payment are two speakers: their events may come in any order between them.
#[tokio::test]
async fn payments_events_before_inventorys_come_to_the_same() {
    for story in stories() {
        for (mut world, mut events) in worlds(&story).await {
            events.sort_by_key(|event| event.source != "/oms/payment");
            world.hear(&events.iter().collect::<Vec<_>>()).await;
            let order = world.db.order(&id(1)).await;
            assert_eq!(order.status(), story.ends, "{}", story.name);
            let versions = world.db.timeline(&id(1)).await;
            assert!((1..).zip(&versions).all(|(n, entry)| n == entry.version));
            assert_eq!(versions.len(), usize::try_from(order.version()).unwrap());
        }
    }
}

#[tokio::test]
async fn facts_that_come_after_the_end_are_stale_and_harmless() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([paying(1)]).await;
        let mut others = Others::about(1);
        let (reserved, captured) = (others.reserved(), others.captured());
        world.hear(&[&captured]).await;
        let step = world.hear(&[&reserved]).await;
        assert_eq!((step.moved, step.already), (0, 1));
        let declined = others.declined();
        let rejected = others.rejected();
        world.hear(&[&declined, &rejected]).await;
        let order = world.db.order(&id(1)).await;
        assert_eq!((order.status(), order.run_kind()), (Status::Confirmed, RunKind::Idle));
        assert!(are(&world.db.said(&id(1)).await, &["created", "submitted", "confirmed"]));
    }
}

#[tokio::test]
async fn an_ask_is_answered_whether_it_is_news_or_not() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([paying(1)]).await;
        let reserved = Others::about(1).reserved();
        for generation in 1..=2 {
            let step = world.ask(&reserved).await;
            assert_eq!(step.answered, 1);
            let rows = world.db.outbox(&id(1)).await;
            assert_eq!(rows.len(), 2);
            assert!(rows.iter().all(|row| row.generation == generation && !row.ask));
        }
        assert_eq!(world.db.order(&id(1)).await.status(), Status::Reserved);
    }
}
