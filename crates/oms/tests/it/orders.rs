//! Every command about orders, against a service that answers as the proto says.

use oms_proto::oms_v1::OrderStatus;
use serde_json::{Value, json};
use tonic::Code;

use crate::{
    fake::{Fake, busy, refusal},
    program::Ended,
};

/// Creates an order for 250.00 USD and gives its id.
async fn create(fake: &Fake) -> String {
    let lines = ["--item", "SKU-001:2@100.00", "--item", "SKU-002@50"];
    let mut arguments = vec!["order", "create", "--customer", "c-1", "--quiet"];
    arguments.extend(lines);
    fake.oms(&arguments).await.exits(0).out.trim().to_owned()
}

#[test]
fn an_order_is_created_paid_shown_shipped_and_completed() {
    Fake::with(async |fake| {
        let order = create(&fake).await;
        let kept = fake.kept(&order).unwrap().order;
        assert_eq!((kept.amount_minor, kept.currency.as_str()), (25_000, "USD"));

        let paid = fake.oms(&["order", "pay", &order, "--wait"]).await.exits(0);
        for word in ["CONFIRMED", "250.00 USD", "SKU-001", "status=confirmed"] {
            assert!(paid.out.contains(word), "{word}: {}", paid.out);
        }
        let shown = fake.oms(&["order", "show", &order, "--json"]).await.exits(0).json();
        assert_eq!(shown["order"]["amount_minor"], "25000");
        assert_eq!(shown["order"]["status"], "ORDER_STATUS_CONFIRMED");
        assert_eq!(shown["timeline"].as_array().unwrap().len(), 2);

        let shipped = fake.oms(&["order", "ship", &order]).await.exits(0);
        assert_eq!(shipped.out, format!("{order}  SHIPPED\n"));
        let completed = fake.oms(&["order", "complete", &order, "--json"]).await.exits(0);
        let expected = json!({ "order_id": order, "status": "ORDER_STATUS_COMPLETED" });
        assert_eq!(completed.json(), expected);
    });
}

#[test]
fn create_pay_and_wait_is_one_command_and_one_document() {
    Fake::with(async |fake| {
        let command = ["order", "create", "--customer", "c", "--item", "a@1.00", "--pay", "--wait"];
        let shown = fake.oms(&[&command[..], &["--json"]].concat()).await.exits(0).json();
        assert_eq!(shown["order"]["status"], "ORDER_STATUS_CONFIRMED");
        let quiet = fake.oms(&[&command[..], &["--quiet"]].concat()).await.exits(0).out;
        assert_eq!(quiet.trim(), "0199aaaa-0000-7000-8000-000000000002");
        let declined = [&command[..], &["--method", "pm_card_declined"]].concat();
        let declined = fake.oms(&declined).await.exits(1).says("payment_declined");
        assert!(declined.out.contains("CANCELED"), "{}", declined.out);
        assert!(declined.err.contains("oms order show"), "the order exists: {}", declined.err);
    });
}

#[test]
fn whoever_follows_the_advice_after_a_payment_that_failed_buys_once() {
    let create = ["order", "create", "--customer", "c", "--item", "a@1", "--pay", "--retries", "0"];
    for more in [&[][..], &["--key", "mine"], &["--method", "pm_card_declined"]] {
        Fake::with(async |fake| {
            fake.fail("pay", [busy()]);
            let failed = fake.oms(&[&create[..], more].concat()).await.exits(4);
            assert_eq!(failed.err.matches("--key").count(), 1, "one advice: {}", failed.err);
            let advice = failed.err.split('`').find(|part| part.starts_with("oms order pay"));
            let words: Vec<&str> = advice.unwrap().split(' ').skip(1).collect();
            fake.oms(&words).await.exits(0);
            let state = fake.lock();
            assert_eq!(state.orders.len(), 1);
            assert_ne!(state.orders[0].order.status(), OrderStatus::Pending);
            let keys: Vec<_> = state.seen.iter().filter(|(what, _)| *what == "pay").collect();
            assert!(keys.len() == 2 && keys[0] == keys[1], "{keys:?}");
        });
    }
}

#[test]
fn a_key_that_leaves_the_payment_no_room_is_refused_before_anything_is_created() {
    Fake::with(async |fake| {
        let create = ["order", "create", "--customer", "c", "--item", "a@1", "--pay", "--key"];
        let with = |length: usize| "k".repeat(length);
        fake.oms(&[&create[..], &[&with(252)]].concat()).await.exits(2).says("at most 251");
        assert_eq!(fake.lock().orders.len(), 0);
        fake.oms(&[&create[..], &[&with(251)]].concat()).await.exits(0);
    });
}

#[test]
fn orders_are_listed_by_reference_over_pages() {
    Fake::with(async |fake| {
        for n in 0..5 {
            let reference = format!("web-{}", n % 2);
            let command = ["order", "create", "--customer", "c", "--item", "a@1", "--reference"];
            fake.oms(&[&command[..], &[&reference]].concat()).await.exits(0);
        }
        let found = fake.oms(&["order", "list", "--reference", "web-0", "--json"]).await.exits(0);
        let rows = |found: &Value| found["orders"].as_array().unwrap().len();
        assert_eq!(rows(&found.json()), 3);
        let page = fake.oms(&["order", "list", "--limit", "2", "--json"]).await.exits(0).json();
        assert_eq!((rows(&page), page["next_page_token"].as_str()), (2, Some("2")));
        let rest = ["order", "list", "--page-token", "2", "--json"];
        assert_eq!(rows(&fake.oms(&rest).await.exits(0).json()), 3);
        let none = fake.oms(&["order", "list", "--status", "shipped"]).await.exits(0);
        assert_eq!(none.out.lines().count(), 1, "the titles alone: {}", none.out);
    });
}

