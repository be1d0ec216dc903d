//! Amendments: of each SKU the larger of settled and desired, all or nothing, until order says what
//! is in force.

use chrono::{DateTime, Utc};
use oms_events::order;
use oms_inventory::domain::{
    Change, Counts, Fact, Lines, RejectReason, Reservation, Shelf, Snapshot, Status,
};
use oms_messaging::{Event, Failure, Outcome};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{
    Shop, available, canceled, confirmed, confirmed_at, event, lines as event_lines, shipped,
    submitted,
};

const ORDER: &str = "0190f5fe-7a3b-7000-8000-000000000001";

type Wanted<'a> = &'a [(&'a str, i64)];

fn amended(revision: i32, settled: Wanted<'_>, desired: Wanted<'_>) -> Event {
    let total = || oms_events::Amount { amount_minor: 100, currency: "USD".to_owned() };
    let data = order::Amended {
        revision,
        lines: event_lines(desired),
        total: total(),
        settled_revision: revision - 1,
        settled_lines: event_lines(settled),
        settled_total: total(),
        payment_method: None,
    };
    event(ORDER, &data)
}

/// A shop that has committed these lines for the order.
async fn committed(shop: Shop, wanted: Wanted<'_>) -> Shop {
    shop.hear(&[submitted(ORDER, wanted), confirmed(ORDER, wanted)]).await.unwrap();
    shop
}

fn has(available: i64, committed: i64) -> Counts {
    Counts { available, committed, ..Counts::default() }
}

async fn waits(shop: &Shop) -> bool {
    shop.stream(ORDER).await.ask_at.is_some()
}

#[tokio::test]
async fn the_larger_of_both_is_held_until_the_new_lines_are_in_force() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10), ("b", 10), ("c", 10)]).await;
        let shop = committed(shop, &[("a", 3), ("b", 2)]).await;
        assert!(!waits(&shop).await);
        let (settled, desired) = (&[("a", 3), ("b", 2)], &[("a", 1), ("c", 4)]);
        let said = amended(2, settled, desired);
        assert_eq!(shop.hear_one(&said).await.unwrap(), Outcome::Moved);
        assert_eq!(shop.words(ORDER).await, ["reserved", "reserved"]);
        assert_eq!(shop.said(ORDER).await[1].1["revision"], 2);
        let now = [shop.stock("a").await, shop.stock("b").await, shop.stock("c").await];
        assert_eq!(now, [has(7, 3), has(8, 2), has(6, 4)], "nothing is given back yet");
        assert!(waits(&shop).await, "for the amendment's end");
        shop.audit().await;

        shop.hear_one(&confirmed_at(ORDER, 2, desired)).await.unwrap();
        let now = [shop.stock("a").await, shop.stock("b").await, shop.stock("c").await];
        assert_eq!(now, [has(9, 1), available(10), has(6, 4)]);
        assert_eq!(shop.words(ORDER).await.len(), 2, "a trim says nothing");
        assert!(!waits(&shop).await);
        shop.audit().await;
    }
}

#[tokio::test]
async fn what_cannot_be_held_as_a_whole_changes_nothing_and_stays_rejected() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10), ("b", 2)]).await;
        let shop = committed(shop, &[("a", 3)]).await;
        let said = amended(2, &[("a", 3)], &[("a", 5), ("b", 3)]);
        shop.hear_one(&said).await.unwrap();
        let shortages = json!([{"sku": "b", "asked": 3, "available": 2}]);
        let answer = json!({"revision": 2, "reason": "out_of_stock", "shortages": shortages});
        assert_eq!(shop.said(ORDER).await[1], ("rejected".to_owned(), answer));
        assert_eq!((shop.stock("a").await, shop.stock("b").await), (has(7, 3), available(2)));
        assert!(waits(&shop).await, "for what is in force");
        shop.receive("b", 10).await;
        assert_eq!(shop.hear_one(&said).await.unwrap(), Outcome::Already);
        assert_eq!(shop.words(ORDER).await.len(), 2);
        // Refused: the settled lines, as the revision after it.
        shop.hear_one(&confirmed_at(ORDER, 3, &[("a", 3)])).await.unwrap();
        assert_eq!(shop.stock("a").await, has(7, 3));
        assert!(!waits(&shop).await);
        let unknown = amended(4, &[("a", 3)], &[("a", 3), ("none", 1)]);
        shop.hear_one(&unknown).await.unwrap();
        assert_eq!(shop.said(ORDER).await[2].1["reason"], "unknown_sku");
        shop.audit().await;
    }
}

