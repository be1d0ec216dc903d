//! Requests, checked and read.

use chrono::{DateTime, Utc};
use oms_messaging::LetterFilter;
use oms_proto::oms_admin_v1 as wire;
use oms_service::{Refusal, Violation};
use prost_types::Timestamp;

/// Letters in one page, and in one call.
const PAGE_MAX: i32 = 1_000;
/// Numbers in one filter.
const IDS_MAX: usize = 1_000;
/// Longest note, in bytes.
const NOTE_BYTES_MAX: usize = 500;
/// Longest text of a filter, in bytes.
const TEXT_BYTES_MAX: usize = 256;

/// Which letters of which services.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// A service, or empty for all.
    pub(crate) service: String,
    /// Which of its letters.
    pub(crate) which: LetterFilter,
}

/// A page: how much, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) size: usize,
    /// The service in which it begins; empty at the beginning.
    pub(crate) service: String,
    /// Where it begins there.
    pub(crate) place: Place,
}

/// Where to go on in a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Behind this letter.
    pub(crate) after: i64,
    /// First with what is left of this stream.
    pub(crate) stream: Option<String>,
}

/// Reads a filter; what is wrong with it is told all at once.
pub(crate) fn selection(filter: Option<wire::DeadLetterFilter>) -> Result<Selection, Refusal> {
    let filter = filter.unwrap_or_default();
    let mut wrong = Vec::new();
    for (name, text) in [
        ("service", &filter.service),
        ("order_id", &filter.order_id),
        ("event_type", &filter.event_type),
        ("reason", &filter.reason),
    ] {
        if text.len() > TEXT_BYTES_MAX {
            let message = format!("{name} has more than {TEXT_BYTES_MAX} bytes");
            wrong.push(Violation::new(format!("filter.{name}"), message));
        } else if text.contains('\0') {
            // PostgreSQL cannot compare with it.
            let message = format!("{name} must not contain NUL");
            wrong.push(Violation::new(format!("filter.{name}"), message));
        }
    }
    if filter.ids.len() > IDS_MAX {
        let message = format!("more than {IDS_MAX} ids");
        wrong.push(Violation::new("filter.ids", message));
    }
    if !filter.ids.is_empty() && filter.service.is_empty() {
        let message = "service is required with ids: they count per service";
        wrong.push(Violation::new("filter.service", message));
    }
    let mut instant = |name: &str, at: Option<Timestamp>| {
        let at = at?;
        let read = read_instant(&at);
        if read.is_none() {
            wrong.push(Violation::new(format!("filter.{name}"), format!("{name} is no instant")));
        }
        read
    };
    let parked_from = instant("parked_from", filter.parked_from);
    let parked_before = instant("parked_before", filter.parked_before);
    if !wrong.is_empty() {
        return Err(Refusal::invalid(wrong));
    }
    let some = |text: String| (!text.is_empty()).then_some(text);
    let which = LetterFilter {
        ids: filter.ids,
        stream: some(filter.order_id),
        event_type: some(filter.event_type),
        reason: some(filter.reason),
        parked_from,
        parked_before,
    };
    Ok(Selection { service: filter.service, which })
}

/// Reads a page; `unsaid` is its size where the request says 0.
pub(crate) fn page(size: i32, token: &str, unsaid: usize) -> Result<Page, Refusal> {
    let size = match size {
        0 => unsaid,
        1..=PAGE_MAX => usize::try_from(size).unwrap_or(unsaid),
        _ => {
            let message = format!("page_size must be 0 to {PAGE_MAX}");
            return Err(Refusal::invalid_field("page_size", message));
        }
    };
    if token.is_empty() {
        return Ok(Page { size, service: String::new(), place: Place::default() });
    }
    let read = token.split_once(':').and_then(|(service, place)| {
        let plain = !service.is_empty() && service.chars().all(|c| c.is_ascii_lowercase());
        // A stream is any text, colons and all.
        let (after, stream) = match place.split_once(':') {
            Some((after, stream)) => (after, Some(stream.to_owned())),
            None => (place, None),
        };
        let after = after.parse().ok().filter(|after: &i64| *after >= 0)?;
        let place = Place { after, stream };
        plain.then(|| Page { size, service: service.to_owned(), place })
    });
    read.ok_or_else(|| {
        let message = "page_token is not one that a page gave";
        Refusal::invalid_field("page_token", message)
    })
}

