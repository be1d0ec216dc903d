//! Every event once, twice, early, late and stale, with an inbox that remembers nothing.

use oms_inventory::domain::Counts;
use oms_messaging::{Failure, Outcome};
use sea_orm::EntityTrait;
use serde_json::json;

use crate::support::{
    HOLD_FOR, Shop, available, canceled, confirmed, confirmed_at, event, refunded, shipped,
    submitted, submitted_at,
};

const ORDER: &str = "0190f5fe-7a3b-7000-8000-000000000001";

fn poison(result: Result<Outcome, Failure>) -> &'static str {
    match result {
        Err(Failure::Poison { code, .. }) => code,
        other => panic!("{other:?} is no poison"),
    }
}

#[tokio::test]
async fn submitted_holds_every_line_and_answers_reserved() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10), ("b", 5)]).await;
        let said = submitted(ORDER, &[("b", 2), ("a", 1), ("b", 1)]);
        assert_eq!(shop.hear_one(&said).await.unwrap(), Outcome::Moved);
        assert_eq!(shop.stock("a").await, Counts { available: 9, held: 1, ..Counts::default() });
        assert_eq!(shop.stock("b").await, Counts { available: 2, held: 3, ..Counts::default() });
        let reservation = shop.reservation(ORDER).await.unwrap();
        let until = reservation.snapshot().expires_at.unwrap();
        use oms_seams::Clock;
        assert_eq!(until, shop.clock.now() + HOLD_FOR);
        let answers = shop.said(ORDER).await;
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].0, "reserved");
        assert_eq!(answers[0].1["revision"], 1);
        let told = answers[0].1["until"].as_str().unwrap();
        assert_eq!(chrono::DateTime::parse_from_rfc3339(told).unwrap(), until);
        shop.audit().await;
    }
}

#[tokio::test]
async fn submitted_twice_holds_once() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let said = submitted(ORDER, &[("a", 1)]);
        assert_eq!(shop.hear_one(&said).await.unwrap(), Outcome::Moved);
        assert_eq!(shop.hear_one(&said).await.unwrap(), Outcome::Already);
        assert_eq!(shop.words(ORDER).await, ["reserved"]);
        assert_eq!(shop.stock("a").await.held, 1);
        shop.audit().await;
    }
}

#[tokio::test]
async fn a_line_that_is_out_of_stock_rejects_all_lines() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10), ("b", 1)]).await;
        let said = submitted(ORDER, &[("a", 1), ("b", 2)]);
        assert_eq!(shop.hear_one(&said).await.unwrap(), Outcome::Moved);
        let shortages = json!([{"sku": "b", "asked": 2, "available": 1}]);
        let answer = json!({"revision": 1, "reason": "out_of_stock", "shortages": shortages});
        assert_eq!(shop.said(ORDER).await, [("rejected".to_owned(), answer)]);
        assert_eq!(shop.stock("a").await, available(10));
        assert_eq!(shop.status(ORDER).await, "REJECTED");
        // A revision once rejected stays rejected, even when stock has come meanwhile.
        shop.receive("b", 10).await;
        assert_eq!(shop.hear_one(&said).await.unwrap(), Outcome::Already);
        assert_eq!(shop.words(ORDER).await, ["rejected"]);
        shop.audit().await;
    }
}

#[tokio::test]
async fn an_unknown_sku_is_rejected_and_not_invented() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let before = shop.rows().await[0];
        // PostgreSQL cannot store the NUL, so that no SKU can have it.
        shop.hear_one(&submitted(ORDER, &[("a", 1), ("nul\0", 1), ("none", 2)])).await.unwrap();
        let answer = &shop.said(ORDER).await[0];
        assert_eq!((answer.0.as_str(), &answer.1["reason"]), ("rejected", &json!("unknown_sku")));
        let missing = [("none", 2), ("nul\0", 1)];
        let missing = missing.map(|(sku, n)| json!({"sku": sku, "asked": n, "available": 0}));
        assert_eq!(answer.1["shortages"], json!(missing));
        assert_eq!(shop.rows().await[0], before);
        assert_eq!(shop.stock("a").await, available(10));
    }
}

