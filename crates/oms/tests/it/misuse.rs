//! Command lines that cannot be meant: what is told, to people and to programs.

use serde_json::Value;

use crate::program::{Ended, command, oms};

/// With these variables set.
fn with(variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let variables = variables.iter().copied();
    Ended::of(&command(arguments).envs(variables).output().unwrap())
}

#[test]
fn usage_in_an_error_names_no_flag_that_nobody_wrote() {
    let set = [("OMS_ORDER_ADDR", "127.0.0.1:1"), ("OMS_ADMIN_ADDR", "a:1"), ("OMS_RETRIES", "2")];
    for (arguments, usage) in [
        (&["order", "show"][..], "Usage: oms order show [OPTIONS] <ORDER>\n"),
        (&["dlq", "show", "order"], "Usage: oms dlq show [OPTIONS] <SERVICE> <ID>\n"),
        (&["order", "show", "a", "b"], "Usage: oms order show [OPTIONS] <ORDER>\n"),
        (
            &["order", "create", "--wait"],
            "Usage: oms order create [OPTIONS] --customer <ID> --item <SKU:QTY@PRICE>\n",
        ),
        (&["order"], "Usage: oms order [OPTIONS] <COMMAND>\n"),
    ] {
        let ended = with(&set, arguments).exits(2);
        assert!(ended.err.contains(usage), "{arguments:?}: {}", ended.err);
        let plain = Ended::of(&oms(arguments)).exits(2);
        assert_eq!(plain.err, ended.err, "{arguments:?}");
    }
}

#[test]
fn a_wrong_value_of_a_variable_names_the_variable() {
    let wrong = with(&[("OMS_RETRIES", "abc")], &["order", "show", "a"]).exits(2);
    wrong.says("'abc' for '--retries <COUNT>'").says("the variable OMS_RETRIES");
    let flag = ["order", "show", "a", "--retries", "xyz"];
    let own = with(&[("OMS_RETRIES", "abc")], &flag).exits(2).says("'xyz'");
    assert!(!own.err.contains("OMS_RETRIES"), "{}", own.err);
}

#[test]
fn a_program_is_told_of_every_misuse_in_one_document() {
    for (arguments, says) in [
        (&["order", "show", "--json"][..], "required arguments"),
        (&["order", "create", "--customer", "c", "--item", "nonsense", "--json"], "SKU:QTY@PRICE"),
        (&["order", "create", "--customer", "c", "--item", "a@1.001", "--json"], "decimals"),
        (&["order", "refund", "a", "--amount", "-5", "--currency", "USD", "--json"], "negative"),
        (&["events", "tail", "--type", "order.shiped", "--json"], "order.shipped.v1"),
        (&["stock", "import", "-", "--json"], "--batch"),
        (&["stock", "import", "/nowhere.csv", "--json"], "cannot read /nowhere.csv"),
        (&["dlq", "redrive", "--json"], "--all"),
        (&["config", "--set", "order.nothing=1", "--json"], "order.nothing"),
        (&["config", "--set", "a.b=1", "--set", "order.nothing=1", "--json"], "order.nothing"),
        (&["rum", "--json"], "rum"),
    ] {
        let ended = Ended::of(&oms(arguments)).exits(2);
        let told: Value = serde_json::from_str(&ended.err)
            .unwrap_or_else(|why| panic!("{arguments:?}: {why}: {}", ended.err));
        assert_eq!(told["error"]["exit_code"], 2, "{told}");
        assert!(told["error"].to_string().contains(says), "{arguments:?}: {told}");
        assert_eq!(ended.out, "");
    }
    let help = Ended::of(&oms(&["order", "show", "--json", "--help"])).exits(0);
    assert!(help.out.contains("Usage: oms order show"), "{}", help.out);
}

#[test]
fn a_number_below_zero_is_told_as_the_value_that_it_is() {
    for (arguments, says) in [
        (&["order", "list", "--limit", "-1"][..], "-1 is not in 1..=1000000"),
        (&["order", "watch", "a", "--after-version", "-1"], "-1 is not in 0.."),
        (&["order", "refund", "a", "--amount", "-5", "--currency", "USD"], "-5 is negative"),
    ] {
        Ended::of(&oms(arguments)).exits(2).says(says);
    }
}

#[test]
fn how_long_to_wait_means_nothing_to_who_does_not_wait() {
    let create =
        ["order", "create", "--customer", "c", "--item", "a@1", "--pay", "--timeout", "1s"];
    for arguments in [&["order", "pay", "a", "--timeout", "1s"][..], &create] {
        Ended::of(&oms(arguments)).exits(2).says("--wait");
    }
}

#[test]
fn help_of_every_command_that_runs_something_has_examples() {
    for command in [
        &["run"][..],
        &["demo"],
        &["demo", "run"],
        &["demo", "refund"],
        &["config"],
        &["completions"],
        &["load"],
    ] {
        let help = Ended::of(&oms(&[command, &["--help"]].concat())).exits(0).out;
        assert!(help.contains("Example"), "{command:?}: {help}");
        assert!(help.contains(&format!("\n  oms {}", command.join(" "))) || command.len() == 2);
    }
}
