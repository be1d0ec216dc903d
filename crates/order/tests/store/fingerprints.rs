//! Keyless creations: the same parameters soon after mean the same order.

use std::sync::Arc;

use oms_order::store::{
    Claimed, Session, claim_fingerprint,
    entities::{fingerprints, orders},
    forget_fingerprints,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{Db, at, call, databases, order};

const HASH: &str = "customer, currency, lines";

fn id(n: u128) -> String {
    Uuid::from_u128(n).to_string()
}

async fn create(db: &Db, n: u128, now: i64) -> Claimed {
    let mut tx = db.messaging.begin().await.unwrap();
    let claimed = claim_fingerprint(tx.conn(), HASH, &id(n), at(now + 600), at(now)).await.unwrap();
    if claimed == Claimed::New {
        tx.lock([id(n)]).await.unwrap();
        let mut session = Session::load(&tx, &[]).await.unwrap();
        session.insert(order(n));
        session.save(&mut tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    claimed
}

#[tokio::test]
async fn a_retry_finds_the_order_while_it_is_pending_and_not_expired() {
    for db in databases().await {
        assert_eq!(create(&db, 1, 0).await, Claimed::New);
        assert_eq!(create(&db, 2, 599).await, Claimed::Existing(id(1)));
        assert_eq!(create(&db, 3, 600).await, Claimed::New, "the fingerprint has expired");
        assert_eq!(create(&db, 4, 601).await, Claimed::Existing(id(3)));
        assert_eq!(db.count::<orders::Entity>().await, 2);
    }
}

#[tokio::test]
async fn once_paid_or_canceled_the_same_parameters_are_a_new_purchase() {
    for db in databases().await {
        create(&db, 1, 0).await;
        db.change(&id(1), |order| order.pay("pm", Uuid::from_u128(9), at(900), &call(1)).unwrap())
            .await
            .unwrap();
        assert_eq!(create(&db, 2, 2).await, Claimed::New);
        db.change(&id(2), |order| order.cancel("", &call(3)).unwrap()).await.unwrap();
        assert_eq!(create(&db, 3, 4).await, Claimed::New);
        assert_eq!(create(&db, 4, 5).await, Claimed::Existing(id(3)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_duplicates_yield_one_order() {
    for db in databases().await {
        let db = db.shared();
        let mut set = JoinSet::new();
        for n in 1..=20 {
            let db = Arc::clone(&db);
            set.spawn(async move { create(&db, n, 0).await });
        }
        let claims = set.join_all().await;
        assert_eq!(claims.iter().filter(|claim| **claim == Claimed::New).count(), 1);
        assert_eq!(db.count::<orders::Entity>().await, 1);
    }
}

#[tokio::test]
async fn a_rolled_back_creation_claims_nothing() {
    for db in databases().await {
        let tx = db.messaging.begin().await.unwrap();
        claim_fingerprint(tx.conn(), HASH, &id(1), at(600), at(0)).await.unwrap();
        drop(tx);
        assert_eq!(create(&db, 2, 1).await, Claimed::New);
    }
}

#[tokio::test]
async fn expired_fingerprints_are_forgotten_some_at_a_time() {
    for db in databases().await {
        for n in 0..5_i64 {
            let hash = n.to_string();
            claim_fingerprint(db.conn(), &hash, "o", at(10 * n), at(0)).await.unwrap();
        }
        assert_eq!(forget_fingerprints(db.conn(), at(20), 2).await.unwrap(), 2);
        assert_eq!(forget_fingerprints(db.conn(), at(20), 2).await.unwrap(), 1);
        assert_eq!(forget_fingerprints(db.conn(), at(20), 2).await.unwrap(), 0);
        assert_eq!(db.count::<fingerprints::Entity>().await, 2);
    }
}
