//! The gRPC service: reads the request, runs the command in a task the transport cannot drop,
//! writes the response.

use oms_proto::orders::{
    self as wire,
    orders_server::{Orders, OrdersServer},
};
use oms_service::{MESSAGE_IN_MAX, MESSAGE_OUT_MAX, Refusal};
use prost::Message;
use tonic::{Request, Response, Status, metadata::MetadataMap};

use super::{
    super::{
        calls::{Calls, keyed, respond},
        status::of_store,
    },
    convert, list, refusals,
    request::Aside,
    update::{self, Updated},
    validate,
};
use crate::{
    commands::{self, EditOrder, Edited, Expected, Keyed, MoveOrder, Reply, UpdateOrder},
    domain::Order,
    queries::Queries,
};

/// `orders.Orders` over commands and queries.
#[derive(Clone, Debug)]
pub struct OrdersApi {
    calls: Calls,
    queries: Queries,
}

impl OrdersApi {
    /// The service that runs its commands by `calls`.
    #[must_use]
    pub fn new(calls: Calls, queries: Queries) -> Self {
        Self { calls, queries }
    }

    /// As the routes take it, with the limits on messages.
    #[must_use]
    pub fn into_server(self) -> OrdersServer<Self> {
        OrdersServer::new(self)
            .max_decoding_message_size(MESSAGE_IN_MAX)
            .max_encoding_message_size(MESSAGE_OUT_MAX)
    }

    /// Edits an order, under the call's key.
    async fn edit(
        &self,
        metadata: &MetadataMap,
        id: String,
        wish: EditOrder,
        keyed: Option<Keyed<Edited>>,
    ) -> Result<Reply<Edited>, Refusal> {
        let order_id = id.clone();
        let reply = self.calls.run(metadata, |context, patience| async move {
            commands::edit_order(&context, id, wish, keyed, patience).await
        });
        reply.await.map_err(|error| refusals::of_command(error, &order_id))
    }

    /// What the key remembers. Looked at before a request is compared with its order: that may
    /// have become another one since the first call.
    async fn answered(
        &self,
        keyed: Option<&Keyed<Edited>>,
    ) -> Result<Option<Reply<Edited>>, Refusal> {
        let answered = commands::answered(self.calls.context(), keyed).await;
        answered.map_err(|error| refusals::of_command(error, ""))
    }

    async fn order(&self, order_id: &str) -> Result<Order, Refusal> {
        let found = self.queries.order(order_id).await.map_err(|failure| of_store(&failure))?;
        found.ok_or_else(|| refusals::not_found(order_id))
    }
}

