//! Letters as people read them.

use oms_proto::oms_admin_v1::{
    DeadLetter, DeadLetterOutcome, DeadLetterResult, GetDeadLetterResponse,
};

use crate::cli::{Column, Page, Table, enum_name, instant, one_line};

/// Many letters.
pub(super) fn list(letters: &[DeadLetter]) -> Table {
    let mut table = Table::new([
        Column::whole("SERVICE"),
        Column::number("ID"),
        Column::whole("ORDER"),
        Column::text("TYPE"),
        Column::whole("REASON"),
        Column::text("MESSAGE").optional(2),
        Column::whole("PARKED").optional(1),
    ]);
    for letter in letters {
        table.row([
            letter.service.clone(),
            letter.id.to_string(),
            letter.order_id.clone(),
            letter.event_type.clone(),
            letter.reason.clone(),
            letter.message.clone(),
            instant(letter.parked_at.as_ref()),
        ]);
    }
    table
}

/// One letter.
pub(super) fn show(page: &mut Page, answer: &GetDeadLetterResponse) {
    let letter = answer.dead_letter.clone().unwrap_or_default();
    page.facts(&[
        ("service", letter.service),
        ("id", letter.id.to_string()),
        ("order", letter.order_id),
        ("type", letter.event_type),
        ("event", letter.event_id),
        ("from", format!("{}/{} offset {}", letter.topic, letter.partition, letter.offset)),
        ("parked", instant(letter.parked_at.as_ref())),
        ("reason", letter.reason),
        ("message", letter.message),
        ("behind it", answer.waiting_behind.to_string()),
        ("key", text(&answer.key)),
    ]);
    for header in &answer.headers {
        page.line(format_args!("header {}: {}", one_line(&header.name), text(&header.value)));
    }
    page.line("");
    page.line(text(&answer.payload));
}

/// What became of letters, or would.
pub(super) fn results(page: &mut Page, results: &[DeadLetterResult], dry_run: bool) {
    if results.is_empty() {
        page.line("no dead letter matches");
        return;
    }
    let mut table = Table::new([
        Column::whole(if dry_run { "WOULD BE" } else { "BECAME" }),
        Column::whole("SERVICE"),
        Column::number("ID"),
        Column::whole("ORDER"),
        Column::text("TYPE"),
        Column::text("WHY").optional(1),
    ]);
    for result in results {
        let letter = result.dead_letter.clone().unwrap_or_default();
        let prefix = "DEAD_LETTER_OUTCOME_";
        let why = format!("{} {}", result.failure_code, result.failure_message);
        table.row([
            enum_name(result.outcome, DeadLetterOutcome::as_str_name, prefix),
            letter.service,
            letter.id.to_string(),
            letter.order_id,
            letter.event_type,
            why.trim().to_owned(),
        ]);
    }
    page.table(&table);
}

/// Bytes as text on one line; what is no text is shown as such.
fn text(bytes: &[u8]) -> String {
    one_line(&String::from_utf8_lossy(bytes))
}
