//! `oms.admin.v1.DeadLetterService`: saga rule 4 in an operator's hands.

use std::{sync::Arc, time::Duration};

use oms_messaging::{
    LetterFilter,
    consumer::letters::{Orders, Settlement},
};
use oms_proto::oms_admin_v1::{
    self as wire, dead_letter_service_server::DeadLetterService as Service,
};
use oms_service::{DEFAULT_DEADLINE, Refusal, deadline};
use tokio::time::{Instant, sleep_until};
use tonic::{Code, Request, Response, Status, metadata::MetadataMap};

use crate::{
    convert,
    desks::{Desk, Desks},
    request::{self, Page, Place, Selection},
};

/// Letters on a page that does not say.
const LISTED: usize = 50;
/// Letters in a call that does not say.
const SETTLED: usize = 100;
/// Longest time for one call, whatever its deadline; the token says where the next one goes on.
const CALL_MAX: Duration = Duration::from_secs(60);

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

/// What an operator wants, and how long the call may take.
#[derive(Clone, Debug)]
struct Wish {
    doing: Doing,
    note: String,
    dry_run: bool,
    /// From here on no further letter is taken in hand: what was done is to be told in time.
    ends: Instant,
}

impl Wish {
    fn new(doing: Doing, metadata: &MetadataMap, note: String, dry_run: bool) -> Self {
        // The last quarter is for the letter in hand and the way back.
        let time = deadline(metadata).unwrap_or(DEFAULT_DEADLINE).min(CALL_MAX) / 4 * 3;
        Self { doing, note, dry_run, ends: Instant::now() + time }
    }
}

type Results = (Vec<wire::DeadLetterResult>, String);

impl DeadLetterApi {
    pub(crate) fn new(desks: Arc<Desks>) -> Self {
        Self { desks }
    }

    /// The selected desks from the one in which the page begins, each with where it begins there.
    fn from(&self, selection: &Selection, page: &Page) -> Result<Vec<(Desk, Place)>, Refusal> {
        let desks = self.desks.of(&selection.service)?;
        let desks = desks.into_iter().filter(|desk| desk.name >= page.service.as_str());
        let begins = |desk: Desk| {
            let here = desk.name == page.service;
            let place = if here { page.place.clone() } else { Place::default() };
            (desk, place)
        };
        Ok(desks.map(begins).collect())
    }

    async fn settle(
        &self,
        wish: &Wish,
        selection: Selection,
        page: Page,
    ) -> Result<Results, Refusal> {
        let mut results = Vec::new();
        for (desk, place) in self.from(&selection, &page)? {
            let max = page.size - results.len();
            let late = !results.is_empty() && Instant::now() >= wish.ends;
            if max == 0 || late {
                return Ok((results, request::token(desk.name, &place)));
            }
            let settled = settle_at(&desk, wish, selection.which.clone(), place.clone(), max).await;
            let Settlement { settled, next, stream } = match settled {
                Ok(settled) => settled,
                Err(refusal) if results.is_empty() => return Err(refusal),
                // What is done is told; the next call meets the trouble again.
                Err(_) => return Ok((results, request::token(desk.name, &place))),
            };
            results.extend(settled.into_iter().map(|one| convert::result(desk.name, one)));
            if let Some(after) = next {
                return Ok((results, request::token(desk.name, &Place { after, stream })));
            }
        }
        Ok((results, String::new()))
    }
}

/// At one desk, on even if the caller goes away, since each letter is a transaction; but not beyond
/// the call's time, nor into the end of the service.
async fn settle_at(
    desk: &Desk,
    wish: &Wish,
    which: LetterFilter,
    Place { after, stream }: Place,
    max: usize,
) -> Result<Settlement, Refusal> {
    let stop = desk.intake.child_token();
    let letters = desk.letters.clone().until(stop.clone());
    let Wish { doing, note, dry_run, ends } = wish.clone();
    let orders = Orders { note, dry_run, after, max };
    let work = async move {
        let work = async {
            match doing {
                Doing::Redrive => letters.redrive_on(stream.as_deref(), &which, &orders).await,
                Doing::Discard => letters.discard(&which, &orders).await,
            }
        };
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = sleep_until(ends) => stop.cancel(),
        }
        work.await
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
        for (desk, Place { after, .. }) in self.from(&selection, &page)? {
            let room = page.size - dead_letters.len();
            let found = desk.letters.list(&selection.which, after, room as u64 + 1).await;
            let mut found = found.map_err(convert::store)?;
            let more = found.len() > room;
            found.truncate(room);
            let last = found.last().map_or(after, |letter| letter.id);
            dead_letters.extend(found.into_iter().map(|one| convert::letter(desk.name, one)));
            if more {
                let place = Place { after: last, stream: None };
                next_page_token = request::token(desk.name, &place);
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
        let (metadata, _, request) = request.into_parts();
        let page = request::page(request.page_size, &request.page_token, SETTLED)?;
        request::note(&request.note)?;
        let selection = request::selection(request.filter)?;
        let wish = Wish::new(Doing::Redrive, &metadata, request.note, request.dry_run);
        let (results, next_page_token) = self.settle(&wish, selection, page).await?;
        Ok(Response::new(wire::RedriveDeadLettersResponse { results, next_page_token }))
    }

    async fn discard_dead_letters(
        &self,
        request: Request<wire::DiscardDeadLettersRequest>,
    ) -> Result<Response<wire::DiscardDeadLettersResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let page = request::page(request.page_size, &request.page_token, SETTLED)?;
        request::note(&request.note)?;
        let selection = request::selection(request.filter)?;
        request::discard(&request.note, &selection)?;
        let wish = Wish::new(Doing::Discard, &metadata, request.note, request.dry_run);
        let (results, next_page_token) = self.settle(&wish, selection, page).await?;
        Ok(Response::new(wire::DiscardDeadLettersResponse { results, next_page_token }))
    }
}
