//! The `oms` binary as a newcomer meets it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod completions;
mod dead_letter_flags;
mod dead_letters;
mod events;
mod exits;
mod fake;
mod load;
mod misuse;
mod orders;
mod program;
mod real;
mod real_dead_letters;
mod real_explain;
mod start;
mod streams;
mod tables;

use program::{oms, text};

#[test]
fn the_demo_holds_every_expectation() {
    let output = oms(&["demo"]);
    let story = text(&output.stdout);
    assert!(output.status.success(), "{story}\n{}", text(&output.stderr));
    assert!(story.contains("9 scenarios: "), "{story}");
    assert!(story.contains(" 0 broken"), "{story}");
    assert!(!story.contains('✗'), "{story}");
}

#[test]
fn help_names_every_command_and_every_flag() {
    let help = text(&oms(&["--help"]).stdout);
    let commands = "run demo config order stock payment dlq events explain load completions";
    for word in commands.split(' ') {
        assert!(help.contains(word), "{word} is missing in\n{help}");
    }
    let help = text(&oms(&["run", "--help"]).stdout);
    for flag in ["--config", "--set", "--data"] {
        assert!(help.contains(flag), "{flag} is missing in\n{help}");
    }
}

#[test]
fn effective_settings_are_printed_without_secrets() {
    let secret = "order.database.url=postgres://oms:hunter2@localhost/order";
    let output = oms(&["config", "--set", secret, "--data", "elsewhere"]);
    let page = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!page.contains("hunter2"), "{page}");
    assert!(page.contains("postgres://oms:***@localhost/order"), "{page}");
    assert!(page.contains("sqlite:elsewhere/payment.db"), "{page}");
    let more = ["--set", "kafka.properties.password=hunter3", "--json"];
    let output = oms(&[&["config", "--set", secret], &more[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!text(&output.stdout).contains("hunter"), "{}", text(&output.stdout));
    let page: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(page["order"]["database"]["url"], "postgres://oms:***@localhost/order");
    assert_eq!(page["kafka"]["properties"]["password"], "***", "{page}");
    assert_eq!(page["oms"]["partitions"], 12);
}

#[test]
fn what_is_no_command_is_exit_code_two() {
    for arguments in [&["rum"][..], &["run", "--set", "nonsense"], &["run", "--set", "a.b=1"]] {
        let output = oms(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(!output.stderr.is_empty());
    }
}
