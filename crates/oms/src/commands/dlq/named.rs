//! Letters that were named by their numbers: each must be there, or nothing is done.

use oms_proto::oms_admin_v1::{
    DeadLetterFilter, ListDeadLettersRequest, dead_letter_service_client::DeadLetterServiceClient,
};
use tonic::transport::Channel;

use crate::cli::{Exit, Failure, Session};

/// Asks whether every letter that the filter names is there and passes it.
pub(super) async fn are_there(
    session: &Session,
    client: &DeadLetterServiceClient<Channel>,
    filter: &DeadLetterFilter,
) -> Result<(), Failure> {
    if filter.ids.is_empty() {
        return Ok(());
    }
    let ask = |request| {
        let mut client = client.clone();
        async move { client.list_dead_letters(request).await }
    };
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let page_size = i32::try_from(filter.ids.len()).unwrap_or(i32::MAX);
        let filter = Some(filter.clone());
        let request = ListDeadLettersRequest { filter, page_size, page_token };
        let page = session.ask(request, ask).await?;
        found.extend(page.dead_letters.iter().map(|letter| letter.id));
        page_token = page.next_page_token;
        if page_token.is_empty() || page.dead_letters.is_empty() {
            break;
        }
    }
    all(filter, &found)
}

/// Fails when the filter names a letter that was not found.
pub(super) fn all(filter: &DeadLetterFilter, found: &[i64]) -> Result<(), Failure> {
    let missing: Vec<String> =
        filter.ids.iter().filter(|id| !found.contains(id)).map(ToString::to_string).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let (service, missing) = (&filter.service, missing.join(", "));
    let message = format!("{service} has no dead letter {missing} that matches, or not any more");
    let reason = Some("DEAD_LETTER_NOT_FOUND".to_owned());
    Err(Failure { reason, ..Failure::new(Exit::NotFound, message) }
        .next("nothing was done; `oms dlq list` names every letter"))
}
