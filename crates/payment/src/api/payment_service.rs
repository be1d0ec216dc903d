//! `oms.v1.PaymentService`. Read only: money moves by events.

use oms_proto::oms_v1::{
    GetPaymentRequest, GetPaymentResponse, ListPaymentsRequest, ListPaymentsResponse,
    payment_service_server::{PaymentService, PaymentServiceServer},
};
use oms_service::{MESSAGE_IN_MAX, MESSAGE_OUT_MAX};
use tonic::{Request, Response, Status, async_trait};

use super::{convert, refuse, request};
use crate::queries::Queries;

/// The payment service's API.
#[derive(Clone, Debug)]
pub struct PaymentApi {
    queries: Queries,
}

impl PaymentApi {
    /// The API over the service's queries.
    #[must_use]
    pub fn new(queries: Queries) -> Self {
        Self { queries }
    }

    /// As a server for the gRPC port.
    #[must_use]
    pub fn into_server(self) -> PaymentServiceServer<Self> {
        PaymentServiceServer::new(self)
            .max_decoding_message_size(MESSAGE_IN_MAX)
            .max_encoding_message_size(MESSAGE_OUT_MAX)
    }
}

#[async_trait]
impl PaymentService for PaymentApi {
    async fn get_payment(
        &self,
        request: Request<GetPaymentRequest>,
    ) -> Result<Response<GetPaymentResponse>, Status> {
        let order_id = request::order_id(&request.get_ref().order_id)?;
        let order_id = order_id.ok_or_else(refuse::not_found)?;
        let found = self.queries.payment(&order_id).await.map_err(refuse::store)?;
        let payment = found.ok_or_else(refuse::not_found)?;
        Ok(Response::new(GetPaymentResponse { payment: Some(convert::payment(&payment)) }))
    }

    async fn list_payments(
        &self,
        request: Request<ListPaymentsRequest>,
    ) -> Result<Response<ListPaymentsResponse>, Status> {
        let page = request::page(request.get_ref())?;
        // One more than shown tells whether there is a next page.
        let found = self.queries.payments(page.after.as_ref(), page.size + 1).await;
        Ok(Response::new(convert::page(&found.map_err(refuse::store)?, page.size)))
    }
}