#[tokio::test]
async fn an_amendment_that_payment_refused_gives_back_what_it_added() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let shop = committed(shop, &[("a", 3)]).await;
        shop.hear_one(&amended(2, &[("a", 3)], &[("a", 8)])).await.unwrap();
        assert_eq!(shop.stock("a").await, has(2, 8));
        shop.hear_one(&confirmed_at(ORDER, 3, &[("a", 3)])).await.unwrap();
        assert_eq!(shop.stock("a").await, has(7, 3));
        // What was said before, once more and late.
        for stale in [amended(2, &[("a", 3)], &[("a", 8)]), confirmed_at(ORDER, 2, &[("a", 8)])] {
            assert_eq!(shop.hear_one(&stale).await.unwrap(), Outcome::Already);
        }
        assert_eq!(shop.stock("a").await, has(7, 3));
        shop.audit().await;
    }
}

#[tokio::test]
async fn what_a_refused_amendment_left_over_serves_the_next_before_its_end_is_heard() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10), ("b", 1)]).await;
        let shop = committed(shop, &[("a", 3)]).await;
        shop.hear_one(&amended(2, &[("a", 3)], &[("a", 10)])).await.unwrap();
        // Order says `confirmed` of 3, then amends again: the word is late.
        shop.hear_one(&amended(4, &[("a", 3)], &[("a", 5), ("b", 1)])).await.unwrap();
        assert_eq!((shop.stock("a").await, shop.stock("b").await), (has(5, 5), has(0, 1)));
        assert_eq!(
            shop.hear_one(&confirmed_at(ORDER, 3, &[("a", 3)])).await.unwrap(),
            Outcome::Already,
            "a stale one trims nothing"
        );
        shop.hear_one(&confirmed_at(ORDER, 4, &[("a", 5), ("b", 1)])).await.unwrap();
        assert_eq!((shop.stock("a").await, shop.stock("b").await), (has(5, 5), has(0, 1)));
        shop.audit().await;
    }
}

#[tokio::test]
async fn an_amendment_heard_before_the_confirmation_of_the_order_is_held_beside_it() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        shop.hear_one(&submitted(ORDER, &[("a", 3)])).await.unwrap();
        shop.hear_one(&amended(2, &[("a", 3)], &[("a", 4)])).await.unwrap();
        assert_eq!(shop.stock("a").await, Counts { available: 6, held: 4, ..Counts::default() });
        let late = shop.hear_one(&confirmed(ORDER, &[("a", 3)])).await.unwrap();
        assert_eq!(late, Outcome::Already);
        shop.hear_one(&confirmed_at(ORDER, 2, &[("a", 4)])).await.unwrap();
        assert_eq!(shop.stock("a").await, has(6, 4));
        shop.audit().await;
    }
}

#[tokio::test]
async fn a_cancellation_gives_everything_back_and_later_amendments_are_rejected() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let shop = committed(shop, &[("a", 3)]).await;
        shop.hear_one(&amended(2, &[("a", 3)], &[("a", 8)])).await.unwrap();
        shop.hear_one(&canceled(ORDER)).await.unwrap();
        assert_eq!(shop.stock("a").await, available(10));
        shop.hear_one(&amended(4, &[("a", 3)], &[("a", 8)])).await.unwrap();
        assert_eq!(shop.words(ORDER).await[2..], ["released", "rejected"]);
        assert_eq!(shop.said(ORDER).await[3].1["reason"], "released");
        assert_eq!(shop.stock("a").await, available(10));
        assert!(!waits(&shop).await);
        shop.audit().await;
    }
}

#[tokio::test]
async fn goods_leave_as_they_are_in_force() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let shop = committed(shop, &[("a", 3)]).await;
        shop.hear_one(&amended(2, &[("a", 3)], &[("a", 8)])).await.unwrap();
        // The end of the amendment was lost: what leaves is in force.
        let left = order::Shipped { revision: 3, lines: event_lines(&[("a", 3)]) };
        shop.hear_one(&event(ORDER, &left)).await.unwrap();
        let counts = Counts { available: 7, shipped: 3, ..Counts::default() };
        assert_eq!(shop.stock("a").await, counts);
        let late = [confirmed_at(ORDER, 3, &[("a", 3)]), amended(2, &[("a", 3)], &[("a", 8)])];
        for late in late {
            assert_eq!(shop.hear_one(&late).await.unwrap(), Outcome::Already);
        }
        assert_eq!(shop.hear_one(&shipped(ORDER, &[("a", 3)])).await.unwrap(), Outcome::Already);
        shop.audit().await;
    }
}

#[tokio::test]
async fn an_amendment_of_nothing_is_loud() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let early = shop.hear_one(&amended(2, &[("a", 3)], &[("a", 8)])).await;
        assert!(matches!(early, Err(Failure::Poison { code: "refused_transition", .. })));
        let first = shop.hear_one(&amended(1, &[("a", 3)], &[("a", 8)])).await;
        assert!(matches!(first, Err(Failure::Poison { code: "malformed_data", .. })));
        assert_eq!(shop.status(ORDER).await, "unheard");
    }
}

