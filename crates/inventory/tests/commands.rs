//! Commands with and without an idempotency key.

use std::{sync::Arc, time::Duration};

use oms_inventory::{
    commands::{AdjustStock, CommandError, Keyed, ReceiveStock, Reply},
    domain::{StockRefused, UNITS_MAX},
};
use oms_service::idempotency::IdempotencyKey;
use tokio::time::Instant;

use crate::support::{Shop, available};

fn receive(sku: &str, qty: i64) -> ReceiveStock {
    ReceiveStock { sku: sku.to_owned(), qty, note: "a note".to_owned() }
}

fn adjust(sku: &str, delta: i64) -> AdjustStock {
    AdjustStock { sku: sku.to_owned(), delta, reason: "counted".to_owned() }
}

fn key(key: &str, hash: &str) -> Keyed {
    let key = IdempotencyKey {
        scope: "global".to_owned(),
        key: key.to_owned(),
        method: "m",
        request_hash: hash.to_owned(),
    };
    Keyed { key, until: Instant::now() + Duration::from_secs(60) }
}

#[tokio::test]
async fn a_key_does_its_work_once_and_repeats_its_answer() {
    for shop in Shop::everywhere().await {
        let (key_1, key_2) = (key("k", "1"), key("k", "2"));
        let encode = |_: &_| vec![4, 2];
        let first = receive("a", 5).run(&shop.messaging, Some(&key_1), encode).await.unwrap();
        assert!(matches!(first, Reply::Changed(row) if row.available == 5));
        let again = receive("a", 5).run(&shop.messaging, Some(&key_1), encode).await.unwrap();
        assert_eq!(again, Reply::Replayed(vec![4, 2]));
        let other = receive("a", 6).run(&shop.messaging, Some(&key_2), encode).await;
        assert!(matches!(other, Err(CommandError::KeyConflict)), "{other:?}");
        assert_eq!(shop.stock("a").await, available(5));
        shop.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_calls_with_one_key_at_once_receive_once_and_answer_alike() {
    for shop in Shop::everywhere().await {
        let shop = Arc::new(shop);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..30 {
            let shop = shop.clone();
            tasks.spawn(async move {
                let encode = |row: &oms_inventory::store::entities::stock::Model| {
                    row.available.to_le_bytes().to_vec()
                };
                receive("a", 5).run(&shop.messaging, Some(&key("k", "1")), encode).await.unwrap()
            });
        }
        let mut changed = 0;
        while let Some(reply) = tasks.join_next().await {
            match reply.unwrap() {
                Reply::Changed(row) => {
                    changed += 1;
                    assert_eq!(row.available, 5);
                }
                Reply::Replayed(bytes) => assert_eq!(bytes, 5_i64.to_le_bytes()),
            }
        }
        assert_eq!(changed, 1);
        assert_eq!(shop.stock("a").await, available(5));
    }
}

#[tokio::test]
async fn a_refused_command_does_nothing_and_its_key_is_free() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 5)]).await;
        let before = shop.rows().await;
        let key = key("k", "1");
        let none = |_: &_| Vec::new();
        let refused = adjust("a", -6).run(&shop.messaging, Some(&key), none).await;
        assert!(matches!(refused, Err(CommandError::Refused(StockRefused::BelowZero))));
        let refused = adjust("new", 6).run(&shop.messaging, Some(&key), none).await;
        assert!(matches!(refused, Err(CommandError::Refused(StockRefused::UnknownSku))));
        let refused = receive("new", UNITS_MAX + 1).run(&shop.messaging, Some(&key), none).await;
        assert!(matches!(refused, Err(CommandError::Refused(StockRefused::TooMany))));
        assert_eq!(shop.rows().await, before);
        adjust("a", -5).run(&shop.messaging, Some(&key), none).await.unwrap();
        assert_eq!(shop.stock("a").await, available(0));
        shop.audit().await;
    }
}

#[tokio::test]
async fn an_adjustment_cannot_take_what_is_held() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 5)]).await;
        shop.hear_one(&crate::support::submitted("o", &[("a", 3)])).await.unwrap();
        let none = |_: &_| Vec::new();
        let refused = adjust("a", -3).run(&shop.messaging, None, none).await;
        assert!(matches!(refused, Err(CommandError::Refused(StockRefused::BelowZero))));
        adjust("a", -2).run(&shop.messaging, None, none).await.unwrap();
        assert_eq!((shop.stock("a").await.available, shop.stock("a").await.held), (0, 3));
        shop.audit().await;
    }
}
