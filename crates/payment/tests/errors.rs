//! Every request of `oms.v1.PaymentService` × every refusal it can meet, as `docs/errors.md` tells
//! it.

use oms_proto::oms_v1::{
    GetPaymentRequest, ListPaymentsRequest, payment_service_client::PaymentServiceClient,
};
use oms_service::{
    Database,
    testing::{RefusalTable, count_rows, traced},
};
use tonic::transport::Endpoint;

use crate::{
    start::{config, log, started},
    support::ORDER,
};

fn get(order_id: &str) -> GetPaymentRequest {
    GetPaymentRequest { order_id: order_id.to_owned() }
}

fn list(page_size: i32, page_token: &str) -> ListPaymentsRequest {
    ListPaymentsRequest { page_size, page_token: page_token.to_owned() }
}

async fn refusals() -> RefusalTable {
    traced();
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let (host, running) = started(&config, &log()).await;
    let endpoint = Endpoint::from_shared(format!("http://{}", running.grpc)).unwrap();
    let mut client = PaymentServiceClient::new(endpoint.connect().await.unwrap());
    let mut table = RefusalTable::new("oms.v1.PaymentService");
    let before = count_rows(&running.database.read).await;
    let (bare, braces) = (ORDER.replace('-', ""), format!("{{{ORDER}}}"));
    for order in ["", " ", ORDER, &bare, &braces, "no-id", "nul\0", "ы"] {
        table.note("GetPayment", client.get_payment(get(order)).await);
    }
    for size in [-1, i32::MIN, 1_001, i32::MAX] {
        table.note("ListPayments", client.list_payments(list(size, "")).await);
    }
    let forged = [
        "x".to_owned(),
        "zz.x".to_owned(),
        "1.\0".to_owned(),
        "1.' OR 1=1".to_owned(),
        format!("7fffffffffffffff.{ORDER}"),
        "1".repeat(9_000),
    ];
    for token in &forged {
        table.note("ListPayments", client.list_payments(list(0, token)).await);
    }
    table.note("ListPayments", client.list_payments(list(-1, "x")).await);
    assert_eq!(count_rows(&running.database.read).await, before);

    running.database.clone().close().await;
    table.note("GetPayment", client.get_payment(get(ORDER)).await);
    table.note("ListPayments", client.list_payments(list(0, "")).await);
    let again = Database::open(&config.payment.database).await.unwrap();
    assert_eq!(count_rows(&again.read).await, before);
    host.kill();
    table
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_tells_what_each_method_may_be_refused_with() {
    refusals().await.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes the page; run it by name when a change of the refusals is meant"]
async fn write_the_page() {
    refusals().await.write();
}
