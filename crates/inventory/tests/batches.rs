//! Many events in one transaction, decided in topic order (rule 2).

use oms_inventory::domain::Counts;
use oms_messaging::{Failure, Outcome};

use crate::support::{Shop, available, canceled, confirmed, refunded, submitted};

#[tokio::test]
async fn a_hundred_orders_for_one_unit_reserve_it_exactly_once() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 1)]).await;
        let orders: Vec<String> = (0..100).map(|n| format!("order-{n:03}")).collect();
        let batch: Vec<_> = orders.iter().map(|order| submitted(order, &[("a", 1)])).collect();
        assert_eq!(shop.hear(&batch).await.unwrap(), [Outcome::Moved; 100]);
        // The first in topic order has it.
        assert_eq!(shop.words(&orders[0]).await, ["reserved"]);
        for order in &orders[1..] {
            assert_eq!(shop.words(order).await, ["rejected"]);
        }
        assert_eq!(shop.stock("a").await, Counts { held: 1, ..Counts::default() });
        shop.audit().await;
    }
}

#[tokio::test]
async fn what_one_order_gives_back_the_next_in_the_batch_can_take() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 1)]).await;
        shop.hear_one(&submitted("first", &[("a", 1)])).await.unwrap();
        let batch =
            [submitted("early", &[("a", 1)]), canceled("first"), submitted("second", &[("a", 1)])];
        shop.hear(&batch).await.unwrap();
        assert_eq!(shop.words("early").await, ["rejected"]);
        assert_eq!(shop.words("first").await, ["reserved", "released"]);
        assert_eq!(shop.words("second").await, ["reserved"]);
        // Nothing changed on balance; the ledger tells all of it.
        assert_eq!(shop.stock("a").await, Counts { held: 1, ..Counts::default() });
        shop.audit().await;
    }
}

#[tokio::test]
async fn a_whole_story_in_one_batch_ends_as_it_does_event_by_event() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10), ("b", 10)]).await;
        let wanted = [("b", 2), ("a", 1)];
        let story = [
            submitted("paid", &wanted),
            confirmed("paid", &wanted),
            submitted("back", &wanted),
            confirmed("back", &[("a", 1)]),
            refunded("back", true),
            submitted("gone", &wanted),
            canceled("gone"),
            submitted("gone", &wanted),
            canceled("fenced"),
            submitted("fenced", &wanted),
        ];
        shop.hear(&story).await.unwrap();
        let status = [("paid", "COMMITTED"), ("back", "RELEASED"), ("gone", "RELEASED")];
        for (order, status) in status.into_iter().chain([("fenced", "FENCED")]) {
            assert_eq!(shop.status(order).await, status, "{order}");
        }
        assert_eq!(shop.words("gone").await, ["reserved", "released"]);
        assert_eq!(shop.words("fenced").await, ["released", "rejected"]);
        let committed = |qty| Counts { available: 10 - qty, committed: qty, ..Counts::default() };
        assert_eq!((shop.stock("a").await, shop.stock("b").await), (committed(1), committed(2)));
        shop.audit().await;
    }
}

#[tokio::test]
async fn a_batch_with_poison_in_it_changes_nothing() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let before = shop.rows().await;
        let batch = [submitted("good", &[("a", 1)]), confirmed("never", &[("a", 1)])];
        let failed = shop.hear(&batch).await;
        assert!(matches!(failed, Err(Failure::Poison { .. })), "{failed:?}");
        assert_eq!((shop.rows().await, shop.stock("a").await), (before, available(10)));
    }
}

#[tokio::test]
async fn a_batch_larger_than_one_statement_is_written_whole() {
    for shop in Shop::everywhere().await {
        let skus: Vec<String> = (0..1_200).map(|n| format!("sku-{n:04}")).collect();
        let csv: String = skus.iter().map(|sku| format!("{sku},5\n")).collect();
        let items = oms_inventory::catalogue::parse(&format!("sku,qty\n{csv}")).unwrap();
        oms_inventory::catalogue::load(&shop.messaging, &items).await.unwrap();
        let wanted = |half: usize| -> Vec<(&str, i64)> {
            skus[half * 500..half * 500 + 700].iter().map(|sku| (sku.as_str(), 2)).collect()
        };
        let batch = [submitted("one", &wanted(0)), submitted("two", &wanted(1))];
        shop.hear(&batch).await.unwrap();
        let held = |qty| Counts { available: 5 - qty, held: qty, ..Counts::default() };
        assert_eq!(shop.stock("sku-0000").await, held(2));
        assert_eq!(shop.stock("sku-0600").await, held(4));
        assert_eq!(shop.stock("sku-1199").await, held(2));
        assert_eq!(shop.rows().await[2], 1_400);
        shop.audit().await;
    }
}
