//! `oms load`: what it reports, and that its verification can fail.

use tokio::process::Child;
use tonic::{Code, Status};

use crate::{
    fake::{Fake, Lie, busy},
    program::Ended,
};

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

#[test]
fn what_could_not_begin_in_time_is_counted_and_is_no_success() {
    Fake::with(async |fake| {
        fake.lock().stuck = true;
        let rate = ["load", "--rate", "50", "--duration", "200ms", "--outstanding", "1", "--json"];
        let report = fake.oms(&[&rate[..], &["--settle", "400ms"]].concat()).await.exits(1).json();
        assert_eq!(report["orders"]["begun"], 1, "the first one never ends");
        assert_eq!(report["orders"]["delayed"], 1);
        assert_eq!(report["orders"]["dropped"], 9);
        let wrong = report["disagreements"][0].as_str().unwrap();
        assert!(wrong.contains("is PENDING, and its payment was accepted"), "{wrong}");
    });
}

#[test]
fn what_all_services_say_wrongly_together_is_found() {
    Fake::with(async |fake| {
        let load = ["load", "--clients", "2", "--requests", "2", "--settle", "300ms", "--json"];
        for (lie, mix, said) in [
            (Lie::RefundedTwice, "refund=1", "were given back"),
            (Lie::CanceledLater, "ok=1", "is CANCELED, and was CONFIRMED"),
        ] {
            fake.lock().lie = Some(lie);
            let arguments = [&load[..], &["--mix", mix]].concat();
            let report = fake.oms(&arguments).await.exits(1).json();
            assert_eq!(report["orders"]["as_they_should"], 2, "by itself all went well: {report}");
            assert_eq!(report["money_and_stock_agree"], false);
            let wrong = report["disagreements"].as_array().unwrap();
            assert_eq!(wrong.len(), 2, "{wrong:?}");
            assert!(wrong.iter().all(|why| why.as_str().unwrap().contains(said)), "{wrong:?}");
        }
    });
}

#[test]
fn an_order_that_vanished_is_a_disagreement_and_the_report_is_told() {
    Fake::with(async |fake| {
        fake.lock().lie = Some(Lie::Forgotten);
        let load = ["load", "--clients", "2", "--requests", "4", "--settle", "300ms", "--json"];
        let report = fake.oms(&load).await.exits(1).json();
        assert_eq!(report["money_and_stock_agree"], false);
        let wrong = report["disagreements"].as_array().unwrap();
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].as_str().unwrap().contains("does not know it any more"), "{wrong:?}");
    });
}

#[test]
fn an_order_that_cannot_be_asked_about_at_once_is_asked_about_again() {
    Fake::with(async |fake| {
        fake.fail("get", [Status::new(Code::Internal, "broken"), busy(), busy(), busy(), busy()]);
        let load = ["load", "--clients", "1", "--requests", "4", "--settle", "5s", "--json"];
        let report = fake.oms(&load).await.exits(0).json();
        assert_eq!(report["money_and_stock_agree"], true, "{report}");
    });
}

#[test]
fn a_verification_that_breaks_off_ends_in_a_report_and_its_own_exit_code() {
    Fake::with(async |fake| {
        fake.lock().lie = Some(Lie::StockBroken);
        let load = ["load", "--clients", "2", "--requests", "4", "--settle", "300ms"];
        let ended = fake.oms(&load).await.exits(5).says("could not be verified: out of order");
        assert!(ended.out.contains("4 orders in"), "{}", ended.out);
        assert!(!ended.out.contains("money and stock agree"), "{}", ended.out);
        fake.lock().orders.clear();
        fake.lock().keys.clear();
        let report = fake.oms(&[&load[..], &["--json"]].concat()).await.exits(5).json();
        assert_eq!(report["orders"]["as_they_should"], 4);
        assert!(report["money_and_stock_agree"].is_null(), "{report}");
        assert_eq!(report["not_verified"], "out of order");
    });
}

#[test]
fn who_answers_about_no_order_at_all_is_not_asked_about_every_one() {
    Fake::with(async |fake| {
        fake.fail("get", (0..200).map(|_| Status::new(Code::Internal, "broken")));
        let load = ["load", "--clients", "4", "--requests", "150", "--settle", "1m", "--json"];
        let report = fake.oms(&load).await.exits(5).json();
        assert_eq!(report["orders"]["as_they_should"], 150);
        assert_eq!(report["not_verified"], "broken");
        assert!(fake.lock().faults["get"].len() > 100, "it gave up after the bound");
    });
}

#[test]
fn ctrl_c_during_the_verification_does_not_call_the_load_ended_early() {
    Fake::with(async |fake| {
        // Money never agrees, so that the verification goes on; it alone asks for orders.
        fake.lock().lie = Some(Lie::Money);
        fake.fail("get", [busy()]);
        let load = ["load", "--clients", "1", "--requests", "2", "--settle", "2s", "--json"];
        let child = fake.spawn(&load);
        fake.until(|state| state.faults["get"].is_empty()).await;
        interrupt(&child);
        let report = Ended::of(&child.wait_with_output().await.unwrap()).exits(1).json();
        assert_eq!(report["interrupted"], false, "{report}");
        assert_eq!(report["orders"]["begun"], 2);
    });
}

fn interrupt(child: &Child) {
    let id = child.id().unwrap().to_string();
    std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
}

#[test]
fn ctrl_c_ends_the_load_early_and_reports() {
    Fake::with(async |fake| {
        let load = ["load", "--rate", "50", "--duration", "10m", "--json"];
        let child = fake.spawn(&load);
        fake.until(|state| state.orders.len() >= 5).await;
        interrupt(&child);
        let ended = Ended::of(&child.wait_with_output().await.unwrap()).exits(0);
        let report = ended.json();
        assert_eq!(ended.err, "", "a program reads: no notes");
        assert_eq!(report["interrupted"], true);
        assert_eq!(report["orders"]["dropped"], 0);
        assert_eq!(report["money_and_stock_agree"], true);
        assert!(report["orders"]["begun"].as_u64().unwrap() >= 5, "{report}");
    });
}
