//! The whole service on a host, joined to the others by a simulated log.

use std::{sync::Arc, time::Duration};

use oms_events::{EventData, payment::Captured};
use oms_messaging::{Event, Log, Record, SimulatedLog};
use oms_payment::{PaymentConfig, Running, start_on};
use oms_proto::oms_v1::{
    GetPaymentRequest, PaymentStatus, payment_service_client::PaymentServiceClient,
};
use oms_seams::Seams;
use oms_service::{DatabaseSettings, Host, Process, StartError, testing::backends};
use tempfile::TempDir;
use tonic::transport::Endpoint;

use crate::support::{ORDER, canceled, eventually, reserved, submitted};

const TOPIC: &str = "oms.saga.events";

pub(crate) fn log() -> SimulatedLog {
    SimulatedLog::new(&[(TOPIC, 12), ("oms.saga.events.dlq", 1)])
}

pub(crate) fn config(folder: &TempDir) -> PaymentConfig {
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let mut config = PaymentConfig::default();
    config.payment.database = DatabaseSettings::at(file("payment.db"));
    config.payment.gateway.url = file("gateway.db");
    config.payment.grpc.listen = "localhost:0".to_owned();
    config
}

pub(crate) async fn started(config: &PaymentConfig, log: &SimulatedLog) -> (Host, Running) {
    let host = Host::new("payment", Seams::system(), Process::new());
    let log: Arc<dyn Log> = Arc::new(log.clone());
    let running = start_on(config.clone(), host.clone(), log).await.unwrap();
    host.ready(Duration::from_secs(20)).await.unwrap();
    (host, running)
}

async fn publish(log: &SimulatedLog, event: &Event) {
    let record = Record {
        topic: TOPIC.to_owned(),
        key: Some(event.subject.clone().into_bytes()),
        payload: event.to_payload().unwrap(),
        headers: Vec::new(),
    };
    log.publish(vec![record]).await.remove(0).unwrap();
}

/// What payment has said about the order on the log so far.
fn said(log: &SimulatedLog) -> Vec<String> {
    let events = log.records(TOPIC).into_iter().map(|delivery| {
        assert_eq!(delivery.record.key.as_deref(), Some(ORDER.as_bytes()));
        Event::parse(&delivery.record.payload).unwrap()
    });
    let own = events.filter(|event| event.source == "/oms/payment");
    own.map(|event| event.event_type).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_is_taken_shown_and_given_back_across_a_restart() {
    let (folder, log) = (tempfile::tempdir().unwrap(), log());
    let config = config(&folder);
    let (host, running) = started(&config, &log).await;
    for event in [submitted(ORDER, 100, "pm_card_visa"), reserved(ORDER, 1)] {
        publish(&log, &event).await;
    }
    eventually("captured is on the log", || async {
        (said(&log) == [Captured::TYPE]).then_some(())
    })
    .await;
    let endpoint = Endpoint::from_shared(format!("http://{}", running.grpc)).unwrap();
    let mut client = PaymentServiceClient::new(endpoint.connect().await.unwrap());
    let request = GetPaymentRequest { order_id: ORDER.to_owned() };
    let answer = client.get_payment(request.clone()).await.unwrap().into_inner();
    assert_eq!(answer.payment.unwrap().status(), PaymentStatus::Captured);
    host.drain(Duration::from_secs(10)).await;

    publish(&log, &canceled(ORDER)).await;
    let (host, running) = started(&config, &log).await;
    eventually("closed is on the log", || async {
        said(&log).iter().any(|said| said == "oms.payment.closed.v1").then_some(())
    })
    .await;
    let charges = running.gateway.charges(ORDER).await.unwrap();
    assert_eq!(charges.len(), 2, "one capture, one refund");
    let page = host.metrics().render();
    assert!(
        page.contains("oms_payment_refunds_total{service=\"payment\",outcome=\"succeeded\"} 1")
    );
    host.drain(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_goes_on_where_it_was() {
    let (folder, log) = (tempfile::tempdir().unwrap(), log());
    let config = config(&folder);
    let (host, _) = started(&config, &log).await;
    for event in [submitted(ORDER, 100, "pm_card_timeout"), reserved(ORDER, 1)] {
        publish(&log, &event).await;
    }
    host.kill();
    host.gone().await;
    let (host, running) = started(&config, &log).await;
    eventually("captured is on the log", || async {
        said(&log).iter().any(|said| said == Captured::TYPE).then_some(())
    })
    .await;
    assert_eq!(running.gateway.charges(ORDER).await.unwrap().len(), 1);
    host.drain(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_taken_port_is_said_before_anything_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config(&folder);
    config.payment.grpc.listen = taken.local_addr().unwrap().to_string();
    let host = Host::new("payment", Seams::system(), Process::new());
    let refused = start_on(config, host, Arc::new(log())).await.unwrap_err();
    let StartError::PortTaken { setting, .. } = &refused else { panic!("{refused}") };
    assert_eq!(setting, "payment.grpc.listen");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn both_databases_name_their_setting_when_they_cannot_be_opened() {
    for (key, url) in [("payment.database.url", "x"), ("payment.gateway.url", "y")] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder);
        match url {
            "x" => config.payment.database.url = "nowhere:".to_owned(),
            _ => config.payment.gateway.url = "nowhere:".to_owned(),
        }
        let host = Host::new("payment", Seams::system(), Process::new());
        let refused = start_on(config, host, Arc::new(log())).await.unwrap_err();
        assert!(refused.to_string().starts_with(key), "{refused}");
        assert_eq!(refused.exit_code(), 2);
    }
}

#[tokio::test]
async fn migrations_run_twice_without_harm_on_every_backend() {
    use oms_payment::{gateway::GatewayMigrator, migration::Migrator};
    use oms_service::testing::TestDatabase;
    for backend in backends() {
        let own = TestDatabase::migrated::<Migrator>(&backend).await;
        own.database.migrate::<Migrator>().await.unwrap();
        let gateway = TestDatabase::migrated::<GatewayMigrator>(&backend).await;
        gateway.database.migrate::<GatewayMigrator>().await.unwrap();
    }
}