#[tokio::test]
async fn confirmed_commits_the_hold_once_and_says_nothing() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        shop.hear_one(&submitted(ORDER, &[("a", 3)])).await.unwrap();
        let said = confirmed(ORDER, &[("a", 3)]);
        assert_eq!(shop.hear_one(&said).await.unwrap(), Outcome::Moved);
        assert_eq!(shop.hear_one(&said).await.unwrap(), Outcome::Already);
        let counts = Counts { available: 7, committed: 3, ..Counts::default() };
        assert_eq!(shop.stock("a").await, counts);
        assert_eq!(shop.words(ORDER).await, ["reserved"]);
        assert_eq!(shop.reservation(ORDER).await.unwrap().snapshot().expires_at, None);
        shop.audit().await;
    }
}

#[tokio::test]
async fn confirmed_trims_the_hold_to_the_lines_in_force() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10), ("b", 10)]).await;
        shop.hear_one(&submitted(ORDER, &[("a", 3), ("b", 1)])).await.unwrap();
        shop.hear_one(&confirmed(ORDER, &[("a", 2)])).await.unwrap();
        let counts = Counts { available: 8, committed: 2, ..Counts::default() };
        assert_eq!(shop.stock("a").await, counts);
        assert_eq!(shop.stock("b").await, available(10));
        shop.audit().await;
        shop.hear_one(&confirmed_at(ORDER, 2, &[("a", 1)])).await.unwrap();
        assert_eq!(shop.stock("a").await.committed, 1);
        assert_eq!(shop.words(ORDER).await, ["reserved"]);
        shop.audit().await;
    }
}

#[tokio::test]
async fn a_stale_confirmed_trims_nothing() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        shop.hear_one(&submitted_at(ORDER, 2, &[("a", 3)])).await.unwrap();
        let stale = confirmed_at(ORDER, 1, &[("a", 1)]);
        assert_eq!(shop.hear_one(&stale).await.unwrap(), Outcome::Already);
        assert_eq!(shop.stock("a").await.held, 3);
    }
}

#[tokio::test]
async fn confirmed_of_what_was_never_held_is_poison_and_changes_nothing() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let before = shop.rows().await;
        let said = confirmed(ORDER, &[("a", 1)]);
        assert_eq!(poison(shop.hear_one(&said).await), "refused_transition");
        assert_eq!(shop.rows().await, before);
        shop.hear_one(&submitted(ORDER, &[("a", 1)])).await.unwrap();
        let more = confirmed(ORDER, &[("a", 2)]);
        assert_eq!(poison(shop.hear_one(&more).await), "refused_transition");
        assert_eq!(shop.status(ORDER).await, "HELD");
        assert_eq!(shop.stock("a").await.held, 1);
    }
}

#[tokio::test]
async fn canceled_gives_everything_back_from_every_state_and_answers_released_once() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let hold = |order: &str| submitted(order, &[("a", 4)]);
        let cases = [
            ("held", vec![hold("held")]),
            ("committed", vec![hold("committed"), confirmed("committed", &[("a", 4)])]),
            ("rejected", vec![submitted("rejected", &[("a", 11)])]),
        ];
        for (order, story) in cases {
            for event in &story {
                shop.hear_one(event).await.unwrap();
            }
            let said = canceled(order);
            assert_eq!(shop.hear_one(&said).await.unwrap(), Outcome::Moved, "{order}");
            assert_eq!(shop.hear_one(&said).await.unwrap(), Outcome::Already, "{order}");
            assert_eq!(shop.status(order).await, "RELEASED");
            assert_eq!(shop.words(order).await[1..], ["released"], "{order}");
            assert_eq!(shop.stock("a").await, available(10), "{order}");
            assert!(shop.reservation(order).await.unwrap().snapshot().lines.is_empty());
            shop.audit().await;
        }
    }
}

