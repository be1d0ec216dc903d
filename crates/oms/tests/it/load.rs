//! `oms load`: what it reports, and that its verification can fail.

use tonic::{Code, Status};

use crate::fake::{Fake, Lie, busy};

const MIX: &str = "--mix=ok=50,declined=20,out-of-stock=10,cancel=10,refund=10";

#[test]
fn a_closed_load_plays_its_mix_and_money_and_stock_agree() {
    Fake::with(async |fake| {
        // The fake confirms at once, so that a cancellation always comes after it.
        let mix = "--mix=ok=60,declined=20,out-of-stock=10,refund=10";
        let load = ["load", "--clients", "4", "--requests", "40", mix, "--json"];
        let report = fake.oms(&load).await.exits(0).json();
        assert_eq!(report["money_and_stock_agree"], true);
        assert_eq!(report["orders"]["as_they_should"], 40);
        assert_eq!(report["kinds"]["declined"]["begun"], 8);
        assert_eq!(report["latencies_ms"]["CreateOrder"]["count"], 40);
        assert_eq!(report["latencies_ms"]["accepted -> CONFIRMED"]["count"], 28);
        assert_eq!(report["latencies_ms"]["RefundOrder"]["count"], 4);
        let keys = fake.lock().seen.iter().filter(|(method, _)| *method == "create").count();
        assert_eq!(keys, 40);
    });
}

#[test]
fn an_open_load_begins_what_its_rate_and_duration_say() {
    Fake::with(async |fake| {
        let load = ["load", "--rate", "50", "--duration", "500ms"];
        let report = fake.oms(&load).await.exits(0);
        assert!(report.out.contains("25 orders in"), "{}", report.out);
        assert!(report.out.contains("money and stock agree"), "{}", report.out);
        for title in ["P50", "P90", "P99", "P99.9", "MAX"] {
            assert!(report.out.contains(title), "{}", report.out);
        }
    });
}

#[test]
fn money_that_does_not_agree_is_found() {
    Fake::with(async |fake| {
        fake.lock().lie = Some(Lie::Money);
        let load = ["load", "--clients", "2", "--requests", "4", "--settle", "300ms"];
        let report = fake.oms(&load).await.exits(1).says("money and stock do not agree");
        assert!(report.out.contains("payment"), "{}", report.out);
        assert!(!report.out.contains("money and stock agree"), "{}", report.out);
    });
}

#[test]
fn stock_that_went_to_somebody_else_is_found() {
    Fake::with(async |fake| {
        fake.lock().lie = Some(Lie::Stock);
        let load = ["load", "--clients", "2", "--requests", "4", "--settle", "300ms", "--json"];
        let report = fake.oms(&load).await.exits(1).json();
        assert_eq!(report["money_and_stock_agree"], false);
        let wrong = report["disagreements"].as_array().unwrap();
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].as_str().unwrap().starts_with("SKU-LOAD-01: our orders took"));
    });
}

#[test]
fn orders_that_fail_are_counted_by_what_they_said_and_the_rest_still_agrees() {
    Fake::with(async |fake| {
        fake.fail("pay", [Status::new(Code::Internal, "broken")]);
        fake.fail("create", [busy(), Status::new(Code::DeadlineExceeded, "late")]);
        let load = ["load", "--clients", "1", "--requests", "6", "--settle", "2s", "--json"];
        let report = fake.oms(&load).await.exits(1).json();
        assert_eq!(report["orders"]["as_they_should"], 4);
        assert_eq!(report["errors"]["CreateOrder: DEADLINE_EXCEEDED late"], 1);
        assert_eq!(report["errors"]["PayOrder: INTERNAL broken"], 1);
        assert_eq!(report["money_and_stock_agree"], true);
        assert_eq!(fake.lock().orders.len(), 6, "the lost answer was asked for again by its key");
    });
}

#[test]
fn cancellations_are_part_of_a_mix() {
    Fake::with(async |fake| {
        let load = ["load", "--clients", "2", "--requests", "20", MIX, "--json"];
        let report = fake.oms(&load).await.json();
        assert_eq!(report["kinds"]["cancel"]["begun"], 2);
        assert_eq!(report["latencies_ms"]["CancelOrder"]["count"], 2);
        assert_eq!(report["money_and_stock_agree"], true, "{report}");
    });
}
