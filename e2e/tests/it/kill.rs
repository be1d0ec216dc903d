//! The whole system is killed three times under load and restarted on the same data.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use oms_e2e::{OmsProcess, Ports};
use oms_proto::oms_v1::{
    GetPaymentRequest, GetReservationRequest, OrderStatus, ReservationStatus,
    inventory_service_client::InventoryServiceClient, order_service_client::OrderServiceClient,
    payment_service_client::PaymentServiceClient,
};
use oms_testkit::{
    eventually,
    requests::{create, get, item, keyed, pay},
};
use sea_orm::{ConnectionTrait, Database};
use tokio::task::JoinSet;
use tonic::transport::Channel;

const CLIENTS: usize = 8;
const KILLS: usize = 3;
const LOAD_BETWEEN_KILLS: usize = 40;

type Acknowledged = Arc<Mutex<BTreeSet<String>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_payment_ends_well_after_three_kills_under_load() {
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::free().unwrap();
    let acknowledged = Acknowledged::default();
    let mut system = OmsProcess::start(data.path(), ports).await.unwrap();
    for kill in 0..KILLS {
        let load = start_load(ports, kill, &acknowledged);
        enough_paid(&acknowledged, (kill + 1) * LOAD_BETWEEN_KILLS).await;
        system.kill().await.unwrap();
        drop(load);
        system = OmsProcess::start(data.path(), ports).await.unwrap();
    }
    let paid = acknowledged.lock().unwrap().clone();
    assert!(paid.len() >= KILLS * LOAD_BETWEEN_KILLS);
    for order in &paid {
        ends_well(ports, order).await;
    }
    let ended = system.interrupt(Duration::from_secs(10)).await.unwrap();
    assert!(ended.success(), "{ended}");
    at_most_one_charge_per_order(data.path()).await;
}

fn start_load(ports: Ports, round: usize, acknowledged: &Acknowledged) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let acknowledged = acknowledged.clone();
        clients.spawn(async move {
            let mut orders = OrderServiceClient::new(Ports::channel(ports.order));
            for n in 0.. {
                let key = format!("kill-{round}-{client}-{n}");
                if buy(&mut orders, &key, n, &acknowledged).await.is_err() {
                    // The system was killed in the middle of the call; this client is done.
                    return;
                }
            }
        });
    }
    clients
}

async fn buy(
    orders: &mut OrderServiceClient<Channel>,
    key: &str,
    n: usize,
    acknowledged: &Acknowledged,
) -> Result<(), tonic::Status> {
    let customer = if n % 5 == 4 { "declined-customer" } else { "customer" };
    let sku = if n % 7 == 6 { "SKU-OUT-OF-STOCK" } else { "SKU-LOAD-01" };
    let request = keyed(key, create(customer, vec![item(sku, 1, 1_000)]));
    let order = orders.create_order(request).await?.into_inner().order_id;
    orders.pay_order(pay(&order, "")).await?;
    acknowledged.lock().unwrap().insert(order);
    Ok(())
}

async fn enough_paid(acknowledged: &Acknowledged, wanted: usize) {
    eventually(Duration::from_secs(60), || async {
        let have = acknowledged.lock().unwrap().len();
        Ok(if have >= wanted { Ok(()) } else { Err(format!("{have} of {wanted} paid")) })
    })
    .await
    .unwrap();
}

/// CONFIRMED and committed, or CANCELED with nothing kept and nothing held.
async fn ends_well(ports: Ports, order: &str) {
    let orders = OrderServiceClient::new(Ports::channel(ports.order));
    let inventory = InventoryServiceClient::new(Ports::channel(ports.inventory));
    let payments = PaymentServiceClient::new(Ports::channel(ports.payment));
    eventually(Duration::from_secs(60), || {
        let (mut orders, mut inventory, mut payments) =
            (orders.clone(), inventory.clone(), payments.clone());
        async move {
            let seen = orders.get_order(get(order)).await?.into_inner().order.unwrap();
            let request = GetReservationRequest { order_id: order.into() };
            let hold = inventory.get_reservation(request).await;
            let Ok(hold) = hold else { return Ok(Err(format!("{order}: no reservation yet"))) };
            let hold = hold.into_inner().reservation.unwrap();
            let request = GetPaymentRequest { order_id: order.into() };
            let payment = payments.get_payment(request).await;
            let Ok(payment) = payment else { return Ok(Err(format!("{order}: no payment yet"))) };
            let payment = payment.into_inner().payment.unwrap();
            let kept = payment.captured_minor - payment.refunded_minor;
            let ledgers = (payment.captured_minor, payment.refunded_minor)
                == (seen.captured_minor, seen.refunded_minor);
            let well = match seen.status() {
                OrderStatus::Confirmed => {
                    hold.status() == ReservationStatus::Committed && kept == seen.amount_minor
                }
                OrderStatus::Canceled => hold.lines.is_empty() && kept == 0,
                _ => false,
            };
            Ok(if well && ledgers { Ok(()) } else { Err(format!("{seen:?} {hold:?} {payment:?}")) })
        }
    })
    .await
    .unwrap();
}

async fn at_most_one_charge_per_order(data: &Path) {
    let url = format!("sqlite://{}?mode=ro", data.join("gateway.db").display());
    let gateway = Database::connect(url).await.unwrap();
    let rows = gateway
        .query_all_raw(sea_orm::Statement::from_string(
            gateway.get_database_backend(),
            "SELECT order_id, COUNT(*) AS charges FROM charges \
             WHERE kind = 'capture' AND approved GROUP BY order_id",
        ))
        .await
        .unwrap();
    assert!(!rows.is_empty(), "nothing was charged at all");
    for row in rows {
        let order: String = row.try_get("", "order_id").unwrap();
        let charges: i64 = row.try_get("", "charges").unwrap();
        assert_eq!(charges, 1, "{order}");
    }
}
