//! `oms dlq` against a service that answers as the proto says.

use oms_proto::oms_admin_v1::DeadLetter;
use tonic::Code;

use crate::{
    fake::{Fake, busy, refusal},
    program::{Ended, oms},
};

/// Two orders of inventory: each has one poisoned event, and the first one more behind it.
fn park(fake: &Fake) {
    let letter = |id: i64, order: &str, reason: &str| DeadLetter {
        service: "inventory".into(),
        id,
        order_id: order.into(),
        event_type: "oms.order.submitted.v1".into(),
        event_id: format!("event-{id}"),
        topic: "oms.saga.events".into(),
        offset: id,
        reason: reason.into(),
        message: "a bug".into(),
        ..DeadLetter::default()
    };
    fake.lock().letters = vec![
        letter(1, "first", "unclassified"),
        letter(2, "first", "parked_behind"),
        letter(3, "second", "unclassified"),
    ];
}

fn parked(fake: &Fake) -> Vec<i64> {
    fake.lock().letters.iter().map(|letter| letter.id).collect()
}

#[test]
fn letters_are_listed_filtered_and_shown_whole() {
    Fake::with(async |fake| {
        let none = fake.oms(&["dlq", "list"]).await.exits(0);
        assert!(none.out.contains("no dead letter matches"), "{}", none.out);
        park(&fake);
        let all = fake.oms(&["dlq", "list"]).await.exits(0).out;
        for word in ["inventory", "first", "second", "unclassified", "oms dlq redrive --dry-run"] {
            assert!(all.contains(word), "{word}: {all}");
        }
        let ids = async |filter: &[&str]| {
            let list = [&["dlq", "list", "--json"], filter].concat();
            let found = fake.oms(&list).await.exits(0).json();
            let found = found["dead_letters"].as_array().cloned().unwrap_or_default();
            found.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&["--order", "first"]).await, ["1", "2"]);
        assert_eq!(ids(&["--reason", "parked_behind"]).await, ["2"]);
        assert_eq!(ids(&["--service", "inventory", "--id", "1", "--id", "3"]).await, ["1", "3"]);
        assert_eq!(ids(&["--type", "oms.order.canceled.v1"]).await, Vec::<String>::new());
        let few = fake.oms(&["dlq", "list", "--limit", "2"]).await.exits(0).out;
        assert!(few.contains("--page-token 2"), "{few}");
        assert_eq!(ids(&["--page-token", "2"]).await, ["3"]);

        let whole = fake.oms(&["dlq", "show", "inventory", "1"]).await.exits(0).out;
        // Whatever the payload is, it is shown on one line.
        for word in ["oms.saga.events/0 offset 1", "a bug", "header ce_source: /order", "\"many\""]
        {
            assert!(whole.contains(word), "{word}: {whole}");
        }
        let whole = fake.oms(&["dlq", "show", "inventory", "1", "--json"]).await.exits(0).json();
        assert_eq!(whole["waiting_behind"], "1");
        assert_eq!(whole["dead_letter"]["event_id"], "event-1");
        let nothing = fake.oms(&["dlq", "show", "inventory", "9"]).await.exits(3);
        nothing.says("DEAD_LETTER_NOT_FOUND").says("oms dlq list");
    });
}

#[test]
fn a_redrive_goes_call_by_call_and_a_script_sees_what_stays_parked() {
    Fake::with(async |fake| {
        park(&fake);
        fake.oms(&["dlq", "redrive"]).await.exits(2).says("--all").says("--dry-run");
        assert!(fake.lock().notes.is_empty(), "nobody was asked");

        let dry = fake.oms(&["dlq", "redrive", "--dry-run"]).await.exits(1);
        assert!(dry.out.contains("WOULD BE") && dry.out.contains("still there"), "{}", dry.out);
        dry.says("2 of 2 would fail again");
        let failed = fake.oms(&["dlq", "redrive", "--all", "--json"]).await.exits(1);
        let results = failed.json()["results"].as_array().unwrap().clone();
        let tried: Vec<_> = results.iter().map(|one| &one["dead_letter"]["id"]).collect();
        assert_eq!(tried, ["1", "3"], "of both pages, without what waits behind");
        assert_eq!(results[0]["outcome"], "DEAD_LETTER_OUTCOME_FAILED");
        failed.says("2 of 2 failed again").says("mend the cause").says("oms dlq show");
        assert_eq!(parked(&fake), [1, 2, 3]);

        fake.lock().mended = true;
        fake.oms(&["dlq", "redrive", "--dry-run"]).await.exits(0);
        assert_eq!(parked(&fake), [1, 2, 3]);
        fake.fail("redrive", [busy()]);
        let one = ["dlq", "redrive", "--order", "second", "--note", "bug mended"];
        let done = fake.oms(&one).await.exits(0).out;
        assert!(done.contains("BECAME") && done.contains("REDRIVEN"), "{done}");
        assert_eq!(fake.lock().notes.last().unwrap(), "bug mended");
        assert_eq!(parked(&fake), [1, 2]);
        fake.oms(&["dlq", "redrive", "--all"]).await.exits(0);
        assert_eq!(parked(&fake), [0_i64; 0]);
        let nothing = fake.oms(&["dlq", "redrive", "--all"]).await.exits(0);
        assert!(nothing.out.contains("no dead letter matches"), "{}", nothing.out);
    });
}

