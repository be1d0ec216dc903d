//! Standard output that nobody reads any more, and standard output that is full.

use std::{fs::File, process::Stdio};

use crate::{
    fake::Fake,
    program::{Ended, command},
};

/// A pipe whose reader has gone.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// A disk with no room at all.
fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

async fn ended(fake: &Fake, stdout: Stdio, arguments: &[&str]) -> Ended {
    let child = fake.spawn_into(stdout, arguments);
    Ended::of(&child.wait_with_output().await.unwrap())
}

const CREATE: [&str; 7] = ["order", "create", "--customer", "c", "--item", "a@1", "--quiet"];

#[test]
fn a_reader_that_has_gone_is_no_failure_and_nothing_is_said_of_it() {
    Fake::with(async |fake| {
        let order = fake.oms(&CREATE).await.exits(0).out;
        for arguments in [
            &["completions", "bash"][..],
            &["config"],
            &["config", "--json"],
            &["--help"],
            &["order", "list"],
            &["order", "show", order.trim(), "--json"],
            &CREATE,
        ] {
            let ended = ended(&fake, unread(), arguments).await.exits(0);
            assert_eq!(ended.err, "", "{arguments:?}");
        }
    });
}

#[test]
fn the_demo_goes_on_when_nobody_reads_it_and_its_exit_code_tells() {
    let output = command(&["demo"]).stdout(unread()).stderr(Stdio::piped()).output().unwrap();
    let ended = Ended::of(&output).exits(0);
    assert!(!ended.err.contains("roken pipe"), "{}", ended.err);
}

#[test]
fn a_full_disk_is_one_error_and_a_fault() {
    Fake::with(async |fake| {
        for arguments in
            [&["completions", "bash"][..], &["config"], &["order", "list"], &["stock", "show", "a"]]
        {
            let ended = ended(&fake, full(), arguments).await.exits(5);
            assert!(
                ended.err.starts_with("oms: cannot write to standard output: "),
                "{}",
                ended.err
            );
            assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
        }
    });
}

#[test]
fn the_id_of_an_order_that_could_not_be_printed_is_not_lost() {
    Fake::with(async |fake| {
        for (number, more) in [&[][..], &["--pay"], &["--pay", "--wait"]].iter().enumerate() {
            let all = [&CREATE[..], more].concat();
            let ended = ended(&fake, full(), &all).await.exits(5);
            let order = fake.lock().orders[number].order.id.clone();
            ended.says("cannot write").says(&format!("the order exists: `oms order show {order}`"));
        }
    });
}
