//! `oms.v1.OrderService`, as far as a client can tell.

use std::pin::Pin;

use futures::{Stream, stream};
use oms_proto::oms_v1::{
    CancelOrderRequest, CancelOrderResponse, CompleteOrderRequest, CompleteOrderResponse,
    CreateOrderRequest, CreateOrderResponse, GetOrderRequest, GetOrderResponse, ListOrdersRequest,
    ListOrdersResponse, Order, OrderItem, OrderStatus, PayOrderRequest, PayOrderResponse,
    RefundOrderRequest, RefundOrderResponse, ShipOrderRequest, ShipOrderResponse,
    WatchOrderRequest, WatchOrderResponse, order_service_server::OrderService,
};
use prost_types::Timestamp;
use tonic::{Code, Request, Response, Status, async_trait};

use super::state::{Fake, Kept, Lie, become_, cancel, refusal};

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl OrderService for Fake {
    async fn create_order(
        &self,
        request: Request<CreateOrderRequest>,
    ) -> Answer<CreateOrderResponse> {
        self.begin("create", &request)?;
        let key = request.metadata().get("idempotency-key").unwrap().to_str().unwrap().to_owned();
        let asked = request.into_inner();
        let mut state = self.lock();
        let number = state.orders.len() + 1;
        let fresh = format!("0199aaaa-0000-7000-8000-{number:012}");
        let id = state.keys.entry(key).or_insert(fresh.clone()).clone();
        if id == fresh {
            state.orders.push(kept(&id, &asked, number));
        }
        let status = OrderStatus::Pending.into();
        Ok(Response::new(CreateOrderResponse { order_id: id, status, created_at: at(number) }))
    }

    async fn get_order(&self, request: Request<GetOrderRequest>) -> Answer<GetOrderResponse> {
        self.begin("get", &request)?;
        let id = &request.get_ref().order_id;
        let lie = self.lock().lie;
        if lie == Some(Lie::Forgotten) && id.ends_with("-000000000001") {
            return Err(refusal(Code::NotFound, "ORDER_NOT_FOUND"));
        }
        if lie == Some(Lie::CanceledLater) {
            self.change(id, |order| {
                cancel(order, "by_nobody");
                Ok(())
            })?;
        }
        let kept = self.kept(id)?;
        Ok(Response::new(GetOrderResponse { order: Some(kept.order), timeline: kept.timeline }))
    }

    async fn pay_order(&self, request: Request<PayOrderRequest>) -> Answer<PayOrderResponse> {
        self.begin("pay", &request)?;
        let asked = request.into_inner();
        let stuck = self.lock().stuck;
        self.change(&asked.order_id, |order| {
            if order.status() != OrderStatus::Pending {
                return Err(refusal(Code::FailedPrecondition, "ORDER_NOT_PENDING"));
            }
            if stuck {
                return Ok(());
            }
            if order.items.iter().any(|item| item.sku == "SKU-OUT-OF-STOCK") {
                cancel(order, "inventory_unavailable");
            } else if asked.payment_method == "pm_card_declined" {
                cancel(order, "payment_declined");
            } else {
                become_(order, OrderStatus::Confirmed);
                order.captured_minor = order.amount_minor;
            }
            Ok(())
        })?;
        let status = OrderStatus::Pending.into();
        Ok(Response::new(PayOrderResponse { order_id: asked.order_id, status }))
    }

    async fn cancel_order(
        &self,
        request: Request<CancelOrderRequest>,
    ) -> Answer<CancelOrderResponse> {
        self.begin("cancel", &request)?;
        let order_id = request.into_inner().order_id;
        self.change(&order_id, |order| {
            if order.status() == OrderStatus::Shipped {
                return Err(refusal(Code::FailedPrecondition, "ORDER_NOT_CANCELABLE"));
            }
            cancel(order, "customer");
            Ok(())
        })?;
        let status = OrderStatus::Canceled.into();
        Ok(Response::new(CancelOrderResponse { order_id, status }))
    }

    async fn refund_order(
        &self,
        request: Request<RefundOrderRequest>,
    ) -> Answer<RefundOrderResponse> {
        self.begin("refund", &request)?;
        let asked = request.into_inner();
        let amount = asked.amount.clone().map(|money| money.amount_minor);
        let times = if self.lock().lie == Some(Lie::RefundedTwice) { 2 } else { 1 };
        let given = self.change(&asked.order_id, |order| {
            let left = order.captured_minor - order.refunded_minor;
            let given = amount.unwrap_or(left);
            order.refunded_minor += times * given;
            order.set_status(OrderStatus::Refunded);
            Ok(given)
        })?;
        let (order_id, status) = (asked.order_id, OrderStatus::Refunded.into());
        Ok(Response::new(RefundOrderResponse { order_id, status, refunded_amount: given }))
    }

    async fn ship_order(&self, request: Request<ShipOrderRequest>) -> Answer<ShipOrderResponse> {
        self.begin("ship", &request)?;
        let order_id = request.into_inner().order_id;
        let status = self.step(&order_id, OrderStatus::Confirmed, OrderStatus::Shipped)?;
        Ok(Response::new(ShipOrderResponse { order_id, status }))
    }

    async fn complete_order(
        &self,
        request: Request<CompleteOrderRequest>,
    ) -> Answer<CompleteOrderResponse> {
        self.begin("complete", &request)?;
        let order_id = request.into_inner().order_id;
        let status = self.step(&order_id, OrderStatus::Shipped, OrderStatus::Completed)?;
        Ok(Response::new(CompleteOrderResponse { order_id, status }))
    }

    async fn list_orders(&self, request: Request<ListOrdersRequest>) -> Answer<ListOrdersResponse> {
        self.begin("list", &request)?;
        let asked = request.into_inner();
        let is_asked = |kept: &&Kept| {
            let order = &kept.order;
            (asked.customer_id.is_empty() || asked.customer_id == order.customer_id)
                && (asked.reference.is_empty() || asked.reference == order.reference)
                && (asked.status == 0 || asked.status == order.status)
        };
        let skip = asked.page_token.parse().unwrap_or(0);
        let size = usize::try_from(asked.page_size).unwrap();
        let state = self.lock();
        let found: Vec<Order> =
            state.orders.iter().rev().filter(is_asked).map(|kept| kept.order.clone()).collect();
        let page: Vec<Order> = found.iter().skip(skip).take(size).cloned().collect();
        let end = skip + page.len();
        let next = if end < found.len() { end.to_string() } else { String::new() };
        Ok(Response::new(ListOrdersResponse { orders: page, next_page_token: next }))
    }

    type WatchOrderStream = Pin<Box<dyn Stream<Item = Result<WatchOrderResponse, Status>> + Send>>;

    async fn watch_order(
        &self,
        request: Request<WatchOrderRequest>,
    ) -> Answer<Self::WatchOrderStream> {
        self.begin("watch", &request)?;
        let asked = request.into_inner();
        self.kept(&asked.order_id)?;
        let begin = (self.clone(), self.changed.subscribe(), asked.after_version, true);
        let steps = stream::try_unfold(begin, move |(fake, mut changed, seen, first)| {
            let id = asked.order_id.clone();
            async move {
                loop {
                    changed.borrow_and_update();
                    let kept = fake.kept(&id)?;
                    let news: Vec<_> =
                        kept.timeline.iter().filter(|e| e.version > seen).cloned().collect();
                    if !news.is_empty() || first {
                        // A fault of the stream comes between two entries.
                        fake.begin("stream", &Request::new(()))?;
                        let now = kept.order.version.max(seen);
                        let answer = WatchOrderResponse { order: Some(kept.order), timeline: news };
                        return Ok(Some((answer, (fake, changed, now, false))));
                    }
                    if has_ended(&kept.order) {
                        return Ok(None);
                    }
                    changed.changed().await.map_err(|_| refusal(Code::Internal, "FAKE_ENDED"))?;
                }
            }
        });
        Ok(Response::new(Box::pin(steps)))
    }
}

