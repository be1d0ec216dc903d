//! `oms.v1.PaymentService`. Read only: money moves by events.

use oms_messaging::Failure;
use oms_proto::oms_v1::{
    GetPaymentRequest, GetPaymentResponse, ListPaymentsRequest, ListPaymentsResponse,
    payment_service_server::{PaymentService, PaymentServiceServer},
};
use oms_service::{MESSAGE_IN_MAX, MESSAGE_OUT_MAX, Refusal};
use tonic::{Code, Request, Response, Status, async_trait};

use super::{convert, request};
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
        let found = self.queries.payment(&order_id).await.map_err(refuse)?;
        let payment = found.ok_or_else(request::not_found)?;
        Ok(Response::new(GetPaymentResponse { payment: Some(convert::payment(&payment)) }))
    }

    async fn list_payments(
        &self,
        request: Request<ListPaymentsRequest>,
    ) -> Result<Response<ListPaymentsResponse>, Status> {
        let page = request::page(request.get_ref())?;
        // One more than shown tells whether there is a next page.
        let found = self.queries.payments(page.after.as_ref(), page.size + 1).await;
        Ok(Response::new(convert::page(&found.map_err(refuse)?, page.size)))
    }
}

/// The database's trouble as the caller sees it.
fn refuse(failure: Failure) -> Status {
    let refusal = match &failure {
        Failure::Transient(_) => {
            Refusal::unavailable("DATABASE_UNAVAILABLE", "the service cannot read its data now")
        }
        Failure::Poison { .. } | Failure::Unclassified(_) => Refusal::internal(),
    };
    if refusal.code == Code::Internal {
        tracing::error!(%failure, "a query failed");
    } else {
        tracing::warn!(%failure, "a query failed");
    }
    refusal.into()
}
