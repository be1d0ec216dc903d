//! Every request of `oms.v1.InventoryService` × every refusal it can meet, as `docs/errors.md`
//! tells it.

use std::time::Duration;

use oms_inventory::domain::UNITS_MAX;
use oms_proto::oms_v1 as wire;
use oms_seams::{Ids, SystemIds};
use oms_service::testing::{RefusalTable, count_rows, traced};
use sea_orm::ConnectionTrait;
use tonic::{Code, Request, Response, Status};

use crate::support::Service;

fn get_stock(sku: &str) -> wire::GetStockRequest {
    wire::GetStockRequest { sku: sku.to_owned() }
}

fn list_stock(page_size: i32, page_token: &str) -> wire::ListStockRequest {
    wire::ListStockRequest { page_size, page_token: page_token.to_owned() }
}

fn receive(sku: &str, qty: i64, note: &str) -> wire::ReceiveStockRequest {
    wire::ReceiveStockRequest { sku: sku.to_owned(), qty, note: note.to_owned() }
}

fn adjust(sku: &str, delta: i64, reason: &str) -> wire::AdjustStockRequest {
    wire::AdjustStockRequest { sku: sku.to_owned(), delta, reason: reason.to_owned() }
}

fn get_reservation(order_id: &str) -> wire::GetReservationRequest {
    wire::GetReservationRequest { order_id: order_id.to_owned() }
}

fn movements(sku: &str, page_size: i32, page_token: &str) -> wire::ListMovementsRequest {
    let (sku, page_token) = (sku.to_owned(), page_token.to_owned());
    wire::ListMovementsRequest { sku, page_size, page_token }
}

