//! Every exit code, and what is told with it.

use serde_json::Value;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{
    fake::{Fake, busy, refusal},
    program::{Ended, oms},
};

#[test]
fn every_code_of_a_service_ends_the_program_as_documented() {
    Fake::with(async |fake| {
        for (code, exit) in [
            (Code::FailedPrecondition, 1),
            (Code::ResourceExhausted, 1),
            (Code::InvalidArgument, 2),
            (Code::NotFound, 3),
            (Code::Unavailable, 4),
            (Code::DeadlineExceeded, 4),
            (Code::Aborted, 4),
            (Code::Internal, 5),
            (Code::Unimplemented, 5),
        ] {
            fake.fail("get", [refusal(code, "SOME_REASON")]);
            let shown = fake.oms(&["order", "show", "x", "--retries", "0"]).await.exits(exit);
            assert!(shown.out.is_empty(), "{}", shown.out);
            shown.says("oms: some reason (SOME_REASON)");
        }
    });
}

#[test]
fn an_error_is_one_document_where_json_is_wanted() {
    Fake::with(async |fake| {
        let mut details = ErrorDetails::new();
        details.add_bad_request_violation("currency", "currency is required");
        details.add_bad_request_violation("items[0].qty", "item[0].qty must be positive");
        let (code, message) = (Code::InvalidArgument, "currency is required");
        fake.fail("create", [Status::with_error_details(code, message, details)]);
        let create = ["order", "create", "--customer", "c", "--item", "a:0@1", "--json"];
        let refused: Ended = fake.oms(&create).await.exits(2);
        assert_eq!(refused.out, "");
        let told: Value = serde_json::from_str(&refused.err).unwrap();
        assert_eq!(told["error"]["exit_code"], 2);
        assert_eq!(told["error"]["code"], "INVALID_ARGUMENT");
        assert_eq!(told["error"]["violations"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn who_answers_too_late_is_not_waited_for() {
    Fake::with(async |fake| {
        fake.lock().stuck = true;
        let create = ["order", "create", "--customer", "c", "--item", "a@1", "--pay", "--wait"];
        let late = fake.oms(&[&create[..], &["--timeout", "2s"]].concat()).await.exits(4);
        late.says("not so within 2s: the order is PENDING");
    });
}

#[test]
fn where_nobody_listens_the_next_step_is_to_start_the_system() {
    let ended = |arguments: &[&str]| Ended::of(&oms(arguments));
    for arguments in [
        &["order", "list", "--order-addr", "127.0.0.1:1"][..],
        &["stock", "list", "--inventory-addr", "127.0.0.1:1"],
        &["payment", "list", "--payment-addr", "127.0.0.1:1"],
        &["load", "--inventory-addr", "127.0.0.1:1"],
        &["dlq", "list", "--admin-addr", "127.0.0.1:1"],
        &["demo", "run", "--order-addr", "127.0.0.1:1"],
        &["demo", "refund", "--order-addr", "127.0.0.1:1"],
    ] {
        ended(arguments).exits(4).says("make run").says("-addr");
    }
}

#[test]
fn what_cannot_be_meant_is_a_usage_error_before_anybody_is_asked() {
    for arguments in [
        &["order", "create", "--customer", "c"][..],
        &["order", "create", "--customer", "c", "--item", "a@1.001"],
        &["order", "create", "--customer", "c", "--item", "a"],
        &["order", "create", "--customer", "c", "--item", "a@1", "--currency", "XXL"],
        &["order", "create", "--customer", "c", "--item", "a@1", "--wait"],
        &["order", "show"],
        &["order", "list", "--limit", "0"],
        &["order", "list", "--order-addr", "nowhere"],
        &["stock", "receive", "a", "many"],
        &["events", "tail", "--since", "yesterday"],
        &["load", "--rate", "5"],
        &["load", "--rate", "100000", "--duration", "11s"],
        &["load", "--mix", "good=1"],
        &["completions", "klingon"],
    ] {
        // Where an address is needed, it is one at which nobody listens.
        let mut all = arguments.to_vec();
        if arguments[0] == "order" && !all.contains(&"--order-addr") {
            all.extend(["--order-addr", "127.0.0.1:1"]);
        }
        let ended = Ended::of(&oms(&all)).exits(2);
        assert!(!ended.err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_step_names_no_flag_that_the_command_does_not_have() {
    Fake::with(async |fake| {
        fake.fail("receive", [busy(), busy()]);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("delivery.csv");
        std::fs::write(&file, "sku,qty\nSKU-1,5\n").unwrap();
        let file = file.display().to_string();
        let import = fake.oms(&["stock", "import", &file, "--retries", "0"]).await.exits(4);
        assert!(!import.err.contains("--key"), "{}", import.err);
        import.says("booked so far: 0 of 1; the same import goes on");
        let receive = ["stock", "receive", "SKU-1", "5", "--retries", "0", "--key", "mine"];
        fake.oms(&receive).await.exits(4).says("--key mine");
    });
}

#[test]
fn help_of_every_command_has_examples_or_exit_codes() {
    for command in
        ["create", "show", "list", "pay", "cancel", "refund", "ship", "complete", "wait", "watch"]
    {
        let help = Ended::of(&oms(&["order", command, "--help"])).exits(0).out;
        assert!(help.contains(&format!("oms order {command}")), "{help}");
        assert!(help.contains("Example"), "{command}: {help}");
        assert!(help.contains("Connection:") && help.contains("OMS_ORDER_ADDR"), "{help}");
    }
    for group in ["order", "stock", "payment", "dlq", "events"] {
        let help = Ended::of(&oms(&[group, "--help"])).exits(0).out;
        assert!(help.contains("Exit codes:"), "{group}: {help}");
    }
}
