//! The registry of a process.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use oms_seams::Seams;
use oms_service::{Host, Process};
use prometheus_client::{metrics::counter::Counter, metrics::gauge::Gauge, registry::Registry};

struct Sagas(Counter);

fn register(registry: &mut Registry) -> Sagas {
    let started = Counter::default();
    registry.register("oms_saga_started", "Runs started", started.clone());
    Sagas(started)
}

#[tokio::test]
async fn services_of_a_process_share_a_group() {
    let process = Process::new();
    for name in ["order", "payment"] {
        let host = Host::new(name, Seams::system(), process.clone());
        host.metrics().group(register).0.inc();
    }
    let page = process.metrics().render();
    assert!(page.contains("oms_saga_started_total 2\n"), "{page}");
    assert_eq!(page.matches("# HELP oms_saga_started").count(), 1);
}

struct Pending(Gauge);

fn pending(registry: &mut Registry) -> Pending {
    let gauge = Gauge::default();
    registry.register("oms_outbox_pending", "Rows", gauge.clone());
    Pending(gauge)
}

#[tokio::test]
async fn gauges_are_refreshed_before_a_scrape_as_long_as_their_host_lives() {
    let process = Process::new();
    let host = Host::new("order", Seams::system(), process.clone());
    let (gauge, rows) = (host.metrics().group(pending), Arc::new(AtomicU64::new(3)));
    let read = rows.clone();
    host.metrics().before_scrape("outbox", move || {
        let (gauge, read) = (gauge.clone(), read.clone());
        async move {
            let rows = read.load(Ordering::Relaxed);
            gauge.0.set(i64::try_from(rows).map_err(|_| "too many")?);
            Ok::<_, &str>(())
        }
    });
    assert!(process.metrics().scrape().await.contains("oms_outbox_pending 3\n"));
    rows.store(u64::MAX, Ordering::Relaxed);
    let page = process.metrics().scrape().await;
    assert!(page.contains("oms_outbox_pending 3\n"), "a gauge that cannot be read keeps its value");
    host.kill();
    rows.store(4, Ordering::Relaxed);
    assert!(process.metrics().scrape().await.contains("oms_outbox_pending 3\n"));
}