/// The token of a page that begins in a service.
pub(crate) fn token(service: &str, place: &Place) -> String {
    let after = place.after;
    match &place.stream {
        Some(stream) => format!("{service}:{after}:{stream}"),
        None => format!("{service}:{after}"),
    }
}

/// Checks a note.
pub(crate) fn note(note: &str) -> Result<(), Refusal> {
    if note.len() > NOTE_BYTES_MAX || note.chars().any(char::is_control) {
        let message = format!("note must be one line of at most {NOTE_BYTES_MAX} bytes");
        return Err(Refusal::invalid_field("note", message));
    }
    Ok(())
}

/// What a discard needs besides: it cannot be undone.
pub(crate) fn discard(note: &str, selection: &Selection) -> Result<(), Refusal> {
    let mut wrong = Vec::new();
    if note.trim().is_empty() {
        wrong.push(Violation::new("note", "note is required: say why nobody needs the event"));
    }
    if selection.which.is_empty() {
        let message = "filter must name ids, order_id, event_type, reason or when it was parked";
        wrong.push(Violation::new("filter", message));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::invalid(wrong)) }
}

fn read_instant(at: &Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(refusal: Refusal) -> Vec<String> {
        refusal.violations.into_iter().map(|wrong| wrong.field).collect()
    }

    #[test]
    fn a_token_comes_back_as_it_was_given_and_others_are_refused() {
        for stream in [None, Some("0199aaaa-0000-7000-8000-000000000000"), Some("a:1:b"), Some("")]
        {
            let place = Place { after: 7, stream: stream.map(str::to_owned) };
            let begins = page(0, &token("payment", &place), 50);
            let begins = begins.map(|page| (page.service, page.place));
            assert_eq!(begins, Ok(("payment".to_owned(), place)));
        }
        let bad =
            ["payment", ":1", "pay ment:1", "payment:-1", "payment:x", "payment:", "payment::o"];
        for bad in bad {
            assert_eq!(page(0, bad, 50).map_err(violations), Err(vec!["page_token".to_owned()]));
        }
    }

    #[test]
    fn pages_have_bounds() {
        assert_eq!(page(0, "", 50).map(|page| page.size), Ok(50));
        assert_eq!(page(1_000, "", 50).map(|page| page.size), Ok(1_000));
        for bad in [-1, 1_001] {
            assert_eq!(page(bad, "", 50).map_err(violations), Err(vec!["page_size".to_owned()]));
        }
    }

    #[test]
    fn all_that_is_wrong_with_a_filter_is_told_at_once() {
        let filter = wire::DeadLetterFilter {
            ids: vec![1; IDS_MAX + 1],
            reason: "x".repeat(TEXT_BYTES_MAX + 1),
            parked_from: Some(Timestamp { seconds: i64::MAX, nanos: 0 }),
            ..Default::default()
        };
        let wrong = selection(Some(filter)).map(|_| ()).map_err(violations);
        let fields = ["filter.reason", "filter.ids", "filter.service", "filter.parked_from"];
        assert_eq!(wrong, Err(fields.map(str::to_owned).to_vec()));
    }

    #[test]
    fn no_text_of_a_filter_may_contain_nul() {
        let nul = || "a\0b".to_owned();
        let filter = wire::DeadLetterFilter {
            service: nul(),
            order_id: nul(),
            event_type: nul(),
            reason: nul(),
            ..Default::default()
        };
        let wrong = selection(Some(filter)).map(|_| ()).map_err(violations);
        let fields = ["filter.service", "filter.order_id", "filter.event_type", "filter.reason"];
        assert_eq!(wrong, Err(fields.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_discard_says_why_and_what() {
        let all = selection(None).unwrap_or_else(|_| unreachable!("an empty filter is right"));
        let wrong = discard(" ", &all).map_err(violations);
        assert_eq!(wrong, Err(vec!["note".to_owned(), "filter".to_owned()]));
        assert!(note(&"x".repeat(NOTE_BYTES_MAX + 1)).is_err());
    }
}
