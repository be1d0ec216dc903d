//! `oms events tail` that nothing could ever pass is refused before anybody is asked.

use crate::program::{Ended, oms};

fn tail(more: &[&str]) -> Ended {
    let nobody = ["events", "tail", "--bootstrap", "127.0.0.1:1"];
    Ended::of(&oms(&[&nobody[..], more].concat()))
}

#[test]
fn a_filter_that_nothing_can_pass_is_refused_with_what_there_is() {
    tail(&["--source", "shipping"]).exits(2).says("order, inventory, payment");
    tail(&["--type", "order.shiped"]).exits(2).says("order.shipped.v1").says("payment.captured.v1");
    tail(&["--type", ""]).exits(2).says("the types are");
    tail(&["--order", "web-1"]).exits(2).says("no order's id");
    tail(&["--order", ""]).exits(2);
}

#[test]
fn a_property_that_the_client_does_not_take_is_named_by_its_flag() {
    let unknown = tail(&["--kafka-property", "no.such.thing=x"]).exits(2);
    assert!(unknown.err.starts_with("oms: --kafka-property no.such.thing: "), "{}", unknown.err);
    let wrong = tail(&["--kafka-property", "security.protocol=hunter2"]).exits(2);
    assert!(wrong.err.starts_with("oms: --kafka-property security.protocol: "), "{}", wrong.err);
    assert!(!wrong.err.contains("make run"), "{}", wrong.err);
    let reserved = tail(&["--kafka-property", "group.id=x"]).exits(2);
    assert!(reserved.err.starts_with("oms: --kafka-property group.id: "), "{}", reserved.err);
}