#[tokio::test]
async fn canceled_before_submitted_fences_and_the_late_submitted_is_rejected() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        shop.hear_one(&canceled(ORDER)).await.unwrap();
        assert_eq!(shop.status(ORDER).await, "FENCED");
        let late = submitted(ORDER, &[("a", 1)]);
        assert_eq!(shop.hear_one(&late).await.unwrap(), Outcome::Moved);
        assert_eq!(shop.hear_one(&late).await.unwrap(), Outcome::Already);
        let answers = shop.said(ORDER).await;
        let rejected = json!({"revision": 1, "reason": "released", "shortages": []});
        assert_eq!(answers[0], ("released".to_owned(), json!({})));
        assert_eq!(answers[1..], [("rejected".to_owned(), rejected)]);
        let late = confirmed(ORDER, &[("a", 1)]);
        assert_eq!(shop.hear_one(&late).await.unwrap(), Outcome::Already);
        assert_eq!(shop.hear_one(&canceled(ORDER)).await.unwrap(), Outcome::Already);
        assert_eq!(shop.status(ORDER).await, "FENCED");
        assert_eq!(shop.stock("a").await, available(10));
        shop.audit().await;
    }
}

#[tokio::test]
async fn a_later_submitted_after_released_is_rejected_and_confirmed_is_ignored() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        shop.hear_one(&submitted(ORDER, &[("a", 1)])).await.unwrap();
        shop.hear_one(&canceled(ORDER)).await.unwrap();
        let late = confirmed(ORDER, &[("a", 1)]);
        assert_eq!(shop.hear_one(&late).await.unwrap(), Outcome::Already);
        let again = submitted(ORDER, &[("a", 1)]);
        assert_eq!(shop.hear_one(&again).await.unwrap(), Outcome::Already);
        let more = submitted_at(ORDER, 2, &[("a", 1)]);
        assert_eq!(shop.hear_one(&more).await.unwrap(), Outcome::Moved);
        assert_eq!(shop.words(ORDER).await, ["reserved", "released", "rejected"]);
        assert_eq!(shop.stock("a").await, available(10));
    }
}

#[tokio::test]
async fn refunded_gives_the_hold_back_only_if_told_so() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        shop.hear_one(&submitted(ORDER, &[("a", 2)])).await.unwrap();
        shop.hear_one(&confirmed(ORDER, &[("a", 2)])).await.unwrap();
        let kept = refunded(ORDER, false);
        assert_eq!(shop.hear_one(&kept).await.unwrap(), Outcome::Already);
        assert_eq!(shop.stock("a").await.committed, 2);
        let back = refunded(ORDER, true);
        assert_eq!(shop.hear_one(&back).await.unwrap(), Outcome::Moved);
        assert_eq!(shop.hear_one(&back).await.unwrap(), Outcome::Already);
        assert_eq!(shop.words(ORDER).await, ["reserved", "released"]);
        assert_eq!(shop.stock("a").await, available(10));
        shop.audit().await;
    }
}

#[tokio::test]
async fn data_no_order_can_say_is_poison() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let before = shop.rows().await;
        let mut no_lines = submitted(ORDER, &[("a", 1)]);
        no_lines.data = serde_json::value::to_raw_value(&json!({"lines": "none"})).unwrap();
        let bad = [
            submitted(ORDER, &[("a", 0)]),
            submitted(ORDER, &[("a", -1)]),
            submitted(ORDER, &[("a", i64::MAX), ("a", 1)]),
            submitted(ORDER, &[]),
            submitted_at(ORDER, 0, &[("a", 1)]),
            no_lines,
        ];
        for event in bad {
            assert_eq!(poison(shop.hear_one(&event).await), "malformed_data", "{event:?}");
        }
        assert_eq!(shop.rows().await, before);
    }
}

