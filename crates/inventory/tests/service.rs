//! The service as it runs: wired, over its log and its wire.

use std::time::Duration;

use oms_inventory::{InventoryConfig, start_on};
use oms_messaging::tables::outbox;
use oms_proto::oms_v1::{self as wire, ReservationStatus};
use oms_seams::{Ids, Seams, SystemIds};
use oms_service::{Host, Process, StartError};
use sea_orm::{EntityTrait, PaginatorTrait};

use crate::support::{Service, canceled, confirmed, eventually, submitted};

async fn status(service: &Service, order: &str) -> Option<ReservationStatus> {
    let request = wire::GetReservationRequest { order_id: order.to_owned() };
    let answer = service.client.clone().get_reservation(request).await.ok()?;
    Some(answer.into_inner().reservation?.status())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_reserved_confirmed_and_released_over_the_log() {
    for service in Service::everywhere().await {
        let order = SystemIds.next().to_string();
        let wanted = [("SKU-001", 2), ("SKU-002", 1)];
        service.publish(&[submitted(&order, &wanted)]).await;
        eventually("reserved", async || service.heard(&order).len() == 1).await;
        assert_eq!(status(&service, &order).await, Some(ReservationStatus::Held));
        service.publish(&[confirmed(&order, &wanted)]).await;
        let committed = Some(ReservationStatus::Committed);
        eventually("committed", async || status(&service, &order).await == committed).await;
        service.publish(&[canceled(&order)]).await;
        eventually("released", async || service.heard(&order).len() == 2).await;
        let said = ["oms.inventory.reserved.v1", "oms.inventory.released.v1"];
        assert_eq!(service.heard(&order), said);
        let metrics = service.process.metrics().scrape().await;
        assert!(metrics.contains("oms_reservations_expired_total{service=\"inventory\"} 0"));
        let drained = "oms_outbox_pending{service=\"inventory\"} 0";
        eventually("an empty outbox", async || {
            service.process.metrics().scrape().await.contains(drained)
        })
        .await;
        service.host.drain(Duration::from_secs(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_and_a_crash_keep_stock_and_load_no_second_catalogue() {
    for service in Service::everywhere().await {
        let order = SystemIds.next().to_string();
        service.publish(&[submitted(&order, &[("SKU-001", 2)])]).await;
        eventually("reserved", async || service.heard(&order).len() == 1).await;
        let service = service.restart().await;
        // Waiting streams are asked about at start: the same row once more.
        eventually("asked", async || service.heard(&order).len() == 2).await;
        service.publish(&[confirmed(&order, &[("SKU-001", 2)])]).await;
        let service = service.crash().await;
        let committed = Some(ReservationStatus::Committed);
        eventually("committed", async || status(&service, &order).await == committed).await;
        let request = wire::GetStockRequest { sku: "SKU-001".to_owned() };
        let stock = service.client.clone().get_stock(request).await.unwrap().into_inner().stock;
        let stock = stock.unwrap();
        assert_eq!((stock.available, stock.held, stock.committed), (9_998, 0, 2));
        let said = outbox::Entity::find().count(&service.running.database.read).await.unwrap();
        assert_eq!(said, 1);
        service.host.drain(Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn a_taken_port_and_a_bad_catalogue_are_one_clear_line_each() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("never.db");
    let mut config = InventoryConfig::default();
    config.inventory.database.url = format!("sqlite:{}", file.display());
    config.inventory.grpc.listen = taken.local_addr().unwrap().to_string();
    let log = std::sync::Arc::new(oms_messaging::SimulatedLog::new(&[]));
    let host = || Host::new("inventory", Seams::system(), Process::new());
    let error = start_on(config.clone(), host(), log.clone()).await.unwrap_err();
    assert!(matches!(&error, StartError::PortTaken { setting, .. }
        if setting == "inventory.grpc.listen"));
    assert!(!file.exists(), "nothing was touched");

    config.inventory.grpc.listen = "127.0.0.1:0".to_owned();
    config.inventory.catalogue_path = folder.path().join("none.csv").display().to_string();
    let error = start_on(config, host(), log).await.unwrap_err().to_string();
    assert!(error.starts_with("inventory.catalogue_path: cannot read"), "{error}");
}
