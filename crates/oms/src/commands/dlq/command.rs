//! The commands.

use clap::Subcommand;
use oms_proto::oms_admin_v1::{
    GetDeadLetterRequest, ListDeadLettersRequest, ListDeadLettersResponse,
};

use super::{
    filter::FilterFlags,
    page,
    settle::{DiscardArguments, RedriveArguments},
};
use crate::{
    cli::{AdminFlags, Failure, Session},
    commands::paging::{ListFlags, more},
};

/// Commands about dead letters.
#[derive(Subcommand)]
pub(crate) enum DlqCommand {
    /// List dead letters and what waits behind them, in the order of arrival.
    #[command(after_long_help = "Examples:\n  oms dlq list\n  oms dlq list --order \
                                 0199aaaa-0000-7000-8000-000000000000 --json")]
    List {
        #[command(flatten)]
        filter: FilterFlags,
        #[command(flatten)]
        list: ListFlags,
        #[command(flatten)]
        at: AdminFlags,
    },
    /// Show one letter whole: why it is parked, headers, payload.
    #[command(after_long_help = "Example:\n  oms dlq show inventory 7")]
    Show {
        /// The service: order, inventory or payment.
        service: String,
        /// The letter's number in the service.
        id: i64,
        #[command(flatten)]
        at: AdminFlags,
    },
    /// Apply parked events again: each selected order's, from the first to the last.
    Redrive(RedriveArguments),
    /// Give letters up for ever; their orders may then wait for ever.
    Discard(DiscardArguments),
}

impl DlqCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List { filter, list, at } => listing(session, &filter, &list, &at).await,
            Self::Show { service, id, at } => show(session, service, id, &at).await,
            Self::Redrive(redrive) => redrive.run(session).await,
            Self::Discard(discard) => discard.run(session).await,
        }
    }
}

async fn listing(
    session: &Session,
    filter: &FilterFlags,
    list: &ListFlags,
    at: &AdminFlags,
) -> Result<(), Failure> {
    let client = session.dead_letters(at).await?;
    let fetch = async |page_size, page_token| {
        let ask = |request| {
            let mut client = client.clone();
            async move { client.list_dead_letters(request).await }
        };
        let filter = Some(filter.wire());
        let request = ListDeadLettersRequest { filter, page_size, page_token };
        let page: ListDeadLettersResponse = session.ask(request, ask).await?;
        Ok((page.dead_letters, page.next_page_token))
    };
    let (dead_letters, next_page_token) = list.collect(fetch).await?;
    let answer = ListDeadLettersResponse { dead_letters, next_page_token };
    session.out.answer(&answer, |shown| {
        if answer.dead_letters.is_empty() {
            shown.line("no dead letter matches");
            return;
        }
        shown.table(&page::list(&answer.dead_letters));
        more(shown, &answer.next_page_token);
        shown.line("next: mend the cause, then `oms dlq redrive --dry-run`");
    })
}

async fn show(session: &Session, service: String, id: i64, at: &AdminFlags) -> Result<(), Failure> {
    let client = session.dead_letters(at).await?;
    let ask = |request| {
        let mut client = client.clone();
        async move { client.get_dead_letter(request).await }
    };
    let asked = session.ask(GetDeadLetterRequest { service, id }, ask).await;
    let answer = asked.map_err(|failure| match failure.reason.as_deref() {
        Some("DEAD_LETTER_NOT_FOUND") => failure.next("`oms dlq list` names every letter"),
        _ => failure,
    })?;
    session.out.answer(&answer, |shown| page::show(shown, &answer))
}
