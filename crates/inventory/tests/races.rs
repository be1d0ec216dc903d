//! Two transactions at once, and transactions that never commit.

use std::{collections::BTreeSet, sync::Arc};

use oms_inventory::{
    domain::{Counts, StockRefused},
    queries,
    store::{Session, stock},
};
use oms_messaging::{Failure, Outcome};
use sea_orm::{ConnectionTrait, TransactionTrait};

use crate::support::{Shop, available, canceled, policy, submitted};

/// Runs what rule 4 says about a transient failure: again.
async fn hear_until_done(shop: &Shop, event: &oms_messaging::Event) -> Outcome {
    loop {
        match shop.hear_one(event).await {
            Ok(outcome) => return outcome,
            Err(Failure::Transient(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn opposite_line_orders_neither_deadlock_nor_oversell() {
    for shop in Shop::everywhere().await {
        let shop = Arc::new(shop.with(&[("a", 30), ("b", 30), ("c", 30)]).await);
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..40 {
            let shop = shop.clone();
            let order = format!("order-{n:03}");
            let forth = [("a", 1), ("b", 1), ("c", 1)];
            let back = [("c", 1), ("b", 1), ("a", 1)];
            let event = submitted(&order, if n % 2 == 0 { &forth } else { &back });
            // Not repeated: with locks in SKU order there is no deadlock to recover from.
            tasks.spawn(async move { (order, shop.hear_one(&event).await) });
        }
        let mut reserved = 0;
        while let Some(done) = tasks.join_next().await {
            let (order, outcome) = done.unwrap();
            assert_eq!(outcome.unwrap(), Outcome::Moved);
            reserved += usize::from(shop.status(&order).await == "HELD");
        }
        assert_eq!(reserved, 30);
        for sku in ["a", "b", "c"] {
            assert_eq!(shop.stock(sku).await, Counts { held: 30, ..Counts::default() });
        }
        shop.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_unit_and_many_orders_at_once_reserve_it_exactly_once() {
    for shop in Shop::everywhere().await {
        let shop = Arc::new(shop.with(&[("a", 1)]).await);
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..30 {
            let (shop, event) = (shop.clone(), submitted(&format!("o-{n:02}"), &[("a", 1)]));
            tasks.spawn(async move { hear_until_done(&shop, &event).await });
        }
        while let Some(done) = tasks.join_next().await {
            assert_eq!(done.unwrap(), Outcome::Moved);
        }
        let mut words = Vec::new();
        for n in 0..30 {
            words.extend(shop.words(&format!("o-{n:02}")).await);
        }
        let count = |word| words.iter().filter(|said| *said == word).count();
        assert_eq!((count("reserved"), count("rejected")), (1, 29));
        shop.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn operators_and_orders_at_once_lose_no_unit() {
    for shop in Shop::everywhere().await {
        let shop = Arc::new(shop.with(&[("a", 100)]).await);
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..20 {
            let (one, two, three) = (shop.clone(), shop.clone(), shop.clone());
            tasks.spawn(async move {
                let order = format!("o-{n:02}");
                hear_until_done(&one, &submitted(&order, &[("a", 3)])).await;
                hear_until_done(&one, &canceled(&order)).await;
            });
            tasks.spawn(async move { two.receive("a", 1).await });
            tasks.spawn(async move {
                let less = oms_inventory::commands::AdjustStock {
                    sku: "a".to_owned(),
                    delta: -1,
                    reason: String::new(),
                };
                less.run(&three.messaging, None, |_| Vec::new()).await.unwrap();
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        assert_eq!(shop.stock("a").await, available(100));
        shop.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_sku_received_by_many_at_once_is_one_row_with_all_units() {
    for shop in Shop::everywhere().await {
        let shop = Arc::new(shop);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let shop = shop.clone();
            tasks.spawn(async move { shop.receive("new", 5).await });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        assert_eq!(shop.stock("new").await, available(100));
        shop.audit().await;
    }
}

#[tokio::test]
async fn a_transaction_that_is_not_committed_leaves_nothing() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let before = shop.rows().await;
        let event = submitted("order", &[("a", 1)]);
        {
            use oms_messaging::Reactor;
            let mut tx = shop.messaging.begin().await.unwrap();
            tx.lock(["order".to_owned()]).await.unwrap();
            let mut session = shop.reactor.load(&mut tx, &[&event]).await.unwrap();
            shop.reactor.react(&mut session, &event).unwrap();
            shop.reactor.save(&mut tx, session).await.unwrap();
        }
        assert_eq!((shop.rows().await, shop.stock("a").await), (before, available(10)));
        assert_eq!(shop.hear_one(&event).await.unwrap(), Outcome::Moved);
        assert_eq!(shop.words("order").await, ["reserved"]);
    }
}

#[tokio::test]
async fn a_guarded_update_that_finds_too_little_is_transient_and_leaves_nothing() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 5), ("b", 5)]).await;
        let before = shop.rows().await;
        let mut tx = shop.messaging.begin().await.unwrap();
        tx.lock(["order".to_owned()]).await.unwrap();
        let skus = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        let orders = BTreeSet::from(["order".to_owned()]);
        let mut session = Session::load(&tx, policy(), orders, skus).await.unwrap();
        let until = session.hold_until();
        let wanted = [("a".to_owned(), 5), ("b".to_owned(), 1)];
        let lines = oms_inventory::domain::Lines::sum(wanted).unwrap();
        let held = session.decide("order", None, |reservation, shelf| {
            reservation.note_submitted(1, &lines, until, shelf)
        });
        assert_eq!(held.unwrap(), Outcome::Moved);
        // Somebody who takes no locks was faster.
        let theft = "UPDATE stock SET available = available - 1 WHERE sku = 'a'";
        tx.conn().execute_unprepared(theft).await.unwrap();
        let failed = session.save(&mut tx).await;
        assert!(matches!(failed, Err(Failure::Transient(_))), "{failed:?}");
        drop(tx);
        assert_eq!((shop.rows().await, shop.stock("b").await), (before, available(5)));
    }
}

#[tokio::test]
async fn the_table_itself_refuses_what_would_be_negative() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 5)]).await;
        for column in ["available", "held", "committed", "shipped"] {
            let sql = format!("UPDATE stock SET {column} = -1 WHERE sku = 'a'");
            assert!(shop.conn().execute_unprepared(&sql).await.is_err(), "{column}");
        }
        let sql = "INSERT INTO holds (order_id, sku, qty) VALUES ('o', 'a', 0)";
        assert!(shop.conn().execute_unprepared(sql).await.is_err());
        assert_eq!(shop.stock("a").await, available(5));
    }
}

#[tokio::test]
async fn adjusting_below_zero_is_refused_by_the_shelf_before_the_table_sees_it() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 5)]).await;
        let tx = shop.messaging.begin().await.unwrap();
        let mut shelf = stock::lock(tx.conn(), BTreeSet::from(["a".to_owned()])).await.unwrap();
        assert_eq!(shelf.adjust("a", -6, ""), Err(StockRefused::BelowZero));
        assert_eq!(shelf.adjust("b", 1, ""), Err(StockRefused::UnknownSku));
        assert_eq!(shelf.changes().count(), 0);
    }
}

/// A writer that always changes a reservation and its hold together is never seen half way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reservation_is_read_as_it_was_at_one_instant() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 1)]).await;
        shop.hear_one(&submitted("order", &[("a", 1)])).await.unwrap();
        let (read, write) = (shop.database.database.read.clone(), shop.conn().clone());
        let mut writer = tokio::task::JoinSet::new();
        writer.spawn(async move {
            for n in 2..200 {
                let tx = write.begin().await.unwrap();
                let revision = format!("UPDATE reservations SET answered_revision = {n}");
                tx.execute_unprepared(&revision).await.unwrap();
                tx.execute_unprepared(&format!("UPDATE holds SET qty = {n}")).await.unwrap();
                tx.commit().await.unwrap();
            }
        });
        let ended = loop {
            if let Some(ended) = writer.try_join_next() {
                break ended;
            }
            let seen = queries::reservation(&read, "order").await.unwrap().unwrap();
            let state = seen.snapshot();
            let held: i64 = state.lines.iter().map(|(_, qty)| qty).sum();
            assert_eq!(i64::from(state.answered), held);
        };
        ended.unwrap();
    }
}
