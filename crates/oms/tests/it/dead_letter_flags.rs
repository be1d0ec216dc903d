//! What `oms dlq` wants to be told before it asks anybody.

use crate::program::{Ended, oms};

#[test]
fn a_service_alone_is_no_filter_and_the_message_says_so() {
    let redrive = ["dlq", "redrive", "--admin-addr", "127.0.0.1:1"];
    let ended = Ended::of(&oms(&[&redrive[..], &["--service", "inventory"]].concat())).exits(2);
    ended.says("--service alone means all of it: add --all");
    let ended = Ended::of(&oms(&redrive)).exits(2);
    ended.says("say which: a filter, or --all");
}
