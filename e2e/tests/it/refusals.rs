//! What `oms run` refuses to start with: one clear line, exit code 2, nothing begun.

use std::{net::TcpListener, process::Output};

use oms_e2e::{OmsProcess, Ports};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_setting() {
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::free().unwrap();
    let _taken = TcpListener::bind(Ports::at(ports.payment)).unwrap();
    let output = OmsProcess::refused(data.path(), ports, [("A", "")]).await.unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert_eq!(text.trim().lines().count(), 1, "{text}");
    assert!(text.contains("payment.grpc.listen"), "{text}");
    assert!(text.contains(&ports.payment.to_string()), "{text}");
    assert!(!data.path().join("order.db").exists(), "something was started");
}

#[tokio::test]
async fn every_bad_setting_is_named_at_once() {
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::free().unwrap();
    let bad = [
        ("OMS_ORDER__MESSAGING__RELAY_BATCH_MAX", "0"),
        ("OMS_ORDER__NO_SUCH_SETTING", "1"),
        ("OMS_PAYMENT__NO_SUCH_SETTING", "1"),
    ];
    let output = OmsProcess::refused(data.path(), ports, bad).await.unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for name in
        ["order.messaging.relay_batch_max", "order.no_such_setting", "payment.no_such_setting"]
    {
        assert!(text.contains(name), "{name} is missing in {text}");
    }
}