#[tokio::test]
async fn replaying_whole_stories_changes_nothing() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let story = [
            submitted("paid", &[("a", 2)]),
            confirmed("paid", &[("a", 2)]),
            submitted("gone", &[("a", 2)]),
            canceled("gone"),
            submitted("back", &[("a", 2)]),
            confirmed("back", &[("a", 2)]),
            refunded("back", true),
            submitted("poor", &[("a", 20)]),
            canceled("poor"),
            submitted("left", &[("a", 3)]),
            confirmed("left", &[("a", 3)]),
            shipped("left", &[("a", 3)]),
            refunded("left", false),
        ];
        for event in &story {
            shop.hear_one(event).await.unwrap();
        }
        let (rows, stock) = (shop.rows().await, shop.stock("a").await);
        for event in &story {
            assert_eq!(shop.hear_one(event).await.unwrap(), Outcome::Already, "{event:?}");
        }
        assert_eq!(shop.hear(&story).await.unwrap(), [Outcome::Already; 13]);
        assert_eq!((shop.rows().await, shop.stock("a").await), (rows, stock));
        shop.audit().await;
    }
}

#[tokio::test]
async fn an_answer_belongs_to_the_run_and_trace_of_its_cause() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let cause = submitted(ORDER, &[("a", 2)]);
        shop.hear_one(&cause).await.unwrap();
        use oms_messaging::{Event, tables::outbox};
        let row = outbox::Entity::find().one(shop.conn()).await.unwrap().unwrap();
        let answer = Event::parse(&row.payload).unwrap();
        assert_eq!((answer.causationid, answer.sagaid), (Some(cause.id), cause.sagaid));
        // The trace alone: where spans are made, each event has one of its own.
        let trace = |of: &Event| of.traceparent.as_deref().map(|text| text[3..35].to_owned());
        assert_eq!(trace(&answer), trace(&cause));
    }
}

#[tokio::test]
async fn inventory_waits_only_while_a_hold_is_uncommitted() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let waits = async |order: &str| {
            let row = shop.stream(order).await;
            (row.ask_at.is_some(), row.ended_at.is_some())
        };
        shop.hear_one(&submitted(ORDER, &[("a", 2)])).await.unwrap();
        assert_eq!(waits(ORDER).await, (true, false), "held");
        shop.hear_one(&confirmed(ORDER, &[("a", 2)])).await.unwrap();
        assert_eq!(waits(ORDER).await, (false, false), "committed");
        shop.hear_one(&canceled(ORDER)).await.unwrap();
        assert_eq!(waits(ORDER).await, (false, true), "released");
        shop.hear_one(&submitted("left", &[("a", 2)])).await.unwrap();
        shop.hear_one(&shipped("left", &[("a", 2)])).await.unwrap();
        assert_eq!(waits("left").await, (false, true), "shipped");
        shop.hear_one(&submitted("poor", &[("a", 11)])).await.unwrap();
        assert_eq!(waits("poor").await, (false, false), "rejected");
        shop.hear_one(&canceled("fenced")).await.unwrap();
        assert_eq!(waits("fenced").await, (false, true), "fenced");
        shop.hear_one(&refunded("other", false)).await.unwrap();
        assert_eq!(waits("other").await, (false, false), "never heard of");
    }
}

#[tokio::test]
async fn an_event_from_a_newer_order_service_is_understood() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let mut newer = submitted(ORDER, &[("a", 1)]);
        let text = newer.data.get().replacen('{', r#"{"newer":1,"#, 1);
        newer.data = serde_json::value::RawValue::from_string(text).unwrap();
        assert_eq!(shop.hear_one(&newer).await.unwrap(), Outcome::Moved);
        let unheard = event(
            ORDER,
            &oms_events::order::Created {
                customer_id: String::new(),
                lines: vec![],
                total: oms_events::Amount { amount_minor: 1, currency: "USD".to_owned() },
            },
        );
        use oms_messaging::Reactor;
        assert!(!shop.reactor.hears(&unheard.event_type));
    }
}
