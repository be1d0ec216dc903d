//! Inventory and payment, which say what follows from the orders, or lie.

use std::collections::BTreeMap;

use oms_proto::oms_v1::{
    AdjustStockRequest, AdjustStockResponse, GetPaymentRequest, GetPaymentResponse,
    GetReservationRequest, GetReservationResponse, GetStockRequest, GetStockResponse,
    ListMovementsRequest, ListMovementsResponse, ListPaymentsRequest, ListPaymentsResponse,
    ListStockRequest, ListStockResponse, OrderStatus, Payment, PaymentStatus, ReceiveStockRequest,
    ReceiveStockResponse, Reservation, Stock, inventory_service_server::InventoryService,
    payment_service_server::PaymentService, reservation::Line,
};
use tonic::{Code, Request, Response, Status, async_trait};

use super::state::{Fake, Kept, Lie};

type Answer<T> = Result<Response<T>, Status>;

const STOCKED: i64 = 1_000_000;

fn lines(kept: &Kept) -> BTreeMap<String, i64> {
    let mut lines = BTreeMap::new();
    if kept.order.lifecycle_status() == OrderStatus::Confirmed {
        for item in &kept.order.items {
            *lines.entry(item.sku.clone()).or_insert(0) += i64::from(item.qty);
        }
    }
    lines
}

#[async_trait]
impl InventoryService for Fake {
    async fn get_stock(&self, request: Request<GetStockRequest>) -> Answer<GetStockResponse> {
        self.begin("stock", &request)?;
        let sku = request.into_inner().sku;
        let state = self.lock();
        if state.lie == Some(Lie::StockBroken) && !state.orders.is_empty() {
            return Err(Status::new(Code::Internal, "out of order"));
        }
        let mut sold: i64 =
            state.orders.iter().map(|kept| lines(kept).get(&sku).copied().unwrap_or(0)).sum();
        if state.lie == Some(Lie::Stock) && sku == "SKU-LOAD-01" && !state.orders.is_empty() {
            sold += 1;
        }
        let (available, committed) = (STOCKED - sold, sold);
        let stock = Some(Stock { sku, available, committed, ..Stock::default() });
        Ok(Response::new(GetStockResponse { stock }))
    }

    async fn get_reservation(
        &self,
        request: Request<GetReservationRequest>,
    ) -> Answer<GetReservationResponse> {
        let order_id = request.into_inner().order_id;
        let held = lines(&self.kept(&order_id)?);
        let lines = held.into_iter().map(|(sku, qty)| Line { sku, qty }).collect();
        let reservation = Some(Reservation { order_id, lines, ..Reservation::default() });
        Ok(Response::new(GetReservationResponse { reservation }))
    }

    async fn list_stock(&self, _: Request<ListStockRequest>) -> Answer<ListStockResponse> {
        Err(Status::unimplemented("the real one is tested"))
    }

    async fn receive_stock(
        &self,
        request: Request<ReceiveStockRequest>,
    ) -> Answer<ReceiveStockResponse> {
        self.begin("receive", &request)?;
        Err(Status::unimplemented("the real one is tested"))
    }

    async fn adjust_stock(&self, _: Request<AdjustStockRequest>) -> Answer<AdjustStockResponse> {
        Err(Status::unimplemented("the real one is tested"))
    }

    async fn list_movements(
        &self,
        _: Request<ListMovementsRequest>,
    ) -> Answer<ListMovementsResponse> {
        Err(Status::unimplemented("the real one is tested"))
    }
}

#[async_trait]
impl PaymentService for Fake {
    async fn get_payment(&self, request: Request<GetPaymentRequest>) -> Answer<GetPaymentResponse> {
        let order_id = request.into_inner().order_id;
        let order = self.kept(&order_id)?.order;
        let lie = i64::from(self.lock().lie == Some(Lie::Money));
        let mut payment = Payment {
            order_id,
            currency: order.currency.clone(),
            captured_minor: order.captured_minor + lie,
            refunded_minor: order.refunded_minor,
            ..Payment::default()
        };
        let canceled = order.lifecycle_status() == OrderStatus::Canceled;
        payment.set_status(if canceled { PaymentStatus::Closed } else { PaymentStatus::Captured });
        Ok(Response::new(GetPaymentResponse { payment: Some(payment) }))
    }

    async fn list_payments(&self, _: Request<ListPaymentsRequest>) -> Answer<ListPaymentsResponse> {
        Err(Status::unimplemented("the real one is tested"))
    }
}
