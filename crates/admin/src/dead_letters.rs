//! `oms.admin.v1.DeadLetterService`: saga rule 4 in an operator's hands.

use std::sync::Arc;

use oms_messaging::{
    LetterFilter,
    consumer::letters::{Orders, Settlement},
};
use oms_proto::oms_admin_v1::{
    self as wire, dead_letter_service_server::DeadLetterService as Service,
};
use oms_service::Refusal;
use tonic::{Code, Request, Response, Status};

use crate::{
    convert,
    desks::{Desk, Desks},
    request::{self, Page, Selection},
};

/// Letters on a page that does not say.
const LISTED: usize = 50;
/// Letters in a call that does not say.
const SETTLED: usize = 100;

/// The API over the desks of a process.
#[derive(Debug)]
pub(crate) struct DeadLetterApi {
    desks: Arc<Desks>,
}

/// What is done about letters.
#[derive(Clone, Copy, Debug)]
enum Doing {
    Redrive,
    Discard,
}

type Results = (Vec<wire::DeadLetterResult>, String);

impl DeadLetterApi {
    pub(crate) fn new(desks: Arc<Desks>) -> Self {
        Self { desks }
    }

    /// The selected desks from the one in which the page begins, each with where it begins there.
    fn from(&self, selection: &Selection, page: &Page) -> Result<Vec<(Desk, i64)>, Refusal> {
        let desks = self.desks.of(&selection.service)?;
        let desks = desks.into_iter().filter(|desk| desk.name >= page.service.as_str());
        let begins = |desk: Desk| {
            let after = if desk.name == page.service { page.after } else { 0 };
            (desk, after)
        };
        Ok(desks.map(begins).collect())
    }

    async fn settle(
        &self,
        doing: Doing,
        selection: Selection,
        page: Page,
        (note, dry_run): (String, bool),
    ) -> Result<Results, Refusal> {
        let mut results = Vec::new();
        for (desk, after) in self.from(&selection, &page)? {
            let max = page.size - results.len();
            if max == 0 {
                return Ok((results, request::token(desk.name, after)));
            }
            let orders = Orders { note: note.clone(), dry_run, after, max };
            let settled = settle_at(&desk, doing, selection.which.clone(), orders).await;
            let Settlement { settled, next } = match settled {
                Ok(settled) => settled,
                Err(refusal) if results.is_empty() => return Err(refusal),
                // What is done is told; the next call meets the trouble again.
                Err(_) => return Ok((results, request::token(desk.name, after))),
            };
            results.extend(settled.into_iter().map(|one| convert::result(desk.name, one)));
            if let Some(next) = next {
                return Ok((results, request::token(desk.name, next)));
            }
        }
        Ok((results, String::new()))
    }
}

/// At one desk, to the end even if the caller goes away: each letter is a transaction.
async fn settle_at(
    desk: &Desk,
    doing: Doing,
    which: LetterFilter,
    orders: Orders,
) -> Result<Settlement, Refusal> {
    let letters = desk.letters.clone();
    let work = async move {
        match doing {
            Doing::Redrive => letters.redrive(&which, &orders).await,
            Doing::Discard => letters.discard(&which, &orders).await,
        }
    };
    desk.tasks.detach_from_caller(work).await.map_err(convert::store)
}

#[tonic::async_trait]
impl Service for DeadLetterApi {
    async fn list_dead_letters(
        &self,
        request: Request<wire::ListDeadLettersRequest>,
    ) -> Result<Response<wire::ListDeadLettersResponse>, Status> {
        let request = request.into_inner();
        let page = request::page(request.page_size, &request.page_token, LISTED)?;
        let selection = request::selection(request.filter)?;
        let mut dead_letters = Vec::new();
        let mut next_page_token = String::new();
        for (desk, after) in self.from(&selection, &page)? {
            let room = page.size - dead_letters.len();
            let found = desk.letters.list(&selection.which, after, room as u64 + 1).await;
            let mut found = found.map_err(convert::store)?;
            let more = found.len() > room;
            found.truncate(room);
            let last = found.last().map_or(after, |letter| letter.id);
            dead_letters.extend(found.into_iter().map(|one| convert::letter(desk.name, one)));
            if more {
                next_page_token = request::token(desk.name, last);
                break;
            }
        }
        Ok(Response::new(wire::ListDeadLettersResponse { dead_letters, next_page_token }))
    }

    async fn get_dead_letter(
        &self,
        request: Request<wire::GetDeadLetterRequest>,
    ) -> Result<Response<wire::GetDeadLetterResponse>, Status> {
        let wire::GetDeadLetterRequest { service, id } = request.into_inner();
        let desk = self.desks.one(&service)?;
        let found = desk.letters.whole(id).await.map_err(convert::store)?;
        let found = found.ok_or_else(|| {
            let message = format!("{} has no dead letter {id}, or not any more", desk.name);
            Refusal::new(Code::NotFound, "DEAD_LETTER_NOT_FOUND", message)
        })?;
        Ok(Response::new(convert::whole(desk.name, found)))
    }

    async fn redrive_dead_letters(
        &self,
        request: Request<wire::RedriveDeadLettersRequest>,
    ) -> Result<Response<wire::RedriveDeadLettersResponse>, Status> {
        let request = request.into_inner();
        let page = request::page(request.page_size, &request.page_token, SETTLED)?;
        request::note(&request.note)?;
        let selection = request::selection(request.filter)?;
        let how = (request.note, request.dry_run);
        let (results, next_page_token) = self.settle(Doing::Redrive, selection, page, how).await?;
        Ok(Response::new(wire::RedriveDeadLettersResponse { results, next_page_token }))
    }

    async fn discard_dead_letters(
        &self,
        request: Request<wire::DiscardDeadLettersRequest>,
    ) -> Result<Response<wire::DiscardDeadLettersResponse>, Status> {
        let request = request.into_inner();
        let page = request::page(request.page_size, &request.page_token, SETTLED)?;
        request::note(&request.note)?;
        let selection = request::selection(request.filter)?;
        request::discard(&request.note, &selection)?;
        let how = (request.note, request.dry_run);
        let (results, next_page_token) = self.settle(Doing::Discard, selection, page, how).await?;
        Ok(Response::new(wire::DiscardDeadLettersResponse { results, next_page_token }))
    }
}
