//! Redrive and discard: call after call until nothing is left, then one answer.

use clap::Args;
use oms_proto::oms_admin_v1::{
    DeadLetterOutcome, DeadLetterResult, DiscardDeadLettersRequest, DiscardDeadLettersResponse,
    RedriveDeadLettersRequest, RedriveDeadLettersResponse,
};

use super::{filter::FilterFlags, page};
use crate::cli::{AdminFlags, Exit, Failure, Session};

/// Calls at most; each takes what the service takes in one call.
const CALLS_MAX: usize = 10_000;

/// `oms dlq redrive`.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  oms dlq redrive --order \
                             0199aaaa-0000-7000-8000-000000000000 --dry-run\n  oms dlq redrive \
                             --all --note 'catalogue mended'")]
pub(crate) struct RedriveArguments {
    #[command(flatten)]
    filter: FilterFlags,
    /// All dead letters, where no filter is given.
    #[arg(long)]
    all: bool,
    /// Kept with what was done, and shown on the order's timeline.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Only say what would happen.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    at: AdminFlags,
}

/// `oms dlq discard`.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  oms dlq discard --service inventory --id 7 --note \
                             'settled by hand'\n  oms dlq discard --reason malformed_envelope \
                             --note 'a test record' --yes")]
pub(crate) struct DiscardArguments {
    #[command(flatten)]
    filter: FilterFlags,
    /// Why; kept with what was done, and shown on the order's timeline.
    #[arg(long, value_name = "TEXT")]
    note: String,
    /// Only say what would happen.
    #[arg(long)]
    dry_run: bool,
    /// Discard more than one letter.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    at: AdminFlags,
}

impl RedriveArguments {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        if self.filter.is_empty() && !self.all && !self.dry_run {
            let message = "say which: a filter, or --all";
            return Err(Failure::new(Exit::Usage, message)
                .next("`oms dlq redrive --dry-run` says what --all would do"));
        }
        let client = session.dead_letters(&self.at).await?;
        let mut answer = RedriveDeadLettersResponse::default();
        for _ in 0..CALLS_MAX {
            let request = RedriveDeadLettersRequest {
                filter: Some(self.filter.wire()),
                note: self.note.clone(),
                dry_run: self.dry_run,
                page_size: 0,
                page_token: answer.next_page_token.clone(),
            };
            let ask = |request| {
                let mut client = client.clone();
                async move { client.redrive_dead_letters(request).await }
            };
            let page = session.ask(request, ask).await?;
            answer.results.extend(page.results);
            answer.next_page_token = page.next_page_token;
            if answer.next_page_token.is_empty() {
                break;
            }
        }
        session.out.answer(&answer, |shown| {
            page::results(shown, &answer.results, self.dry_run);
        })?;
        failed(&answer.results, self.dry_run)
    }
}

impl DiscardArguments {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let would = self.all(session, true).await?;
        if self.dry_run {
            return shown(session, &would, true);
        }
        let letters = would.results.len();
        if letters > 1 && !self.yes {
            let message = format!("{letters} letters match, and a discard cannot be undone");
            return Err(Failure::new(Exit::Usage, message)
                .next("`oms dlq discard … --dry-run` lists them")
                .next("discard them with --yes"));
        }
        let done = self.all(session, false).await?;
        shown(session, &done, false)
    }

    async fn all(
        &self,
        session: &Session,
        dry_run: bool,
    ) -> Result<DiscardDeadLettersResponse, Failure> {
        let client = session.dead_letters(&self.at).await?;
        let mut answer = DiscardDeadLettersResponse::default();
        for _ in 0..CALLS_MAX {
            let request = DiscardDeadLettersRequest {
                filter: Some(self.filter.wire()),
                note: self.note.clone(),
                dry_run,
                page_size: 0,
                page_token: answer.next_page_token.clone(),
            };
            let ask = |request| {
                let mut client = client.clone();
                async move { client.discard_dead_letters(request).await }
            };
            let page = session.ask(request, ask).await?;
            answer.results.extend(page.results);
            answer.next_page_token = page.next_page_token;
            if answer.next_page_token.is_empty() {
                break;
            }
        }
        Ok(answer)
    }
}

fn shown(
    session: &Session,
    answer: &DiscardDeadLettersResponse,
    dry_run: bool,
) -> Result<(), Failure> {
    session.out.answer(answer, |shown| page::results(shown, &answer.results, dry_run))
}

/// A script is to see that something stays parked, or would.
fn failed(results: &[DeadLetterResult], dry_run: bool) -> Result<(), Failure> {
    let failed = results.iter().filter(|one| one.outcome() == DeadLetterOutcome::Failed);
    let (count, all) = (failed.count(), results.len());
    if count == 0 {
        return Ok(());
    }
    let message = if dry_run {
        format!("{count} of {all} would fail again and stay parked")
    } else {
        format!("{count} of {all} failed again and stay parked")
    };
    Err(Failure::new(Exit::Refused, message)
        .next("mend the cause, then redrive again")
        .next("`oms dlq show SERVICE ID` has the whole letter"))
}