#[tonic::async_trait]
impl Orders for OrdersApi {
    async fn create_order(
        &self,
        request: Request<wire::CreateOrderRequest>,
    ) -> Result<Response<wire::CreateOrderResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let encode = |done: &_| convert::created(done).encode_to_vec();
        let keyed = keyed(&metadata, "orders.Orders/CreateOrder", &message, encode);
        let (wish, keyed) = Refusal::both(validate::create_order(message), keyed)?;
        let reply = self
            .calls
            .run(&metadata, |context, patience| async move {
                commands::create_order(&context, wish, keyed, patience).await
            })
            .await
            .map_err(|error| refusals::of_command(error, ""))?;
        respond(reply, convert::created)
    }

    async fn get_order(
        &self,
        request: Request<wire::GetOrderRequest>,
    ) -> Result<Response<wire::GetOrderResponse>, Status> {
        let order_id = validate::order_id(&request.get_ref().order_id)?;
        let order = Some(convert::order(&self.order(&order_id).await?));
        Ok(Response::new(wire::GetOrderResponse { order }))
    }

    async fn get_orders(
        &self,
        request: Request<wire::GetOrdersRequest>,
    ) -> Result<Response<wire::GetOrdersResponse>, Status> {
        Ok(Response::new(list::list(&self.queries, request.get_ref()).await?))
    }

    async fn add_item_to_order(
        &self,
        request: Request<wire::AddItemToOrderRequest>,
    ) -> Result<Response<wire::AddItemToOrderResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let encode = |done: &_| convert::added(done).encode_to_vec();
        let aside = Aside::read(&metadata, "orders.Orders/AddItemToOrder", &message, encode);
        let (id, aside) = Refusal::both(validate::order_id(&message.order_id), aside)?;
        let Aside { keyed, method } = aside;
        if let Some(answered) = self.answered(keyed.as_ref()).await? {
            return respond(answered, convert::added);
        }
        let change = validate::add_item(message.item, &self.order(&id).await?)?;
        let wish = EditOrder { change, method, expected: Expected::default() };
        respond(self.edit(&metadata, id, wish, keyed).await?, convert::added)
    }

    async fn remove_item_from_order(
        &self,
        request: Request<wire::RemoveItemFromOrderRequest>,
    ) -> Result<Response<wire::RemoveItemFromOrderResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let encode = |done: &_| convert::removed(done).encode_to_vec();
        let aside = Aside::read(&metadata, "orders.Orders/RemoveItemFromOrder", &message, encode);
        let ((id, change), aside) = Refusal::both(validate::remove_item(&message), aside)?;
        let Aside { keyed, method } = aside;
        let wish = EditOrder { change, method, expected: Expected::default() };
        respond(self.edit(&metadata, id, wish, keyed).await?, convert::removed)
    }

    async fn update_order_item_quantity(
        &self,
        request: Request<wire::UpdateOrderItemQuantityRequest>,
    ) -> Result<Response<wire::UpdateOrderItemQuantityResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let encode = |done: &_| convert::requantified(done).encode_to_vec();
        let aside =
            Aside::read(&metadata, "orders.Orders/UpdateOrderItemQuantity", &message, encode);
        let ((id, change), aside) = Refusal::both(validate::item_quantity(&message), aside)?;
        let Aside { keyed, method } = aside;
        let wish = EditOrder { change, method, expected: Expected::default() };
        respond(self.edit(&metadata, id, wish, keyed).await?, convert::requantified)
    }

    async fn update_order(
        &self,
        request: Request<wire::UpdateOrderRequest>,
    ) -> Result<Response<wire::UpdateOrderResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let encode = |done: &_| convert::updated(done).encode_to_vec();
        let aside = Aside::read(&metadata, "orders.Orders/UpdateOrder", &message, encode);
        let message = message.update.unwrap_or_default();
        let (id, aside) = Refusal::both(update::order_id(&message), aside)?;
        let Aside { keyed, method } = aside;
        if let Some(answered) = self.answered(keyed.as_ref()).await? {
            return respond(answered, convert::updated);
        }
        let Updated { change, expected, to } = update::read(message, &self.order(&id).await?)?;
        let edit = EditOrder { change, method, expected };
        let Some(to) = to else {
            return respond(self.edit(&metadata, id, edit, keyed).await?, convert::updated);
        };
        let (order_id, wish) = (id.clone(), UpdateOrder { edit, to });
        let reply = self.calls.run(&metadata, |context, patience| async move {
            commands::update_order(&context, id, wish, keyed, patience).await
        });
        let reply = reply.await.map_err(|error| refusals::of_command(error, &order_id))?;
        respond(reply, convert::updated)
    }

    async fn update_order_status(
        &self,
        request: Request<wire::UpdateOrderStatusRequest>,
    ) -> Result<Response<wire::UpdateOrderStatusResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let encode = |done: &_| convert::moved(done).encode_to_vec();
        let aside = Aside::read(&metadata, "orders.Orders/UpdateOrderStatus", &message, encode);
        let ((id, to), aside) = Refusal::both(validate::update_status(&message), aside)?;
        let Aside { keyed, method } = aside;
        let (order_id, wish) = (id.clone(), MoveOrder { to, method });
        let reply = self
            .calls
            .run(&metadata, |context, patience| async move {
                commands::move_order(&context, id, wish, keyed, patience).await
            })
            .await
            .map_err(|error| refusals::of_command(error, &order_id))?;
        respond(reply, convert::moved)
    }
}