impl Fake {
    pub(crate) fn kept(&self, id: &str) -> Result<Kept, Status> {
        let state = self.lock();
        let found = state.orders.iter().find(|kept| kept.order.id == id).cloned();
        found.ok_or_else(|| refusal(Code::NotFound, "ORDER_NOT_FOUND"))
    }

    /// A step of the lifecycle, and the status that is shown then.
    fn step(&self, id: &str, from: OrderStatus, to: OrderStatus) -> Result<i32, Status> {
        self.change(id, |order| {
            if order.lifecycle_status() != from {
                return Err(refusal(Code::FailedPrecondition, "ORDER_NOT_SHIPPABLE"));
            }
            order.set_lifecycle_status(to);
            if order.status() != OrderStatus::Refunded {
                order.set_status(to);
            }
            Ok(order.status)
        })
    }
}

fn has_ended(order: &Order) -> bool {
    matches!(order.lifecycle_status(), OrderStatus::Canceled | OrderStatus::Completed)
}

fn at(number: usize) -> Option<Timestamp> {
    Some(Timestamp { seconds: 1_800_000_000 + i64::try_from(number).unwrap(), nanos: 0 })
}

fn kept(id: &str, asked: &CreateOrderRequest, number: usize) -> Kept {
    let price = |item: &oms_proto::oms_v1::create_order_request::Item| {
        item.price.as_ref().map_or(0, |price| price.amount_minor)
    };
    let items = asked.items.iter().map(|item| OrderItem {
        sku: item.sku.clone(),
        qty: item.qty,
        price_minor: price(item),
        ..OrderItem::default()
    });
    let mut kept = Kept {
        order: Order {
            id: id.to_owned(),
            customer_id: asked.customer_id.clone(),
            currency: asked.currency.clone(),
            reference: asked.reference.clone(),
            items: items.collect(),
            amount_minor: asked.items.iter().map(|i| price(i) * i64::from(i.qty)).sum(),
            created_at: at(number),
            updated_at: at(number),
            ..Order::default()
        },
        timeline: Vec::new(),
    };
    become_(&mut kept.order, OrderStatus::Pending);
    kept.note("pending");
    kept
}