#[test]
fn part_of_the_money_is_given_back_in_the_orders_own_currency() {
    Fake::with(async |fake| {
        let order = create(&fake).await;
        fake.oms(&["order", "pay", &order]).await.exits(0);
        let refund = ["order", "refund", &order, "--amount", "25.10"];
        let refunded = fake.oms(&refund).await.exits(0);
        assert!(refunded.out.contains("REFUNDED, 25.10 USD given back"), "{}", refunded.out);
        let many = ["order", "refund", &order, "--amount", "25.101"];
        fake.oms(&many).await.exits(2).says("too many decimals");
        let less = ["order", "refund", &order, "--amount", "-5"];
        fake.oms(&less).await.exits(2).says("--amount -5 is negative; amounts are positive");
        let rest = fake.oms(&["order", "refund", &order, "--json"]).await.exits(0).json();
        assert_eq!(rest["refunded_amount"], "22490");
    });
}

#[test]
fn a_step_after_a_part_refund_tells_how_far_the_order_has_come() {
    Fake::with(async |fake| {
        let order = create(&fake).await;
        fake.oms(&["order", "pay", &order]).await.exits(0);
        fake.oms(&["order", "refund", &order, "--amount", "1"]).await.exits(0);
        let shipped = fake.oms(&["order", "ship", &order]).await.exits(0).out;
        assert_eq!(shipped, format!("{order}  REFUNDED (lifecycle SHIPPED)\n"));
        // It is done, whether it can be looked at or not.
        fake.fail("get", [refusal(Code::Internal, "INTERNAL")]);
        let completed = fake.oms(&["order", "complete", &order]).await.exits(0).out;
        assert_eq!(completed, format!("{order}  REFUNDED\n"));
    });
}

#[test]
fn waiting_tells_by_its_exit_code_how_the_order_ended() {
    Fake::with(async |fake| {
        let order = create(&fake).await;
        let late = fake.oms(&["order", "wait", &order, "--timeout", "2s"]).await.exits(4);
        late.says("the order is PENDING").says("oms order pay");
        let canceled = fake.oms(&["order", "cancel", &order, "--reason", "r"]).await.exits(0);
        assert!(canceled.out.contains("CANCELED"));
        fake.oms(&["order", "wait", &order]).await.exits(1).says("customer");
        let ended = fake.oms(&["order", "wait", &order, "--until", "ended"]).await.exits(0);
        assert!(ended.out.contains("CANCELED"), "{}", ended.out);
        fake.oms(&["order", "wait", "nobody"]).await.exits(3).says("order list");
    });
}

#[test]
fn a_watch_shows_every_entry_once_over_lost_connections() {
    Fake::with(async |fake| {
        let order = create(&fake).await;
        fake.oms(&["order", "pay", &order]).await.exits(0);
        fake.oms(&["order", "ship", &order]).await.exits(0);
        fake.fail("watch", [busy(), busy()]);
        fake.fail("stream", [busy()]);
        let arguments = ["order", "watch", &order, "--json"];
        let watching = fake.oms(&arguments);
        let ending = async {
            // Only once the watch has taken its faults does the order go on.
            fake.until(|state| state.faults["stream"].is_empty()).await;
            fake.fail("stream", [busy()]);
            fake.change(&order, |kept| {
                kept.set_lifecycle_status(OrderStatus::Completed);
                Ok(())
            })
            .unwrap();
        };
        let (watched, ()) = futures::join!(watching, ending);
        let watched: Ended = watched.exits(0);
        let versions: Vec<i64> = watched
            .out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .flat_map(|step| step["timeline"].as_array().cloned().unwrap_or_default())
            .map(|entry| entry["version"].as_i64().unwrap())
            .collect();
        assert_eq!(versions, [1, 2, 3, 4]);
        let later = ["order", "watch", &order, "--after-version", "3"];
        let later = fake.oms(&later).await.exits(0);
        assert!(later.out.contains("completed") && !later.out.contains("shipped"), "{}", later.out);
    });
}

#[test]
fn a_busy_service_is_asked_again_with_the_same_key() {
    Fake::with(async |fake| {
        let order = create(&fake).await;
        fake.fail("cancel", [busy(), refusal(Code::Aborted, "ORDER_BUSY")]);
        let canceled = fake.oms(&["order", "cancel", &order, "--verbose"]).await.exits(0);
        canceled.says("idempotency key oms-").says("again in 1ms");
        let keys: Vec<String> = fake
            .lock()
            .seen
            .iter()
            .filter(|(method, _)| *method == "cancel")
            .map(|(_, key)| key.clone())
            .collect();
        assert_eq!(keys.len(), 3);
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        fake.fail("cancel", [busy(), busy()]);
        let given_up = ["order", "cancel", &order, "--retries", "1", "--key", "mine"];
        fake.oms(&given_up).await.exits(4).says("--key mine");
    });
}

#[test]
fn a_version_that_is_another_is_not_asked_for_again() {
    Fake::with(async |fake| {
        let order = create(&fake).await;
        fake.fail("cancel", [refusal(Code::Aborted, "ORDER_VERSION_MISMATCH")]);
        let arguments = ["order", "cancel", &order, "--expected-version", "7"];
        let refused = fake.oms(&arguments).await.exits(1);
        assert_eq!(refused.err.matches("next: ").count(), 1, "{}", refused.err);
        refused.says("look again with `oms order show");
        assert_eq!(fake.kept(&order).unwrap().order.status(), OrderStatus::Pending);
    });
}
