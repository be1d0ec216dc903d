//! Lists: pages are fetched until there are enough rows.

use clap::Args;

use crate::cli::{Failure, Page};

/// Rows asked for at once.
const PAGE_ROWS: u32 = 1_000;

/// How much of a list is wanted.
#[derive(Args, Clone, Debug)]
pub(crate) struct ListFlags {
    /// Rows at most.
    #[arg(long, value_name = "ROWS", default_value_t = 50, help_heading = "List")]
    #[arg(allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    /// Go on after an earlier list: its `next_page_token`, with the same filters.
    #[arg(
        long,
        value_name = "TOKEN",
        default_value = "",
        hide_default_value = true,
        help_heading = "List"
    )]
    page_token: String,
}

impl ListFlags {
    /// Fetches pages by (size, token) until the limit or the end; gives the rows and the token
    /// of what follows.
    pub(crate) async fn collect<T>(
        &self,
        mut fetch: impl AsyncFnMut(i32, String) -> Result<(Vec<T>, String), Failure>,
    ) -> Result<(Vec<T>, String), Failure> {
        let limit = self.limit as usize;
        let (mut rows, mut token) = (Vec::new(), self.page_token.clone());
        loop {
            let wanted = (limit - rows.len()).min(PAGE_ROWS as usize);
            let size = i32::try_from(wanted).unwrap_or(i32::MAX);
            let (page, next) = fetch(size, token).await?;
            rows.extend(page);
            token = next;
            if token.is_empty() || rows.len() >= limit {
                return Ok((rows, token));
            }
        }
    }
}

/// The line below a list that goes on.
pub(super) fn more(page: &mut Page, token: &str) {
    if !token.is_empty() {
        page.line(format_args!("… and more: --limit ROWS, or --page-token {token}"));
    }
}
