//! The explanation as people read it.

use super::{cause::Cause, gather::Gathered, road};
use crate::cli::{Column, Page, Table, instant};

/// Where it stands, what is owed, why it does not come, and the road so far.
pub(super) fn show(page: &mut Page, order: &str, gathered: &Gathered, causes: &[Cause]) {
    page.facts(&[("order", order.to_owned())]);
    page.line("");
    page.table(&standings(gathered));
    let owed = owed(gathered);
    if let Some(owed) = owed {
        page.line("");
        page.table(&owed);
    }
    let hops = road::road(gathered);
    if !hops.is_empty() {
        page.line("");
        page.table(&road::table(&hops));
    }
    page.line("");
    if causes.is_empty() {
        page.line("nothing is owed, and nothing waits");
    }
    for cause in causes {
        page.line(format_args!("cause: {}", cause.what));
        page.line(format_args!("  next: {}", cause.next));
    }
}

fn standings(gathered: &Gathered) -> Table {
    let mut table =
        Table::new([Column::whole("SERVICE"), Column::text("STANDS"), Column::text("TROUBLE")]);
    for account in gathered.accounts() {
        let unknown = || "has not heard of it".to_owned();
        let stands = if account.standing.is_empty() { unknown() } else { account.standing.clone() };
        let troubles: Vec<String> = account
            .troubles
            .iter()
            .map(|trouble| format!("{}: {}", trouble.component, trouble.message))
            .collect();
        table.row([account.service.clone(), stands, troubles.join("; ")]);
    }
    for service in gathered.missing() {
        table.row([service.to_owned(), "does not answer".to_owned(), String::new()]);
    }
    table
}

fn owed(gathered: &Gathered) -> Option<Table> {
    let mut table = Table::new([
        Column::whole("WAITS"),
        Column::text("FOR"),
        Column::whole("FROM"),
        Column::whole("SINCE").optional(2),
        Column::whole("UNTIL").optional(1),
    ]);
    let mut any = false;
    for account in gathered.accounts() {
        for owed in &account.owed {
            any = true;
            table.row([
                account.service.clone(),
                owed.word.clone(),
                owed.by.clone(),
                instant(owed.since.as_ref()),
                instant(owed.deadline.as_ref()),
            ]);
        }
    }
    any.then_some(table)
}
