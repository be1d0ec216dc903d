//! The server around the methods: readiness, reflection, limits.

use tonic::Code;

use crate::served::{Served, create, item};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_over_a_mebibyte_is_refused_before_it_is_read() {
    let served = Served::start().await;
    let mut request = create();
    request.items = (0..500).map(|_| item(&"x".repeat(4_000), 1, 1)).collect();
    let refused = served.client.clone().create_order(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(refused.message(), "request must be at most 1048576 bytes");
    assert_eq!(served.orders().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_part_of_a_ready_service_is_up_by_name() {
    let served = Served::start().await;
    let components = served.host.health().components();
    let up: Vec<_> = components.iter().map(|(name, why)| (name.as_str(), why.is_none())).collect();
    assert_eq!(
        up,
        [
            ("broker", true),
            ("consumer", true),
            ("database", true),
            ("relay", true),
            ("start", true)
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_service_on_the_same_port_says_which_setting_names_it() {
    let served = Served::start().await;
    let mut config = oms_order::OrderConfig::default();
    config.order.grpc.listen = served.running.grpc.to_string();
    config.order.database.url = "sqlite:/nowhere/that/exists/order.db".to_owned();
    let seams = oms_seams::Seams::system();
    let host = oms_service::Host::new("order", seams, oms_service::Process::new());
    let error = oms_order::start(config, host).await.unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("order.grpc.listen"), "{error}");
}
