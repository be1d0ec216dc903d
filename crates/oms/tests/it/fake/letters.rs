//! `oms.admin.v1.DeadLetterService`: letters that fail again until they are mended.

use oms_proto::oms_admin_v1::{
    DeadLetter, DeadLetterFilter, DeadLetterOutcome, DeadLetterResult, DiscardDeadLettersRequest,
    DiscardDeadLettersResponse, GetDeadLetterRequest, GetDeadLetterResponse,
    ListDeadLettersRequest, ListDeadLettersResponse, RecordHeader, RedriveDeadLettersRequest,
    RedriveDeadLettersResponse, dead_letter_service_server::DeadLetterService,
};
use tonic::{Code, Request, Response, Status, async_trait};

use super::state::{Fake, State, refusal};

type Answer<T> = Result<Response<T>, Status>;

/// Letters in a call that does not say: few, so that one command needs several calls.
const SETTLED: usize = 2;

#[async_trait]
impl DeadLetterService for Fake {
    async fn list_dead_letters(
        &self,
        request: Request<ListDeadLettersRequest>,
    ) -> Answer<ListDeadLettersResponse> {
        self.begin("letters", &request)?;
        let ListDeadLettersRequest { filter, page_size, page_token } = request.into_inner();
        let size = usize::try_from(page_size).unwrap();
        let (dead_letters, next_page_token) = page(&self.lock(), filter, size, &page_token);
        Ok(Response::new(ListDeadLettersResponse { dead_letters, next_page_token }))
    }

    async fn get_dead_letter(
        &self,
        request: Request<GetDeadLetterRequest>,
    ) -> Answer<GetDeadLetterResponse> {
        self.begin("letter", &request)?;
        let asked = request.into_inner();
        let state = self.lock();
        let mut letters = state.letters.iter();
        let found = letters.find(|one| one.id == asked.id && one.service == asked.service);
        let letter = found.ok_or_else(|| refusal(Code::NotFound, "DEAD_LETTER_NOT_FOUND"))?;
        let of_order = state.letters.iter().filter(|one| one.order_id == letter.order_id);
        Ok(Response::new(GetDeadLetterResponse {
            dead_letter: Some(letter.clone()),
            payload: b"{ \"qty\": \"many\"\n}".to_vec(),
            key: letter.order_id.clone().into_bytes(),
            headers: vec![RecordHeader { name: "ce_source".into(), value: b"/order".to_vec() }],
            waiting_behind: of_order.count() as i64 - 1,
        }))
    }

    async fn redrive_dead_letters(
        &self,
        request: Request<RedriveDeadLettersRequest>,
    ) -> Answer<RedriveDeadLettersResponse> {
        self.begin("redrive", &request)?;
        let asked = request.into_inner();
        let mut state = self.lock();
        state.notes.push(asked.note);
        let (letters, next_page_token) = page(&state, asked.filter, SETTLED, &asked.page_token);
        let mended = state.mended;
        // What waits behind one that fails is not tried.
        let tried = letters.into_iter().filter(|one| mended || one.reason != "parked_behind");
        let outcome = if mended { DeadLetterOutcome::Redriven } else { DeadLetterOutcome::Failed };
        let results = settled(&mut state, tried.collect(), outcome, asked.dry_run);
        Ok(Response::new(RedriveDeadLettersResponse { results, next_page_token }))
    }

    async fn discard_dead_letters(
        &self,
        request: Request<DiscardDeadLettersRequest>,
    ) -> Answer<DiscardDeadLettersResponse> {
        self.begin("discard", &request)?;
        let asked = request.into_inner();
        let mut state = self.lock();
        state.notes.push(asked.note);
        let (letters, next_page_token) = page(&state, asked.filter, SETTLED, &asked.page_token);
        let outcome = DeadLetterOutcome::Discarded;
        let results = settled(&mut state, letters, outcome, asked.dry_run);
        Ok(Response::new(DiscardDeadLettersResponse { results, next_page_token }))
    }
}

/// A page of the letters that match, and the token of what follows.
fn page(
    state: &State,
    filter: Option<DeadLetterFilter>,
    size: usize,
    token: &str,
) -> (Vec<DeadLetter>, String) {
    let filter = filter.unwrap();
    let after: i64 = if token.is_empty() { 0 } else { token.parse().unwrap() };
    let is = |wanted: &str, has: &str| wanted.is_empty() || wanted == has;
    let matches = |one: &&DeadLetter| {
        one.id > after
            && is(&filter.service, &one.service)
            && is(&filter.order_id, &one.order_id)
            && is(&filter.event_type, &one.event_type)
            && is(&filter.reason, &one.reason)
            && (filter.ids.is_empty() || filter.ids.contains(&one.id))
    };
    let mut found: Vec<DeadLetter> = state.letters.iter().filter(matches).cloned().collect();
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|last| last.id.to_string());
    (found, next.unwrap_or_default())
}

fn settled(
    state: &mut State,
    letters: Vec<DeadLetter>,
    outcome: DeadLetterOutcome,
    dry_run: bool,
) -> Vec<DeadLetterResult> {
    let failed = outcome == DeadLetterOutcome::Failed;
    if !dry_run && !failed {
        state.letters.retain(|one| letters.iter().all(|settled| settled.id != one.id));
    }
    let why = |text: &str| if failed { text.to_owned() } else { String::new() };
    let result = |letter| DeadLetterResult {
        dead_letter: Some(letter),
        outcome: outcome.into(),
        failure_code: why("unclassified"),
        failure_message: why("the bug is still there"),
    };
    letters.into_iter().map(result).collect()
}
