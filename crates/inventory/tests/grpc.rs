//! `oms.v1.InventoryService` on the wire.

use oms_proto::oms_v1 as wire;
use oms_seams::{Ids, SystemIds};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::support::{Service, canceled, eventually, shipped, submitted};

fn sku(sku: &str) -> String {
    sku.to_owned()
}

/// What a call was refused with: code, message, reason, and the fields of its violations.
type Refused = (Code, String, String, Vec<String>);

fn refused(status: Status) -> Refused {
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(info.domain, "oms");
    let fields = details
        .bad_request()
        .map(|bad| bad.field_violations.iter().map(|one| one.field.clone()).collect())
        .unwrap_or_default();
    (status.code(), status.message().to_owned(), info.reason.clone(), fields)
}

fn with_key<T>(message: T, key: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

fn receive(sku: &str, qty: i64, note: &str) -> wire::ReceiveStockRequest {
    wire::ReceiveStockRequest { sku: sku.to_owned(), qty, note: note.to_owned() }
}

fn adjust(sku: &str, delta: i64, reason: &str) -> wire::AdjustStockRequest {
    wire::AdjustStockRequest { sku: sku.to_owned(), delta, reason: reason.to_owned() }
}

fn stock_page(page_size: i32, page_token: &str) -> wire::ListStockRequest {
    wire::ListStockRequest { page_size, page_token: page_token.to_owned() }
}

fn movements_page(of: &str, page_size: i32, page_token: &str) -> wire::ListMovementsRequest {
    wire::ListMovementsRequest { sku: sku(of), page_size, page_token: page_token.to_owned() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stock_is_received_adjusted_and_told_in_the_ledger_newest_first() {
    for service in Service::everywhere().await {
        let mut client = service.client.clone();
        let stock = client.receive_stock(receive("new", 7, "first")).await.unwrap();
        let stock = stock.into_inner().stock.unwrap();
        assert_eq!((stock.sku.as_str(), stock.available), ("new", 7));
        assert!(stock.updated_at.is_some());
        let stock = client.adjust_stock(adjust("new", -2, "broken")).await.unwrap();
        assert_eq!(stock.into_inner().stock.unwrap().available, 5);
        let read = client.get_stock(wire::GetStockRequest { sku: sku("new") }).await.unwrap();
        assert_eq!(read.into_inner().stock.unwrap().available, 5);
        let ledger = client.list_movements(movements_page("new", 0, "")).await.unwrap();
        let ledger = ledger.into_inner();
        let told: Vec<_> = ledger
            .movements
            .iter()
            .map(|one| (one.kind.as_str(), one.qty, one.note.as_str(), one.order_id.as_str()))
            .collect();
        assert_eq!(told, [("adjusted", -2, "broken", ""), ("received", 7, "first", "")]);
        assert_eq!(ledger.next_page_token, "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_repeats_its_answer_and_names_one_request() {
    for service in Service::everywhere().await {
        let mut client = service.client.clone();
        let first = client.receive_stock(with_key(receive("new", 7, ""), "k")).await.unwrap();
        assert!(first.metadata().get("idempotency-replayed").is_none());
        client.receive_stock(receive("new", 1, "")).await.unwrap();
        let again = client.receive_stock(with_key(receive("new", 7, ""), "k")).await.unwrap();
        assert_eq!(again.metadata().get("idempotency-replayed").unwrap(), "true");
        assert_eq!(again.into_inner(), first.into_inner(), "the first answer, not today's");
        for other in [
            client.receive_stock(with_key(receive("new", 8, ""), "k")).await.map(|_| ()),
            client.adjust_stock(with_key(adjust("new", 7, ""), "k")).await.map(|_| ()),
        ] {
            let (code, message, reason, _) = refused(other.unwrap_err());
            assert_eq!((code, reason), (Code::InvalidArgument, sku("IDEMPOTENCY_KEY_REUSED")));
            assert!(message.contains("another request"), "{message}");
        }
        let read = client.get_stock(wire::GetStockRequest { sku: sku("new") }).await.unwrap();
        assert_eq!(read.into_inner().stock.unwrap().available, 8);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_stock_follow_each_other_without_gap_or_repeat() {
    for service in Service::everywhere().await {
        let mut client = service.client.clone();
        // Names that a language's collation would order otherwise.
        for name in ["sku-001", "SKU_0", "ä", "Z"] {
            client.receive_stock(receive(name, 1, "")).await.unwrap();
        }
        let (mut names, mut token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = client.list_stock(stock_page(10, &token)).await.unwrap().into_inner();
            assert!(page.stock.len() <= 10);
            names.extend(page.stock.into_iter().map(|stock| stock.sku));
            pages += 1;
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!((names.len(), pages), (65 + 4, 7));
        assert_eq!(names, sorted, "in order of their name");
        let all = client.list_stock(stock_page(0, "")).await.unwrap().into_inner();
        assert_eq!(all.stock.len(), 50);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_the_ledger_stay_in_place_while_it_grows() {
    for service in Service::everywhere().await {
        let mut client = service.client.clone();
        for qty in 1..=5 {
            client.receive_stock(receive("new", qty, "")).await.unwrap();
        }
        let first = client.list_movements(movements_page("new", 2, "")).await.unwrap();
        let first = first.into_inner();
        client.receive_stock(receive("new", 6, "")).await.unwrap();
        let token = first.next_page_token;
        let second = client.list_movements(movements_page("new", 9, &token)).await.unwrap();
        let second = second.into_inner();
        let qty = |page: &[wire::Movement]| page.iter().map(|one| one.qty).collect::<Vec<_>>();
        assert_eq!(qty(&first.movements), [5, 4]);
        assert_eq!(qty(&second.movements), [3, 2, 1]);
        assert_eq!(second.next_page_token, "");
        // A token belongs to its list.
        for wrong in [
            client.list_movements(movements_page("SKU-001", 2, &token)).await.map(|_| ()),
            client.list_stock(stock_page(2, &token)).await.map(|_| ()),
        ] {
            assert_eq!(refused(wrong.unwrap_err()).3, ["page_token"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reservation_shows_what_is_held_now_under_any_spelling_of_its_id() {
    for service in Service::everywhere().await {
        let mut client = service.client.clone();
        let (order, fenced) = (SystemIds.next().to_string(), SystemIds.next().to_string());
        let lines = [("SKU-002", 1), ("SKU-001", 2), ("SKU-002", 1)];
        service.publish(&[submitted(&order, &lines), canceled(&fenced)]).await;
        eventually("answers", async || {
            service.heard(&order).len() + service.heard(&fenced).len() == 2
        })
        .await;
        let mut get = async |order_id: String| {
            let request = wire::GetReservationRequest { order_id };
            let answer = client.get_reservation(request).await.unwrap();
            answer.into_inner().reservation.unwrap()
        };
        let held = get(order.to_uppercase()).await;
        assert_eq!((held.order_id.as_str(), held.revision), (order.as_str(), 1));
        assert_eq!(held.status(), wire::ReservationStatus::Held);
        let lines: Vec<_> = held.lines.iter().map(|one| (one.sku.as_str(), one.qty)).collect();
        assert_eq!(lines, [("SKU-001", 2), ("SKU-002", 2)]);
        assert!(held.expires_at.is_some());
        let fence = get(fenced).await;
        assert_eq!(fence.status(), wire::ReservationStatus::Fenced);
        assert_eq!((fence.revision, fence.lines.len(), fence.expires_at), (0, 0, None));
        service.publish(&[canceled(&order)]).await;
        eventually("released", async || service.heard(&order).len() == 2).await;
        let released = get(order.clone()).await;
        assert_eq!(released.status(), wire::ReservationStatus::Released);
        assert_eq!((released.lines.len(), released.expires_at), (0, None));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shipped_reservation_holds_nothing_more_and_the_ledger_tells_what_has_left() {
    for service in Service::everywhere().await {
        let mut client = service.client.clone();
        let order = SystemIds.next().to_string();
        let lines = [("SKU-001", 2)];
        service.publish(&[submitted(&order, &lines), shipped(&order, &lines)]).await;
        eventually("dispatched", async || service.heard(&order).len() == 2).await;
        let request = wire::GetReservationRequest { order_id: order.clone() };
        let answer = client.get_reservation(request).await.unwrap().into_inner();
        let seen = answer.reservation.unwrap();
        assert_eq!(seen.status(), wire::ReservationStatus::Shipped);
        assert_eq!((seen.lines.len(), seen.revision, seen.expires_at), (0, 1, None));
        let read = client.get_stock(wire::GetStockRequest { sku: sku("SKU-001") }).await.unwrap();
        let stock = read.into_inner().stock.unwrap();
        let counts = (stock.available, stock.held, stock.committed, stock.shipped);
        assert_eq!(counts, (9_998, 0, 0, 2));
        let ledger = client.list_movements(movements_page("SKU-001", 1, "")).await.unwrap();
        let newest = ledger.into_inner().movements.remove(0);
        assert_eq!((newest.kind.as_str(), newest.qty, newest.order_id), ("shipped", 2, order));
    }
}
