//! One service with an order in every state that refusals need.

use oms_order::OrderConfig;
use oms_proto::oms_v1::{
    GetOrderResponse, OrderStatus, RefundOrderRequest, order_service_client::OrderServiceClient,
};
use oms_service::testing::{Backend, RefusalTable, count_rows, traced};
use tonic::{Response, Status, transport::Channel};

use crate::served::{Paying, Served, cancel, pay, refund};

/// What a call that waits waits here, in milliseconds: it is to be refused for waiting too long.
const CALL_WAIT_MS: u64 = 150;

/// Calls that may watch at a time.
pub(crate) const PLACES: usize = 2;

/// A service at rest: nothing is due, so that rows change by calls alone.
pub(crate) struct Stage {
    pub(crate) served: Served,
    pub(crate) table: RefusalTable,
    pub(crate) pending: String,
    pub(crate) confirmed: String,
    /// Everything was given back.
    pub(crate) refunded: String,
    /// Cancelled, and settled.
    pub(crate) canceled: String,
    /// The pay run failed because there was no stock.
    pub(crate) unavailable: String,
    /// The pay run failed because the card was declined.
    pub(crate) declined: String,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        traced();
        let change = |config: &mut OrderConfig| {
            config.order.call_wait_ms = CALL_WAIT_MS;
            config.order.waiting_orders_max = 1;
            config.order.watchers_max = PLACES;
        };
        let served = Served::start_with(&Backend::Sqlite, change).await;
        let mut client = served.client.clone();
        let refunded = served.confirmed(10_000).await;
        // Not the call's outcome is wanted, which may come too late, but the order's.
        let _ = client.refund_order(refund(&refunded, None)).await;
        until_told(&served, &refunded, &["StockReleased"]).await;
        let canceled = served.confirmed(10_000).await;
        client.cancel_order(cancel(&canceled)).await.unwrap();
        until_told(&served, &canceled, &["StockReleased", "PaymentClosed"]).await;
        let unavailable = failed(&served, Paying::OutOfStock).await;
        let declined = failed(&served, Paying::Decline).await;
        served.others.pay(Paying::Approve);
        let confirmed = served.confirmed(10_000).await;
        let pending = served.created(10_000).await;
        let table = RefusalTable::new("oms.v1.OrderService");
        Self { served, table, pending, confirmed, refunded, canceled, unavailable, declined }
    }

    pub(crate) fn client(&self) -> OrderServiceClient<Channel> {
        self.served.client.clone()
    }

    /// Orders that have not come to CONFIRMED, or have left it.
    pub(crate) fn not_confirmed(&self) -> [String; 3] {
        [&self.pending, &self.refunded, &self.canceled].map(Clone::clone)
    }

    /// Notes a call that is refused and must change nothing.
    pub(crate) async fn refused<T>(
        &mut self,
        method: &str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) {
        let before = count_rows(&self.served.running.database.read).await;
        let answer = call.await;
        let after = count_rows(&self.served.running.database.read).await;
        assert_eq!(before, after, "{method} was refused, and changed something");
        self.table.note(method, answer);
    }
}

/// A new order whose pay run failed so, and is settled.
async fn failed(served: &Served, how: Paying) -> String {
    served.others.pay(how);
    let order = served.created(10_000).await;
    served.client.clone().pay_order(pay(&order)).await.unwrap();
    served.reaches(&order, OrderStatus::Canceled).await;
    until_told(served, &order, &["StockReleased", "PaymentClosed"]).await;
    order
}

/// Waits until the order's timeline tells all of these.
pub(crate) async fn until_told(served: &Served, order: &str, events: &[&str]) {
    let told = |view: &GetOrderResponse| {
        let has = |event: &&str| view.timeline.iter().any(|entry| entry.event_type == *event);
        events.iter().all(has)
    };
    served.until(order, told).await;
}

/// A refund changed in one field.
pub(crate) fn refund_with(
    order: &str,
    change: impl FnOnce(&mut RefundOrderRequest),
) -> RefundOrderRequest {
    let mut request = refund(order, None);
    change(&mut request);
    request
}
