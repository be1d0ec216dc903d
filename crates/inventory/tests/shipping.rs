//! `shipped`: once, twice, early, late, in a batch, and what comes after it.

use oms_inventory::domain::Counts;
use oms_messaging::{Event, Failure, Outcome};
use serde_json::json;

use crate::support::{
    Shop, canceled, confirmed, confirmed_at, refunded, shipped, submitted, submitted_at,
};

const ORDER: &str = "0190f5fe-7a3b-7000-8000-000000000001";

fn left(available: i64, shipped: i64) -> Counts {
    Counts { available, shipped, ..Counts::default() }
}

/// The refusal's code.
fn poison(result: Result<Outcome, Failure>) -> &'static str {
    match result {
        Err(Failure::Poison { code, .. }) => code,
        other => panic!("{other:?} is no poison"),
    }
}

/// What the ledger says of the order, oldest first.
async fn ledger(shop: &Shop, order: &str) -> Vec<(String, i64)> {
    use oms_inventory::store::entities::movements;
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
    let rows = movements::Entity::find()
        .filter(movements::Column::OrderId.eq(order))
        .order_by_asc(movements::Column::Id);
    let rows = rows.all(shop.conn()).await.unwrap();
    rows.into_iter().map(|row| (row.kind, row.qty)).collect()
}

#[tokio::test]
async fn goods_are_booked_out_once_and_dispatched_is_answered() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        for event in [submitted(ORDER, &[("a", 3)]), confirmed(ORDER, &[("a", 3)])] {
            shop.hear_one(&event).await.unwrap();
        }
        let said = shipped(ORDER, &[("a", 2), ("a", 1)]);
        assert_eq!(shop.hear_one(&said).await.unwrap(), Outcome::Moved);
        assert_eq!(shop.hear_one(&said).await.unwrap(), Outcome::Already);
        assert_eq!(shop.stock("a").await, left(7, 3));
        assert_eq!(shop.said(ORDER).await[1..], [("dispatched".to_owned(), json!({}))]);
        let reservation = shop.reservation(ORDER).await.unwrap();
        assert_eq!(reservation.snapshot().lines.iter().collect::<Vec<_>>(), [("a", 3)]);
        assert_eq!(shop.status(ORDER).await, "SHIPPED");
        let moved = [("held", 3), ("committed", 3), ("shipped", 3)];
        assert_eq!(ledger(&shop, ORDER).await, moved.map(|(kind, n)| (kind.to_owned(), n)));
        shop.audit().await;
    }
}

#[tokio::test]
async fn before_confirmed_was_heard_it_trims_and_books_out_all_the_same() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10), ("b", 10)]).await;
        shop.hear_one(&submitted(ORDER, &[("a", 3), ("b", 1)])).await.unwrap();
        shop.hear_one(&shipped(ORDER, &[("a", 2)])).await.unwrap();
        assert_eq!((shop.stock("a").await, shop.stock("b").await), (left(8, 2), left(10, 0)));
        assert_eq!(shop.reservation(ORDER).await.unwrap().snapshot().expires_at, None);
        // The confirmation that was missed, and the submission once more.
        for late in [confirmed(ORDER, &[("a", 2)]), submitted(ORDER, &[("a", 3), ("b", 1)])] {
            assert_eq!(shop.hear_one(&late).await.unwrap(), Outcome::Already);
        }
        assert_eq!(shop.stock("a").await, left(8, 2));
        assert_eq!(shop.words(ORDER).await, ["reserved", "dispatched"]);
        shop.audit().await;
    }
}

#[tokio::test]
async fn a_whole_story_in_one_batch_comes_to_the_same() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let story: Vec<Event> = vec![
            submitted(ORDER, &[("a", 2)]),
            confirmed(ORDER, &[("a", 2)]),
            shipped(ORDER, &[("a", 2)]),
            submitted("other", &[("a", 1)]),
            refunded(ORDER, false),
            shipped(ORDER, &[("a", 2)]),
        ];
        use Outcome::{Already, Moved};
        let outcomes = [Moved, Moved, Moved, Moved, Already, Already];
        assert_eq!(shop.hear(&story).await.unwrap(), outcomes);
        assert_eq!(shop.stock("a").await, Counts { held: 1, ..left(7, 2) });
        assert_eq!(shop.words(ORDER).await, ["reserved", "dispatched"]);
        shop.audit().await;
    }
}

#[tokio::test]
async fn goods_that_have_left_are_neither_held_again_nor_given_back() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        shop.hear_one(&submitted(ORDER, &[("a", 2)])).await.unwrap();
        shop.hear_one(&shipped(ORDER, &[("a", 2)])).await.unwrap();
        let late = [
            submitted_at(ORDER, 2, &[("a", 2)]),
            confirmed_at(ORDER, 2, &[("a", 1)]),
            refunded(ORDER, false),
        ];
        for event in &late {
            assert_eq!(shop.hear_one(event).await.unwrap(), Outcome::Already, "{event:?}");
        }
        assert_eq!(poison(shop.hear_one(&canceled(ORDER)).await), "refused_transition");
        assert_eq!(poison(shop.hear_one(&refunded(ORDER, true)).await), "refused_transition");
        assert_eq!(shop.words(ORDER).await, ["reserved", "dispatched"]);
        assert_eq!(shop.stock("a").await, left(8, 2));
        shop.audit().await;
    }
}

#[tokio::test]
async fn what_was_never_held_or_was_given_back_cannot_leave() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let hold = |order: &str| submitted(order, &[("a", 2)]);
        let cases = [
            ("unheard", vec![]),
            ("rejected", vec![submitted("rejected", &[("a", 11)])]),
            ("released", vec![hold("released"), canceled("released")]),
            ("fenced", vec![canceled("fenced")]),
        ];
        for (order, story) in cases {
            for event in &story {
                shop.hear_one(event).await.unwrap();
            }
            let before = (shop.rows().await, shop.status(order).await);
            let said = shipped(order, &[("a", 2)]);
            assert_eq!(poison(shop.hear_one(&said).await), "refused_transition", "{order}");
            assert_eq!((shop.rows().await, shop.status(order).await), before, "{order}");
        }
        shop.hear_one(&hold(ORDER)).await.unwrap();
        let more = shipped(ORDER, &[("a", 3)]);
        assert_eq!(poison(shop.hear_one(&more).await), "refused_transition", "more than is held");
        let none = shipped(ORDER, &[]);
        assert_eq!(poison(shop.hear_one(&none).await), "malformed_data");
        assert_eq!(shop.status(ORDER).await, "HELD");
        shop.audit().await;
    }
}

#[tokio::test]
async fn a_hold_that_ships_is_waited_for_no_more() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        shop.hear_one(&submitted(ORDER, &[("a", 2)])).await.unwrap();
        shop.hear_one(&shipped(ORDER, &[("a", 2)])).await.unwrap();
        let row = shop.stream(ORDER).await;
        assert_eq!((row.ask_at, row.ended_at.is_some()), (None, true));
    }
}