fn lines(lines: Wanted<'_>) -> Lines {
    Lines::sum(lines.iter().map(|(sku, qty)| ((*sku).to_owned(), *qty))).unwrap()
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

#[test]
fn every_status_answers_an_amendment_as_the_contract_says() {
    for status in std::iter::once(None).chain(Status::ALL.map(Some)) {
        let has = matches!(status, Some(Status::Held | Status::Committed | Status::Shipped));
        let qty = i64::from(has) * 2;
        let only = |wanted| if status == Some(wanted) { qty } else { 0 };
        let counts = Counts {
            available: 10 - qty,
            held: only(Status::Held),
            committed: only(Status::Committed),
            shipped: only(Status::Shipped),
        };
        let mut shelf = Shelf::new([("a".to_owned(), counts)]);
        let mut reservation = Reservation::restore(Snapshot {
            order_id: "o".to_owned(),
            status,
            answered: 1,
            settled: i32::from(matches!(status, Some(Status::Committed | Status::Shipped))),
            lines: if has { lines(&[("a", 2)]) } else { Lines::default() },
            expires_at: None,
            expired_at: None,
        });
        let (settled, desired) = (lines(&[("a", 2)]), lines(&[("a", 5)]));
        let mut tell = || reservation.note_amended(2, &settled, &desired, at(60), &mut shelf);
        let answer = tell();
        match status {
            None | Some(Status::Rejected) => assert!(answer.is_err(), "{status:?}"),
            Some(Status::Held | Status::Committed) => {
                let reserved = Fact::Reserved { revision: 2, until: at(60) };
                assert_eq!(answer, Ok(Change::Moved(Some(reserved))), "{status:?}");
            }
            Some(Status::Released | Status::Fenced | Status::Shipped) => {
                let (reason, shortages) = (RejectReason::Released, vec![]);
                let rejected = Fact::Rejected { revision: 2, reason, shortages };
                assert_eq!(answer, Ok(Change::Moved(Some(rejected))), "{status:?}");
            }
        }
        if answer.is_ok() {
            assert_eq!(tell(), Ok(Change::Already), "{status:?}, once more");
        }
        let counts = shelf.counts("a").unwrap();
        let covered = reservation.snapshot().lines.of("a");
        assert_eq!(counts.total(), 10, "{status:?}");
        assert_eq!(counts.held + counts.committed + counts.shipped, covered, "{status:?}");
    }
}

proptest! {
    /// Any sequence of amendments, accepted and refused, and their ends heard or missed: what is in
    /// force is always held, and once its end is heard nothing else is.
    #[test]
    fn what_is_in_force_is_always_held(
        steps in prop::collection::vec(
            (1..6_i64, 0..6_i64, any::<bool>(), any::<bool>()), 1..20
        )
    ) {
        let stock = |available| Counts { available, ..Counts::default() };
        let mut shelf =
            Shelf::new([("a".to_owned(), stock(8)), ("b".to_owned(), stock(4))]);
        let mut reservation = Reservation::unheard("o");
        let mut force = lines(&[("a", 2)]);
        reservation.note_submitted(1, &force, at(1), &mut shelf).unwrap();
        reservation.note_confirmed(1, &force, &mut shelf).unwrap();
        let mut revision = 1;
        for (a, b, accepted, heard) in steps {
            revision += 1;
            let wanted: Vec<_> = [("a", a), ("b", b)].into_iter().filter(|(_, n)| *n > 0).collect();
            let desired = lines(&wanted);
            let answer =
                reservation.note_amended(revision, &force, &desired, at(2), &mut shelf).unwrap();
            let reserved = matches!(answer, Change::Moved(Some(Fact::Reserved { .. })));
            if reserved && accepted {
                force = desired;
            } else {
                revision += 1;
            }
            if heard {
                reservation.note_confirmed(revision, &force, &mut shelf).unwrap();
                prop_assert_eq!(&reservation.snapshot().lines, &force);
                prop_assert!(!reservation.waits());
            } else {
                prop_assert!(reservation.waits());
            }
            prop_assert!(reservation.snapshot().lines.beyond(&force).is_some());
            for (sku, total) in [("a", 8), ("b", 4)] {
                let counts = shelf.counts(sku).unwrap();
                prop_assert_eq!(counts.total(), total);
                prop_assert!(counts.available >= 0);
                prop_assert_eq!(counts.committed, reservation.snapshot().lines.of(sku));
            }
        }
    }
}
