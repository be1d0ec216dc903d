//! INTERNAL: a call that met a bug, or a database that is not ours, tells nothing of the inside and
//! changes nothing.

use oms_proto::orders::{GetOrderRequest, GetOrdersRequest, OrderUpdate};
use oms_service::testing::{RefusalTable, traced};
use sea_orm::ConnectionTrait;
use tonic::{Code, Response, Status};

use super::caller::{
    better_phone, client, create, created, patient, pods, quantity, remove, status, update, with,
};
use crate::served::{Served, each_backend, is_replay, keyed};

/// Where every command passes before its effect is there.
const FAULT: &str = "command.before_commit";

/// Sees that it was refused as the API promises, and with what.
fn told<T>(table: &mut RefusalTable, method: &str, answer: Result<Response<T>, Status>) {
    let Err(status) = answer else { panic!("{method} was not refused") };
    assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"), "{method}");
    table.note(method, Err::<(), _>(status));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bug_in_a_command_is_internal_changes_nothing_and_leaves_the_key_free() {
    traced();
    for backend in each_backend() {
        let served = Served::start_with(&backend, patient).await;
        let mut client = client(&served).await;
        let mut table = RefusalTable::new("orders.Orders");
        let order = created(&mut client).await;
        let (id, first, second) =
            (order.id.as_str(), order.items[0].id.as_str(), order.items[1].id.as_str());
        macro_rules! meets_a_bug {
            ($call:ident, $method:literal, $request:expr) => {{
                let before = served.rows().await;
                served.crash.arm_a_panic(FAULT);
                let answer = client.$call(keyed(concat!("key of ", $method), $request)).await;
                told(&mut table, $method, answer);
                assert_eq!(served.rows().await, before, $method);
                let again = client.$call(keyed(concat!("key of ", $method), $request)).await;
                assert!(!is_replay(again.unwrap().metadata()), $method);
            }};
        }
        meets_a_bug!(create_order, "CreateOrder", create());
        meets_a_bug!(add_item_to_order, "AddItemToOrder", pods(id));
        meets_a_bug!(update_order_item_quantity, "UpdateOrderItemQuantity", quantity(id, first, 3));
        meets_a_bug!(remove_item_from_order, "RemoveItemFromOrder", remove(id, second));
        meets_a_bug!(update_order, "UpdateOrder", with(better_phone(&order)));
        meets_a_bug!(update_order_status, "UpdateOrderStatus", status(id, "Cancelled"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_lacks_a_table_is_internal_whatever_is_asked() {
    traced();
    for backend in each_backend() {
        let served = Served::start_with(&backend, patient).await;
        let mut client = client(&served).await;
        let mut table = RefusalTable::new("orders.Orders");
        let order = created(&mut client).await;
        let (id, line) = (order.id.clone(), order.items[0].id.clone());
        let before = served.rows().await;
        let rename = async |from: &str, to: &str| {
            let sql = format!("ALTER TABLE {from} RENAME TO {to}");
            served.running.database.write.execute_unprepared(&sql).await.unwrap();
        };
        rename("lines", "lines_elsewhere").await;
        told(&mut table, "CreateOrder", client.create_order(create()).await);
        let get = GetOrderRequest { order_id: id.clone() };
        told(&mut table, "GetOrder", client.get_order(get).await);
        told(&mut table, "GetOrders", client.get_orders(GetOrdersRequest::default()).await);
        told(&mut table, "AddItemToOrder", client.add_item_to_order(pods(&id)).await);
        let less = client.remove_item_from_order(remove(&id, &line)).await;
        told(&mut table, "RemoveItemFromOrder", less);
        let two = client.update_order_item_quantity(quantity(&id, &line, 2)).await;
        told(&mut table, "UpdateOrderItemQuantity", two);
        for to in ["Pending", "Processing", "Shipped", "Completed", "Cancelled"] {
            let answer = client.update_order_status(status(&id, to)).await;
            told(&mut table, "UpdateOrderStatus", answer);
        }
        let on = OrderUpdate { status: "Processing".to_owned(), ..update(&order) };
        told(&mut table, "UpdateOrder", client.update_order(with(on)).await);
        rename("lines_elsewhere", "lines").await;
        assert_eq!(served.rows().await, before);
        let moved = client.update_order_status(status(&id, "Processing")).await.unwrap();
        assert!(moved.into_inner().success, "as if nothing had been");
    }
}
