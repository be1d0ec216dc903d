//! What the load tells at its end.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::{recorder::Figures, verify::Verdict};
use crate::cli::{Column, Exit, Failure, Page, Table, counted, money, one_line};

/// Disagreements and errors shown to people; `--json` has them all.
const LINES_MAX: usize = 20;
const UNFINISHED: &str = "money and stock could not be verified";
const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

/// Everything there is to tell.
pub(super) struct Report {
    pub(super) figures: Figures,
    pub(super) verdict: Verdict,
    pub(super) took: Duration,
    /// Ended early, by Ctrl-C.
    pub(super) interrupted: bool,
}

impl Report {
    /// Orders begun, and those that became what they should.
    fn orders(&self) -> (u64, u64) {
        let all = self.figures.orders.values();
        all.fold((0, 0), |(begun, well), (more, good)| (begun + more, well + good))
    }

    /// Whether all went as it should, money and stock included.
    pub(super) fn is_well(&self) -> bool {
        let (begun, well) = self.orders();
        begun == well && self.figures.dropped == 0 && self.verdict.is_well()
    }

    /// What is not well, with the exit code of the gravest.
    pub(super) fn complaint(&self) -> Failure {
        if let Some(failure) = self.verdict.unfinished.clone() {
            let message = format!("{UNFINISHED}: {}", failure.message);
            return Failure { message, ..failure };
        }
        Failure::new(Exit::Refused, self.unwell())
    }

    fn unwell(&self) -> String {
        let (begun, well) = self.orders();
        match (self.verdict.wrong.len(), begun - well) {
            (0, 0) => {
                format!("dropped {}: too many under way", counted(self.figures.dropped, "order"))
            }
            (0, others) => {
                format!("{others} of {} did not become what they should", counted(begun, "order"))
            }
            (wrong, _) => {
                let wrong = counted(wrong, "disagreement");
                format!("money and stock do not agree: {wrong}")
            }
        }
    }

    /// For people.
    pub(super) fn page(&self, page: &mut Page) {
        let (begun, _) = self.orders();
        let per_second = begun as f64 / self.took.as_secs_f64().max(0.001);
        let early = if self.interrupted { ", ended early" } else { "" };
        let took = self.took.as_secs_f64();
        let orders = counted(begun, "order");
        page.line(format_args!("{orders} in {took:.1} s, {per_second:.1} per second{early}"));
        page.line("");
        page.table(&self.latencies());
        page.line("");
        page.table(&self.kinds());
        if self.figures.delayed + self.figures.dropped > 0 {
            let (delayed, dropped) = (self.figures.delayed, self.figures.dropped);
            page.line(format_args!("\nbegan late: {delayed}, dropped: {dropped} (--outstanding)"));
        }
        let errors = self.figures.errors.iter();
        some(page, "errors", errors.map(|(what, count)| format!("{count} × {}", one_line(what))));
        let title = match self.verdict.unfinished {
            Some(_) => "not known or not as it should",
            None => "money and stock do not agree",
        };
        some(page, title, self.verdict.wrong.iter().map(|line| one_line(line)));
        page.line("");
        let verdict = &self.verdict;
        if let Some(failure) = &verdict.unfinished {
            page.line(format_args!("{UNFINISHED}: {}", one_line(&failure.message)));
        } else if verdict.is_well() {
            page.line("money and stock agree");
        }
        let (taken, back) = (money(verdict.captured, "USD"), money(verdict.refunded, "USD"));
        let (orders, units) = (counted(verdict.orders, "order"), counted(verdict.units, "unit"));
        page.line(format_args!("{orders}: {taken} taken, {back} given back, {units} sold"));
    }

    /// For programs.
    pub(super) fn document(&self) -> Value {
        let (begun, well) = self.orders();
        let latencies: serde_json::Map<String, Value> = self
            .figures
            .latencies
            .iter()
            .map(|(what, times)| (what.name().to_owned(), quantiles(times)))
            .collect();
        let kinds: serde_json::Map<String, Value> = self
            .figures
            .orders
            .iter()
            .map(|(kind, (begun, well))| {
                (kind.name().to_owned(), json!({ "begun": begun, "as_they_should": well }))
            })
            .collect();
        json!({
            "seconds": self.took.as_secs_f64(),
            "interrupted": self.interrupted,
            "orders": { "begun": begun, "as_they_should": well,
                "delayed": self.figures.delayed, "dropped": self.figures.dropped },
            "kinds": kinds,
            "latencies_ms": latencies,
            "errors": self.figures.errors,
            "money_and_stock_agree":
                self.verdict.unfinished.is_none().then(|| self.verdict.is_well()),
            "not_verified": self.verdict.unfinished.as_ref().map(|failure| &failure.message),
            "disagreements": self.verdict.wrong,
            "captured_minor": self.verdict.captured.to_string(),
            "refunded_minor": self.verdict.refunded.to_string(),
            "units": self.verdict.units.to_string(),
        })
    }

    fn latencies(&self) -> Table {
        let mut table = Table::new([
            Column::text("MILLISECONDS"),
            Column::number("COUNT").optional(2),
            Column::number("P50"),
            Column::number("P90").optional(1),
            Column::number("P99"),
            Column::number("P99.9").optional(3),
            Column::number("MAX"),
        ]);
        for (what, times) in &self.figures.latencies {
            let at = |quantile| format!("{:.1}", millis(times.value_at_quantile(quantile)));
            let [p50, p90, p99, p999] = QUANTILES.map(|(_, quantile)| at(quantile));
            let most = format!("{:.1}", millis(times.max()));
            let name = what.name().to_owned();
            table.row([name, times.len().to_string(), p50, p90, p99, p999, most]);
        }
        table
    }

    fn kinds(&self) -> Table {
        let mut table = Table::new([
            Column::whole("KIND"),
            Column::number("BEGUN"),
            Column::number("AS THEY SHOULD"),
        ]);
        for (kind, (begun, well)) in &self.figures.orders {
            table.row([kind.name().to_owned(), begun.to_string(), well.to_string()]);
        }
        table
    }
}

/// A headed list of at most so many lines; nothing when it is empty.
fn some(page: &mut Page, title: &str, lines: impl ExactSizeIterator<Item = String>) {
    let all = lines.len();
    if all == 0 {
        return;
    }
    page.line(format_args!("\n{title}:"));
    lines.take(LINES_MAX).for_each(|line| page.line(format_args!("  {line}")));
    if let Some(further @ 1..) = all.checked_sub(LINES_MAX) {
        page.line(format_args!("  … and {further} more: --json"));
    }
}

fn quantiles(times: &Histogram<u64>) -> Value {
    let mut value = json!({ "count": times.len(), "max": millis(times.max()) });
    for (name, quantile) in QUANTILES {
        value[name] = millis(times.value_at_quantile(quantile)).into();
    }
    value
}

/// Figures for people: a double is exact enough.
#[allow(clippy::cast_precision_loss)]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}
