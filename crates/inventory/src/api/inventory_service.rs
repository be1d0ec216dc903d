//! `oms.v1.InventoryService`.

use oms_messaging::Messaging;
use oms_proto::oms_v1::{self as wire, inventory_service_server::InventoryService};
use oms_service::{
    DEFAULT_DEADLINE, Database, Refusal, Tasks, answer_by,
    idempotency::{IdempotencyKey, KeyTurns, REPLAYED},
};
use prost::Message;
use tokio::time::Instant;
use tonic::{Request, Response, Status, async_trait};

use super::{convert, refuse, request};
use crate::{
    commands::{CommandError, Keyed, Reply},
    queries::{self, StockRow},
};

/// The service over one database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct InventoryApi {
    messaging: Messaging,
    database: Database,
    tasks: Tasks,
    key_turns: KeyTurns,
}

impl InventoryApi {
    /// Commands through `messaging`, queries on `database`; commands run in `tasks`, where a
    /// caller that goes away cannot stop them half-way.
    #[must_use]
    pub fn new(messaging: Messaging, database: Database, tasks: Tasks) -> Self {
        Self { messaging, database, tasks, key_turns: KeyTurns::default() }
    }

    /// Runs a command to its end, also when the caller goes away, once no other call with its key
    /// is under way.
    async fn run<F>(
        &self,
        keyed: Option<Keyed>,
        command: impl FnOnce(Messaging, Option<Keyed>) -> F + Send + 'static,
    ) -> Result<Reply, Refusal>
    where
        F: Future<Output = Result<Reply, CommandError>> + Send + 'static,
    {
        let (messaging, turns) = (self.messaging.clone(), self.key_turns.clone());
        let run = async move {
            let _turn = match &keyed {
                Some(keyed) => Some(keyed.turn(&turns).await?),
                None => None,
            };
            command(messaging, keyed).await
        };
        self.tasks.detach_from_caller(run).await.map_err(refuse::command)
    }
}

#[async_trait]
impl InventoryService for InventoryApi {
    async fn get_stock(
        &self,
        request: Request<wire::GetStockRequest>,
    ) -> Result<Response<wire::GetStockResponse>, Status> {
        let sku = request.into_inner().sku;
        request::sku(&sku)?;
        let found = queries::stock(&self.database.read, &sku).await.map_err(refuse::store)?;
        let row = found.ok_or_else(refuse::sku_not_found)?;
        Ok(Response::new(wire::GetStockResponse { stock: Some(convert::stock(row)) }))
    }

    async fn list_stock(
        &self,
        request: Request<wire::ListStockRequest>,
    ) -> Result<Response<wire::ListStockResponse>, Status> {
        let wanted = request::stock_page(request.get_ref())?;
        let (after, size) = (wanted.after.as_deref(), wanted.size);
        let page = queries::list_stock(&self.database.read, after, size).await;
        let page = page.map_err(refuse::store)?;
        let last = page.rows.last().filter(|_| page.more);
        let next_page_token = last.map(|row| request::stock_token(&row.sku)).unwrap_or_default();
        let stock = page.rows.into_iter().map(convert::stock).collect();
        Ok(Response::new(wire::ListStockResponse { stock, next_page_token }))
    }

    async fn receive_stock(
        &self,
        request: Request<wire::ReceiveStockRequest>,
    ) -> Result<Response<wire::ReceiveStockResponse>, Status> {
        let keyed = keyed(&request, "oms.v1.InventoryService/ReceiveStock");
        let (command, keyed) = Refusal::both(request::receive(request.into_inner()), keyed)?;
        let reply = self
            .run(keyed, |messaging, keyed| async move {
                command.run(&messaging, keyed.as_ref(), received).await
            })
            .await?;
        answer(reply, received)
    }

    async fn adjust_stock(
        &self,
        request: Request<wire::AdjustStockRequest>,
    ) -> Result<Response<wire::AdjustStockResponse>, Status> {
        let keyed = keyed(&request, "oms.v1.InventoryService/AdjustStock");
        let (command, keyed) = Refusal::both(request::adjust(request.into_inner()), keyed)?;
        let reply = self
            .run(keyed, |messaging, keyed| async move {
                command.run(&messaging, keyed.as_ref(), adjusted).await
            })
            .await?;
        answer(reply, adjusted)
    }

    async fn get_reservation(
        &self,
        request: Request<wire::GetReservationRequest>,
    ) -> Result<Response<wire::GetReservationResponse>, Status> {
        let order_id = request::order_id(&request.get_ref().order_id)?;
        let order_id = order_id.ok_or_else(refuse::order_not_found)?;
        let found = queries::reservation(&self.database.read, &order_id).await;
        let found = found.map_err(refuse::store)?.ok_or_else(refuse::order_not_found)?;
        let reservation = Some(convert::reservation(&found));
        Ok(Response::new(wire::GetReservationResponse { reservation }))
    }

    async fn list_movements(
        &self,
        request: Request<wire::ListMovementsRequest>,
    ) -> Result<Response<wire::ListMovementsResponse>, Status> {
        let wanted = request::movements_page(request.get_ref())?;
        let (sku, read) = (request.into_inner().sku, &self.database.read);
        let page = queries::list_movements(read, &sku, wanted.after, wanted.size).await;
        let page = page.map_err(refuse::store)?.ok_or_else(refuse::sku_not_found)?;
        let last = page.rows.last().filter(|_| page.more);
        let next_page_token =
            last.map(|row| request::movements_token(&sku, row.id)).unwrap_or_default();
        let movements = page.rows.into_iter().map(convert::movement).collect();
        Ok(Response::new(wire::ListMovementsResponse { movements, next_page_token }))
    }
}

fn keyed<M: Message>(request: &Request<M>, method: &'static str) -> Result<Option<Keyed>, Refusal> {
    let metadata = request.metadata();
    let until = answer_by(metadata).unwrap_or_else(|| Instant::now() + DEFAULT_DEADLINE);
    let key = IdempotencyKey::from_request(metadata, method, request.get_ref())?;
    Ok(key.map(|key| Keyed { key, until }))
}

fn received(row: &StockRow) -> Vec<u8> {
    wire::ReceiveStockResponse { stock: Some(convert::stock(row.clone())) }.encode_to_vec()
}

fn adjusted(row: &StockRow) -> Vec<u8> {
    wire::AdjustStockResponse { stock: Some(convert::stock(row.clone())) }.encode_to_vec()
}

/// The response, fresh or as it was given before.
fn answer<R: Message + Default>(
    reply: Reply,
    encode: fn(&StockRow) -> Vec<u8>,
) -> Result<Response<R>, Status> {
    let (bytes, replayed) = match reply {
        Reply::Changed(row) => (encode(&row), false),
        Reply::Replayed(bytes) => (bytes, true),
    };
    let message = R::decode(bytes.as_slice()).map_err(|error| {
        tracing::error!(%error, "a remembered answer does not decode");
        Refusal::internal()
    })?;
    let mut response = Response::new(message);
    if replayed {
        let yes = tonic::metadata::MetadataValue::from_static("true");
        response.metadata_mut().insert(REPLAYED, yes);
    }
    Ok(response)
}