fn keyed<T>(key: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

/// A service at rest, and what it refused.
struct Stage {
    service: Service,
    table: RefusalTable,
}

impl Stage {
    async fn set() -> Self {
        traced();
        let service = Service::everywhere().await.remove(0);
        Self { service, table: RefusalTable::new("oms.v1.InventoryService") }
    }

    /// Notes a call that is refused and must change nothing.
    async fn refused<T>(
        &mut self,
        method: &str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) {
        let before = count_rows(&self.service.running.database.read).await;
        let answer = call.await;
        let after = count_rows(&self.service.running.database.read).await;
        assert_eq!(before, after, "{method} was refused, and changed something");
        self.table.note(method, answer);
    }
}

async fn queries(stage: &mut Stage) {
    let mut client = stage.service.client.clone();
    let long = "x".repeat(257);
    for sku in ["", " ", &long, "nul\0", "a\nb", "none", "Ω"] {
        stage.refused("GetStock", client.get_stock(get_stock(sku))).await;
    }
    let tokens = ["zz", "é", "00000000", &"0".repeat(9_000)];
    for token in tokens {
        stage.refused("ListStock", client.list_stock(list_stock(0, token))).await;
        let list = movements("SKU-001", 0, token);
        stage.refused("ListMovements", client.list_movements(list)).await;
    }
    for size in [-1, i32::MIN, 1_001, i32::MAX] {
        stage.refused("ListStock", client.list_stock(list_stock(size, ""))).await;
        let list = movements("SKU-001", size, "");
        stage.refused("ListMovements", client.list_movements(list)).await;
    }
    stage.refused("ListStock", client.list_stock(list_stock(-1, "zz"))).await;
    for sku in ["", "nul\0", &long, "none"] {
        stage.refused("ListMovements", client.list_movements(movements(sku, 0, ""))).await;
    }
    stage.refused("ListMovements", client.list_movements(movements("", -1, "00"))).await;
    let unknown = SystemIds.next().to_string();
    let bare = unknown.replace('-', "");
    let braces = format!("{{{unknown}}}");
    for order in ["", " ", &unknown, &bare, &braces, "no-id", "nul\0"] {
        let call = client.get_reservation(get_reservation(order));
        stage.refused("GetReservation", call).await;
    }
}

async fn receive_stock(stage: &mut Stage) {
    const METHOD: &str = "ReceiveStock";
    let mut client = stage.service.client.clone();
    let long = "x".repeat(257);
    let wrong = [
        receive("", 1, ""),
        receive("  ", 1, ""),
        receive(&long, 1, ""),
        receive("nul\0", 1, ""),
        receive("SKU-001", 0, ""),
        receive("SKU-001", i64::MIN, ""),
        receive("SKU-001", 1_000_000_001, ""),
        receive("SKU-001", i64::MAX, ""),
        receive("SKU-001", 1, &long),
        receive("SKU-001", 1, "\u{7}"),
        receive("", 0, &long),
    ];
    for request in wrong {
        stage.refused(METHOD, client.receive_stock(keyed("free", request))).await;
    }
    let good = receive("SKU-001", 1, "");
    for key in ["", &"k".repeat(256)] {
        stage.refused(METHOD, client.receive_stock(keyed(key, good.clone()))).await;
    }
    let mut twice = keyed("one", good.clone());
    twice.metadata_mut().append("idempotency-key", "two".parse().unwrap());
    stage.refused(METHOD, client.receive_stock(twice)).await;
    stage.refused(METHOD, client.receive_stock(keyed("", receive("", 1, "")))).await;
    client.receive_stock(keyed("used", good)).await.unwrap();
    stage.refused(METHOD, client.receive_stock(keyed("used", receive("SKU-002", 1, "")))).await;
    let full = format!("UPDATE stock SET available = {UNITS_MAX} WHERE sku = 'SKU-010'");
    stage.service.running.database.write.execute_unprepared(&full).await.unwrap();
    stage.refused(METHOD, client.receive_stock(keyed("free", receive("SKU-010", 1, "")))).await;
    let freed = client.receive_stock(keyed("free", receive("SKU-003", 1, ""))).await.unwrap();
    assert!(freed.metadata().get("idempotency-replayed").is_none(), "no refusal kept the key");
}

async fn adjust_stock(stage: &mut Stage) {
    const METHOD: &str = "AdjustStock";
    let mut client = stage.service.client.clone();
    let wrong = [
        adjust("", 1, ""),
        adjust(&"x".repeat(257), 1, ""),
        adjust("nul\0", 1, ""),
        adjust("SKU-001", 0, ""),
        adjust("SKU-001", i64::MIN, ""),
        adjust("SKU-001", 1_000_000_001, ""),
        adjust("SKU-001", 1, &"x".repeat(1_025)),
        adjust("SKU-001", 1, "\0"),
        adjust("", 0, "\0"),
        adjust("none", 1, ""),
        adjust("SKU-004", -10_001, ""),
        adjust("SKU-010", 1, ""),
    ];
    for request in wrong {
        stage.refused(METHOD, client.adjust_stock(keyed("adjust-free", request))).await;
    }
    let good = adjust("SKU-001", 1, "");
    stage.refused(METHOD, client.adjust_stock(keyed("", good.clone()))).await;
    // ReceiveStock has this key.
    stage.refused(METHOD, client.adjust_stock(keyed("used", good.clone()))).await;
    let freed = client.adjust_stock(keyed("adjust-free", good)).await.unwrap();
    assert!(freed.metadata().get("idempotency-replayed").is_none(), "no refusal kept the key");
}

/// What a call is told whose time ends behind an equal call.
async fn keys_running(stage: &mut Stage) {
    const SHORT: Duration = Duration::from_millis(500);
    fn so<T>(key: &str, message: T) -> Request<T> {
        let mut request = keyed(key, message);
        request.set_timeout(SHORT);
        request
    }
    let client = stage.service.client.clone();
    behind(stage, "ReceiveStock", async || {
        client.clone().receive_stock(so("received", receive("SKU-005", 1, ""))).await.map(drop)
    })
    .await;
    behind(stage, "AdjustStock", async || {
        client.clone().adjust_stock(so("adjusted", adjust("SKU-005", 1, ""))).await.map(drop)
    })
    .await;
}

/// Its first call goes on without its caller, and stands before the one writer; the second stands
/// behind the first.
async fn behind(stage: &mut Stage, method: &str, call: impl AsyncFn() -> Result<(), Status>) {
    let late = [Code::DeadlineExceeded, Code::Cancelled];
    let writing = stage.service.running.messaging.begin().await.unwrap();
    call().await.unwrap_err();
    let second = async {
        loop {
            match call().await {
                // On a machine that is busy the answer may come after the caller's time.
                Err(status) if late.contains(&status.code()) => {}
                told => return told.map(Response::new),
            }
        }
    };
    stage.refused(method, second).await;
    drop(writing);
    // Once the first call has ended its answer is there for the others.
    let ended = async {
        while let Err(status) = call().await {
            let code = status.code();
            assert!(late.contains(&code) || code == Code::Aborted, "{method}: {status}");
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect(method);
}

async fn database_away(stage: &mut Stage) {
    let database = stage.service.running.database.clone();
    let before = count_rows(&database.read).await;
    database.close().await;
    let (mut client, table) = (stage.service.client.clone(), &mut stage.table);
    table.note("GetStock", client.get_stock(get_stock("SKU-001")).await);
    table.note("ListStock", client.list_stock(list_stock(0, "")).await);
    table.note("ReceiveStock", client.receive_stock(receive("SKU-001", 1, "")).await);
    table.note("AdjustStock", client.adjust_stock(adjust("SKU-001", 1, "")).await);
    let unknown = SystemIds.next().to_string();
    table.note("GetReservation", client.get_reservation(get_reservation(&unknown)).await);
    table.note("ListMovements", client.list_movements(movements("SKU-001", 0, "")).await);
    let again = stage.service.database.reopen().await;
    assert_eq!(count_rows(&again.read).await, before);
}

async fn refusals() -> RefusalTable {
    let mut stage = Stage::set().await;
    queries(&mut stage).await;
    receive_stock(&mut stage).await;
    adjust_stock(&mut stage).await;
    keys_running(&mut stage).await;
    database_away(&mut stage).await;
    stage.table
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

/// A page token is not signed: whoever makes one up is refused, and meets no inside error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_made_up_with_care_is_refused() {
    for service in Service::everywhere().await {
        let text = "stock\nnul\0";
        let sum = text
            .bytes()
            .fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        let token = format!("{sum:08x}{hex}");
        let answer = service.client.clone().list_stock(list_stock(0, &token)).await;
        assert_eq!(answer.unwrap_err().code(), Code::InvalidArgument);
    }
}