#[test]
fn a_discard_says_why_and_of_several_letters_wants_to_be_told_twice() {
    Fake::with(async |fake| {
        park(&fake);
        fake.oms(&["dlq", "discard", "--order", "first"]).await.exits(2).says("--note");
        let discard = ["dlq", "discard", "--service", "inventory", "--note", "settled by hand"];
        let dry = fake.oms(&[&discard[..], &["--dry-run"]].concat()).await.exits(0).out;
        assert!(dry.contains("WOULD BE") && dry.contains("second"), "{dry}");
        let refused = fake.oms(&discard).await.exits(2);
        refused.says("3 letters match").says("cannot be undone").says("--yes");
        assert_eq!(parked(&fake), [1, 2, 3]);

        let one = fake.oms(&[&discard[..], &["--id", "2"]].concat()).await.exits(0).out;
        assert!(one.contains("BECAME") && one.contains("DISCARDED"), "{one}");
        assert_eq!(parked(&fake), [1, 3]);
        let rest = fake.oms(&[&discard[..], &["--yes", "--json"]].concat()).await.exits(0).json();
        assert_eq!(rest["results"].as_array().unwrap().len(), 2);
        assert_eq!(parked(&fake), [0_i64; 0]);
        assert!(fake.lock().notes.iter().all(|note| note == "settled by hand"));
    });
}

#[test]
fn a_letter_that_is_not_there_is_told_and_nothing_is_done_about_the_others() {
    Fake::with(async |fake| {
        park(&fake);
        fake.lock().mended = true;
        for command in [&["discard", "--note", "n", "--yes"][..], &["redrive"]] {
            let named = ["--service", "inventory", "--id", "1", "--id", "9", "--id", "8"];
            let all = [&["dlq"], command, &named].concat();
            let missing = fake.oms(&all).await.exits(3);
            missing.says("inventory has no dead letter 9, 8").says("oms dlq list");
            fake.oms(&[&all[..], &["--dry-run"]].concat()).await.exits(3);
            assert_eq!(parked(&fake), [1, 2, 3], "{command:?}");
        }
        let there = ["dlq", "redrive", "--service", "inventory", "--id", "3"];
        fake.oms(&there).await.exits(0);
        assert_eq!(parked(&fake), [1, 2]);
        fake.lock().mended = false;
        let one = fake.oms(&["dlq", "redrive", "--order", "first"]).await.exits(1);
        one.says("1 of 1 failed again and stays parked");
    });
}

#[test]
fn who_asks_the_wrong_process_is_told_how_to_name_another() {
    Fake::with(async |fake| {
        for (method, command) in [
            ("letters", &["dlq", "list", "--service", "payment"][..]),
            ("letter", &["dlq", "show", "payment", "1"]),
            ("redrive", &["dlq", "redrive", "--service", "payment", "--order", "x"]),
            ("discard", &["dlq", "discard", "--service", "payment", "--id", "1", "--note", "n"]),
        ] {
            fake.fail(method, [refusal(Code::NotFound, "SERVICE_NOT_HERE")]);
            fake.oms(command).await.exits(3).says("SERVICE_NOT_HERE").says("--admin-addr");
        }
    });
}

#[test]
fn numbers_of_letters_need_their_service_and_instants_are_instants() {
    for wrong in [
        &["list", "--id", "1"][..],
        &["list", "--parked-from", "yesterday"],
        &["show", "inventory"],
        &["show", "inventory", "first"],
        &["discard", "--id", "1", "--note", "x"],
    ] {
        let all = [&["dlq"], wrong, &["--admin-addr", "127.0.0.1:1"]].concat();
        let ended = Ended::of(&oms(&all)).exits(2);
        assert!(!ended.err.is_empty(), "{wrong:?}");
    }
}

#[test]
fn help_names_the_admin_port_of_every_process() {
    for command in ["list", "show", "redrive", "discard"] {
        let help = Ended::of(&oms(&["dlq", command, "--help"])).exits(0).out;
        for word in ["Example", "OMS_ADMIN_ADDR", "localhost:9091", "9191", "9291"] {
            assert!(help.contains(word), "{command}: {word}: {help}");
        }
    }
}
