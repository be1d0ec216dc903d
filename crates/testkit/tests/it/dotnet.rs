//! The walk of the second document on the port of `orders.Orders`: holds and money of the other two
//! services follow each step.

use oms_proto::{
    oms_v1::{PaymentStatus, ReservationStatus},
    orders::{
        AddItemToOrderRequest, CreateOrderItem, CreateOrderRequest, GetOrderRequest, Order,
        OrderUpdate, RemoveItemFromOrderRequest, UpdateOrderItemQuantityRequest,
        UpdateOrderRequest, UpdateOrderStatusRequest, orders_client::OrdersClient,
    },
};
use oms_testkit::{Clients, Stack};
use tonic::transport::Channel;

const PHONE: &str = "550e8400-e29b-41d4-a716-446655440001";
const CASE: &str = "550e8400-e29b-41d4-a716-446655440002";
const PODS: &str = "550e8400-e29b-41d4-a716-446655440004";

fn item(product: &str, name: &str, quantity: i32, unit_price: f64) -> CreateOrderItem {
    CreateOrderItem {
        product_id: product.to_owned(),
        product_name: name.to_owned(),
        quantity,
        unit_price,
        currency: "USD".to_owned(),
    }
}

/// The order's changes, as the document has them.
struct Walk {
    orders: OrdersClient<Channel>,
    order: Order,
}

impl Walk {
    async fn begin(stack: &Stack) -> Self {
        let mut orders = stack.orders().await.unwrap();
        let request = CreateOrderRequest {
            customer_id: "123e4567-e89b-12d3-a456-426614174000".to_owned(),
            currency: "USD".to_owned(),
            items: vec![
                item(PHONE, "iPhone 15 Pro", 2, 999.99),
                item(CASE, "iPhone Case", 2, 49.99),
            ],
        };
        let order = orders.create_order(request).await.unwrap().into_inner().order.unwrap();
        Self { orders, order }
    }

    fn expect(&self, status: &str, total: f64) {
        assert_eq!((self.order.status.as_str(), self.order.total_amount), (status, total));
    }

    async fn go(&mut self, status: &str) {
        let (order_id, status) = (self.order.id.clone(), status.to_owned());
        let request = UpdateOrderStatusRequest { order_id, status };
        let answer = self.orders.update_order_status(request).await.unwrap().into_inner();
        assert!(answer.success);
        let request = GetOrderRequest { order_id: self.order.id.clone() };
        self.order = self.orders.get_order(request).await.unwrap().into_inner().order.unwrap();
    }

    async fn add(&mut self) {
        let item = Some(item(PODS, "AirPods Pro", 1, 249.99));
        let request = AddItemToOrderRequest { order_id: self.order.id.clone(), item };
        let answer = self.orders.add_item_to_order(request).await.unwrap().into_inner();
        self.order = answer.order.unwrap();
    }

    async fn remove_the_case(&mut self) {
        let item_id = self.order.items[1].id.clone();
        let request = RemoveItemFromOrderRequest { order_id: self.order.id.clone(), item_id };
        let answer = self.orders.remove_item_from_order(request).await.unwrap().into_inner();
        self.order = answer.order.unwrap();
    }

    async fn three_phones(&mut self) {
        let (order_id, item_id) = (self.order.id.clone(), self.order.items[0].id.clone());
        let request = UpdateOrderItemQuantityRequest { order_id, item_id, quantity: 3 };
        let answer = self.orders.update_order_item_quantity(request).await.unwrap().into_inner();
        self.order = answer.order.unwrap();
    }

    /// To one better phone, in the status the order has.
    async fn update(&mut self) {
        let mut phone = self.order.items[0].clone();
        "iPhone 15 Pro Max".clone_into(&mut phone.product_name);
        (phone.quantity, phone.unit_price) = (1, 1_199.99);
        let update = OrderUpdate {
            id: self.order.id.clone(),
            customer_id: self.order.customer_id.clone(),
            currency: self.order.currency.clone(),
            status: self.order.status.clone(),
            items: vec![phone],
            updated_at: None,
        };
        let request = UpdateOrderRequest { update: Some(update) };
        let answer = self.orders.update_order(request).await.unwrap().into_inner();
        self.order = answer.order.unwrap();
    }
}

/// What inventory has for the order and payment has of it, once nobody waits.
async fn others(stack: &Stack, clients: &Clients, order: &str) -> (Vec<(String, i64)>, i64) {
    stack.rest().await.unwrap();
    let reservation = clients.reservation(order).await.unwrap();
    let mut lines: Vec<_> =
        reservation.lines.into_iter().map(|line| (line.sku, line.qty)).collect();
    lines.sort();
    let payment = clients.payment(order).await.unwrap();
    (lines, payment.captured_minor - payment.refunded_minor)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documents_walk_moves_stock_and_money_with_the_order() {
    let stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let before = clients.stock(PHONE).await.unwrap();
    let mut walk = Walk::begin(&stack).await;
    walk.expect("Pending", 2_099.96);
    walk.go("Processing").await;
    let id = walk.order.id.clone();
    let follows = async |lines: &[(&str, i64)], cents: i64| {
        let lines: Vec<_> = lines.iter().map(|(sku, qty)| ((*sku).to_owned(), *qty)).collect();
        assert_eq!(others(&stack, &clients, &id).await, (lines, cents));
    };
    walk.expect("Processing", 2_099.96);
    follows(&[(PHONE, 2), (CASE, 2)], 209_996).await;
    walk.add().await;
    walk.expect("Processing", 2_349.95);
    follows(&[(PHONE, 2), (CASE, 2), (PODS, 1)], 234_995).await;
    walk.remove_the_case().await;
    walk.expect("Processing", 2_249.97);
    follows(&[(PHONE, 2), (PODS, 1)], 224_997).await;
    walk.three_phones().await;
    walk.expect("Processing", 3_249.96);
    follows(&[(PHONE, 3), (PODS, 1)], 324_996).await;
    walk.update().await;
    walk.expect("Processing", 1_199.99);
    assert_eq!(walk.order.items.len(), 1);
    assert_eq!(walk.order.items[0].product_name, "iPhone 15 Pro Max");
    follows(&[(PHONE, 1)], 119_999).await;
    let reservation = clients.reservation(&id).await.unwrap();
    assert_eq!(reservation.status(), ReservationStatus::Committed);

    walk.go("Shipped").await;
    walk.expect("Shipped", 1_199.99);
    assert_eq!(others(&stack, &clients, &id).await, (Vec::new(), 119_999));
    let now = clients.stock(PHONE).await.unwrap();
    assert_eq!((before.available - now.available, now.shipped - before.shipped), (1, 1));

    walk.go("Completed").await;
    walk.expect("Completed", 1_199.99);
    let payment = clients.payment(&id).await.unwrap();
    assert_eq!(payment.status(), PaymentStatus::Captured);
    stack.finish().await.unwrap();
}
