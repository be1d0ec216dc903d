//! What an import came to, line by line and in sum.

use serde_json::{Value, json};

use crate::cli::{Column, Failure, Page, Session, Table, counted};

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    /// The goods are there now.
    Booked,
    /// They were there: the batch has booked them before, and nothing was booked on top.
    AlreadyBooked,
    /// Nothing was sent.
    WouldBeBooked,
}

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) sku: String,
    pub(super) qty: i64,
    pub(super) note: String,
    pub(super) became: Became,
    /// What is available now; not known of goods that were booked at another time.
    pub(super) available: Option<i64>,
}

/// Tells it to whoever asked.
pub(super) fn report(session: &Session, batch: &str, lines: &[Line]) -> Result<(), Failure> {
    if session.out.is_json() {
        return session.out.document(&document(batch, lines));
    }
    session.out.page(|page| show(page, batch, lines))
}

fn show(page: &mut Page, batch: &str, lines: &[Line]) {
    let dry_run = is_dry_run(lines);
    let mut table = Table::new([
        Column::text("SKU"),
        Column::number("QTY"),
        Column::whole(if dry_run { "WOULD BE" } else { "BECAME" }),
        Column::number("AVAILABLE").optional(2),
        Column::text("NOTE").optional(1),
    ]);
    for line in lines {
        let became = match line.became {
            Became::Booked | Became::WouldBeBooked => "booked",
            Became::AlreadyBooked => "already booked",
        };
        table.row([
            line.sku.clone(),
            line.qty.to_string(),
            became.to_owned(),
            line.available.map_or_else(String::new, |now| now.to_string()),
            line.note.clone(),
        ]);
    }
    page.table(&table);
    page.line(sentence(batch, lines));
    if !dry_run && lines.iter().any(|line| line.became == Became::AlreadyBooked) {
        page.line("next: to book the same goods in once more, name another --batch");
    }
}

fn sentence(batch: &str, lines: &[Line]) -> String {
    let sum = |became| {
        let (skus, units) = sum(lines, became);
        format!("{}, {}", counted(skus, "SKU"), counted(units, "unit"))
    };
    let (booked, before) = (sum(Became::Booked), sum(Became::AlreadyBooked));
    let has = |became| lines.iter().any(|line| line.became == became);
    match (has(Became::Booked), has(Became::AlreadyBooked)) {
        _ if is_dry_run(lines) => format!(
            "{} would be booked (dry run), unless batch {batch} has booked them before",
            sum(Became::WouldBeBooked)
        ),
        (_, false) => format!("{booked} booked"),
        (false, true) => format!("nothing new: batch {batch} has already booked {before}"),
        (true, true) => format!("{booked} booked; batch {batch} had already booked {before}"),
    }
}

fn document(batch: &str, lines: &[Line]) -> Value {
    let total = |became| {
        let (skus, units) = sum(lines, became);
        json!({ "skus": skus, "units": units.to_string() })
    };
    let line = |line: &Line| {
        let outcome = match line.became {
            Became::Booked => "booked",
            Became::AlreadyBooked => "already_booked",
            Became::WouldBeBooked => "would_be_booked",
        };
        json!({ "sku": line.sku, "qty": line.qty.to_string(), "outcome": outcome })
    };
    json!({
        "dry_run": is_dry_run(lines),
        "batch": batch,
        "booked": total(Became::Booked),
        "already_booked": total(Became::AlreadyBooked),
        "lines": lines.iter().map(line).collect::<Vec<_>>(),
    })
}

fn is_dry_run(lines: &[Line]) -> bool {
    lines.iter().any(|line| line.became == Became::WouldBeBooked)
}

/// SKUs and units of which this became. Many quantities of a bounded size fit no smaller number.
fn sum(lines: &[Line], became: Became) -> (u64, i128) {
    let so = lines.iter().filter(|line| line.became == became);
    so.fold((0, 0), |(skus, units), line| (skus + 1, units + i128::from(line.qty)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(sku: &str, qty: i64, became: Became) -> Line {
        Line { sku: sku.to_owned(), qty, note: String::new(), became, available: None }
    }

    #[test]
    fn what_was_there_before_is_told_apart_from_what_was_booked_now() {
        use Became::{AlreadyBooked, Booked, WouldBeBooked};
        let (new, old) = (line("a", 1, Booked), line("b", 7, AlreadyBooked));
        assert_eq!(sentence("d", std::slice::from_ref(&new)), "1 SKU, 1 unit booked");
        let nothing = "nothing new: batch d has already booked 1 SKU, 7 units";
        assert_eq!(sentence("d", std::slice::from_ref(&old)), nothing);
        let both = "1 SKU, 1 unit booked; batch d had already booked 1 SKU, 7 units";
        assert_eq!(sentence("d", &[new.clone(), old.clone()]), both);
        let dry = sentence("d", &[line("a", 2, WouldBeBooked)]);
        assert!(dry.starts_with("1 SKU, 2 units would be booked (dry run)"), "{dry}");

        let told = document("d", &[new, old]);
        assert_eq!(told["booked"], json!({ "skus": 1, "units": "1" }));
        assert_eq!(told["already_booked"], json!({ "skus": 1, "units": "7" }));
        assert_eq!(told["lines"][1]["outcome"], "already_booked");
        assert_eq!(told["dry_run"], false);
    }
}
