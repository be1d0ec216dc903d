//! The gRPC service: reads the request, runs the command in a task the transport cannot drop,
//! writes the response.

use oms_proto::oms_v1::{
    self as wire,
    order_service_server::{OrderService, OrderServiceServer},
};
use oms_service::{MESSAGE_IN_MAX, MESSAGE_OUT_MAX, Refusal};
use prost::Message;
use tonic::{Request, Response, Status};

use super::{
    calls::{Calls, keyed, respond},
    convert, list,
    status::{not_found, of_command, of_store},
    validate::{self, About},
    watch,
};
use crate::{
    commands::{self, Context},
    queries::{Queries, Watchers},
};

/// `oms.v1.OrderService` over commands and queries.
#[derive(Clone, Debug)]
pub struct OrderApi {
    calls: Calls,
    queries: Queries,
    watchers: Watchers,
}

impl OrderApi {
    /// The service that runs its commands by `calls`.
    #[must_use]
    pub fn new(calls: Calls, queries: Queries) -> Self {
        let Context { read, changes, metrics, settings, .. } = calls.context().clone();
        let (tasks, watchers_max) = (calls.host().tasks().clone(), settings.watchers_max);
        let watchers = Watchers::new(tasks, read, changes, metrics, watchers_max);
        Self { calls, queries, watchers }
    }

    /// As the routes take it, with the limits on messages.
    #[must_use]
    pub fn into_server(self) -> OrderServiceServer<Self> {
        OrderServiceServer::new(self)
            .max_decoding_message_size(MESSAGE_IN_MAX)
            .max_encoding_message_size(MESSAGE_OUT_MAX)
    }
}

#[tonic::async_trait]
impl OrderService for OrderApi {
    async fn create_order(
        &self,
        request: Request<wire::CreateOrderRequest>,
    ) -> Result<Response<wire::CreateOrderResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let encode = |done: &_| convert::created(done).encode_to_vec();
        let keyed = keyed(&metadata, "oms.v1.OrderService/CreateOrder", &message, encode);
        let (wish, keyed) = Refusal::both(validate::create_order(message), keyed)?;
        let reply = self
            .calls
            .run(&metadata, |context, patience| async move {
                commands::create_order(&context, wish, keyed, patience).await
            })
            .await
            .map_err(of_command)?;
        respond(reply, convert::created)
    }

    async fn get_order(
        &self,
        request: Request<wire::GetOrderRequest>,
    ) -> Result<Response<wire::GetOrderResponse>, Status> {
        let About { order_id, .. } = validate::get_order(request.get_ref())?;
        let order_id = order_id.ok_or_else(not_found)?;
        let found = self.queries.get_order(&order_id).await;
        let view = found.map_err(|failure| of_store(&failure))?.ok_or_else(not_found)?;
        Ok(Response::new(convert::view(view)))
    }

    async fn pay_order(
        &self,
        request: Request<wire::PayOrderRequest>,
    ) -> Result<Response<wire::PayOrderResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let encode = |done: &_| convert::paid(done).encode_to_vec();
        let keyed = keyed(&metadata, "oms.v1.OrderService/PayOrder", &message, encode);
        let (about, keyed) = Refusal::both(validate::pay_order(message), keyed)?;
        let About { order_id, wish } = about;
        let id = order_id.ok_or_else(not_found)?;
        let reply = self
            .calls
            .run(&metadata, |context, patience| async move {
                commands::pay_order(&context, id, wish, keyed, patience).await
            })
            .await
            .map_err(of_command)?;
        respond(reply, convert::paid)
    }

    async fn cancel_order(
        &self,
        request: Request<wire::CancelOrderRequest>,
    ) -> Result<Response<wire::CancelOrderResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let encode = |done: &_| convert::canceled(done).encode_to_vec();
        let keyed = keyed(&metadata, "oms.v1.OrderService/CancelOrder", &message, encode);
        let (about, keyed) = Refusal::both(validate::cancel_order(message), keyed)?;
        let About { order_id, wish } = about;
        let id = order_id.ok_or_else(not_found)?;
        let reply = self
            .calls
            .run(&metadata, |context, patience| async move {
                commands::cancel_order(&context, id, wish, keyed, patience).await
            })
            .await
            .map_err(of_command)?;
        respond(reply, convert::canceled)
    }

    async fn refund_order(
        &self,
        request: Request<wire::RefundOrderRequest>,
    ) -> Result<Response<wire::RefundOrderResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let encode = |done: &_| convert::refunded(done).encode_to_vec();
        let keyed = keyed(&metadata, "oms.v1.OrderService/RefundOrder", &message, encode);
        let (about, keyed) = Refusal::both(validate::refund_order(message), keyed)?;
        let About { order_id, wish } = about;
        let id = order_id.ok_or_else(not_found)?;
        let reply = self
            .calls
            .run(&metadata, |context, patience| async move {
                commands::refund_order(&context, id, wish, keyed, patience).await
            })
            .await
            .map_err(of_command)?;
        respond(reply, convert::refunded)
    }

    async fn ship_order(
        &self,
        request: Request<wire::ShipOrderRequest>,
    ) -> Result<Response<wire::ShipOrderResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let encode = |done: &_| convert::shipped(done).encode_to_vec();
        let keyed = keyed(&metadata, "oms.v1.OrderService/ShipOrder", &message, encode);
        let (about, keyed) = Refusal::both(validate::ship_order(&message), keyed)?;
        let About { order_id, wish } = about;
        let id = order_id.ok_or_else(not_found)?;
        let reply = self
            .calls
            .run(&metadata, |context, patience| async move {
                commands::ship_order(&context, id, wish, keyed, patience).await
            })
            .await
            .map_err(of_command)?;
        respond(reply, convert::shipped)
    }

    async fn complete_order(
        &self,
        request: Request<wire::CompleteOrderRequest>,
    ) -> Result<Response<wire::CompleteOrderResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let encode = |done: &_| convert::completed(done).encode_to_vec();
        let keyed = keyed(&metadata, "oms.v1.OrderService/CompleteOrder", &message, encode);
        let (about, keyed) = Refusal::both(validate::complete_order(&message), keyed)?;
        let About { order_id, wish } = about;
        let id = order_id.ok_or_else(not_found)?;
        let reply = self
            .calls
            .run(&metadata, |context, patience| async move {
                commands::complete_order(&context, id, wish, keyed, patience).await
            })
            .await
            .map_err(of_command)?;
        respond(reply, convert::completed)
    }

    async fn list_orders(
        &self,
        request: Request<wire::ListOrdersRequest>,
    ) -> Result<Response<wire::ListOrdersResponse>, Status> {
        Ok(Response::new(list::list(&self.queries, request.into_inner()).await?))
    }

    type WatchOrderStream = watch::Steps;

    async fn watch_order(
        &self,
        request: Request<wire::WatchOrderRequest>,
    ) -> Result<Response<Self::WatchOrderStream>, Status> {
        Ok(Response::new(watch::watch(&self.watchers, request).await?))
    }
}
