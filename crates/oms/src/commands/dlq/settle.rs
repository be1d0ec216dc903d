//! Redrive and discard: call after call until nothing is left, then one answer.

use clap::Args;
use oms_proto::oms_admin_v1::{
    DeadLetterFilter, DeadLetterOutcome, DeadLetterResult, DiscardDeadLettersRequest,
    DiscardDeadLettersResponse, RedriveDeadLettersRequest, RedriveDeadLettersResponse,
    dead_letter_service_client::DeadLetterServiceClient,
};
use tonic::transport::Channel;

use super::{filter::FilterFlags, named, page, walk::Walk};
use crate::cli::{AdminFlags, Exit, Failure, Session};

/// Letters named in one call; a service takes no more than 1,000.
const IDS_MAX: usize = 100;

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
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
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
            let message = if self.filter.names_service() {
                "--service alone means all of it: add --all"
            } else {
                "say which: a filter, or --all"
            };
            return Err(Failure::new(Exit::Usage, message)
                .next("`oms dlq redrive --dry-run` says what --all would do"));
        }
        let client = session.dead_letters(&self.at).await?;
        named::are_there(session, &client, &self.filter.wire()).await?;
        let mut walk = Walk::default();
        let call = async |page_token| {
            let request = RedriveDeadLettersRequest {
                filter: Some(self.filter.wire()),
                note: self.note.clone(),
                dry_run: self.dry_run,
                page_size: 0,
                page_token,
            };
            let ask = |request| {
                let mut client = client.clone();
                async move { client.redrive_dead_letters(request).await }
            };
            let page = session.ask(request, ask).await?;
            Ok((page.results, page.next_page_token))
        };
        let ended = walk.go(call).await;
        let Walk { results, token: next_page_token, .. } = walk;
        let answer = RedriveDeadLettersResponse { results, next_page_token };
        if ended.is_ok() || !answer.results.is_empty() {
            session.out.answer(&answer, |shown| {
                page::results(shown, &answer.results, self.dry_run);
            })?;
        }
        ended?;
        failed(&answer.results, self.dry_run)
    }
}

impl DiscardArguments {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let client = session.dead_letters(&self.at).await?;
        let mut would = Walk::default();
        self.walk(&mut would, session, &client, self.filter.wire(), true).await?;
        let found: Vec<i64> =
            would.results.iter().filter_map(|one| Some(one.dead_letter.as_ref()?.id)).collect();
        named::all(&self.filter.wire(), &found)?;
        if self.dry_run {
            return shown(session, would, true);
        }
        let letters = would.results.len();
        if letters > 1 && !self.yes {
            let message = format!("{letters} letters match, and a discard cannot be undone");
            return Err(Failure::new(Exit::Usage, message)
                .next("`oms dlq discard … --dry-run` lists them")
                .next("discard them with --yes"));
        }
        let mut done = Walk::default();
        let mut ended = Ok(());
        for filter in agreed(&would.results, &self.filter.wire()) {
            ended = self.walk(&mut done, session, &client, filter, false).await;
            if ended.is_err() {
                break;
            }
        }
        if ended.is_ok() || !done.results.is_empty() {
            shown(session, done, false)?;
        }
        ended
    }

    async fn walk(
        &self,
        walk: &mut Walk,
        session: &Session,
        client: &DeadLetterServiceClient<Channel>,
        filter: DeadLetterFilter,
        dry_run: bool,
    ) -> Result<(), Failure> {
        let call = async |page_token| {
            let request = DiscardDeadLettersRequest {
                filter: Some(filter.clone()),
                note: self.note.clone(),
                dry_run,
                page_size: 0,
                page_token,
            };
            let ask = |request| {
                let mut client = client.clone();
                async move { client.discard_dead_letters(request).await }
            };
            let page = session.ask(request, ask).await?;
            Ok((page.results, page.next_page_token))
        };
        walk.go(call).await
    }
}

/// The filters that select the letters which were counted, and none that came since.
fn agreed(counted: &[DeadLetterResult], filter: &DeadLetterFilter) -> Vec<DeadLetterFilter> {
    let letters: Vec<_> = counted.iter().filter_map(|one| one.dead_letter.as_ref()).collect();
    letters
        .chunk_by(|one, next| one.service == next.service)
        .flat_map(|of_service| of_service.chunks(IDS_MAX))
        .map(|some| DeadLetterFilter {
            service: some.first().map(|one| one.service.clone()).unwrap_or_default(),
            ids: some.iter().map(|one| one.id).collect(),
            ..filter.clone()
        })
        .collect()
}

fn shown(session: &Session, walk: Walk, dry_run: bool) -> Result<(), Failure> {
    let Walk { results, token: next_page_token, .. } = walk;
    let answer = DiscardDeadLettersResponse { results, next_page_token };
    session.out.answer(&answer, |shown| page::results(shown, &answer.results, dry_run))
}

/// A script is to see that something stays parked, or would.
fn failed(results: &[DeadLetterResult], dry_run: bool) -> Result<(), Failure> {
    let failed = results.iter().filter(|one| one.outcome() == DeadLetterOutcome::Failed);
    let (count, all) = (failed.count(), results.len());
    if count == 0 {
        return Ok(());
    }
    let message = match (dry_run, count) {
        (true, _) => format!("{count} of {all} would fail again and stay parked"),
        (false, 1) => format!("1 of {all} failed again and stays parked"),
        (false, _) => format!("{count} of {all} failed again and stay parked"),
    };
    Err(Failure::new(Exit::Refused, message)
        .next("mend the cause, then redrive again")
        .next("`oms dlq show SERVICE ID` has the whole letter"))
}

#[cfg(test)]
mod tests {
    use oms_proto::oms_admin_v1::DeadLetter;

    use super::*;

    #[test]
    fn only_letters_that_were_counted_are_discarded_each_at_its_service() {
        let counted = |service: &str, id| DeadLetterResult {
            dead_letter: Some(DeadLetter { service: service.into(), id, ..Default::default() }),
            ..Default::default()
        };
        let of_inventory = (1..=101).map(|id| counted("inventory", id));
        let all: Vec<_> = of_inventory.chain([counted("order", 7)]).collect();
        let filter = DeadLetterFilter { reason: "unclassified".into(), ..Default::default() };
        let named = |service: &str, ids: Vec<i64>| DeadLetterFilter {
            service: service.into(),
            ids,
            ..filter.clone()
        };
        let expected = [
            named("inventory", (1..=100).collect()),
            named("inventory", vec![101]),
            named("order", vec![7]),
        ];
        assert_eq!(agreed(&all, &filter), expected);
        assert!(agreed(&[], &filter).is_empty(), "nothing was counted, nothing is asked for");
    }
}
