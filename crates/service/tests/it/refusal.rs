//! Refusals on the wire.

use std::time::Duration;

use oms_service::{Refusal, VIOLATIONS_BYTES_MAX, Violation};
use tonic::{Code, Status};
use tonic_types::StatusExt;

fn violations(count: usize, words: &str) -> Vec<Violation> {
    let one = |n| Violation::new(format!("items[{n}].sku"), format!("item[{n}].sku {words}"));
    (0..count).map(one).collect()
}

fn shown(refusal: Refusal) -> Vec<(String, String)> {
    let found = Status::from(refusal).get_error_details().bad_request().unwrap().clone();
    found.field_violations.into_iter().map(|one| (one.field, one.description)).collect()
}

#[test]
fn a_refusal_carries_message_reason_and_domain() {
    let refusal =
        Refusal::new(Code::FailedPrecondition, "ORDER_NOT_PENDING", "order status must be pending");
    let status = Status::from(refusal);
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(status.message(), "order status must be pending");
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("ORDER_NOT_PENDING", "oms"));
    assert!(details.retry_info().is_none() && details.bad_request().is_none());
}

#[test]
fn who_may_come_again_is_told_when() {
    for code in [Code::Unavailable, Code::Aborted] {
        let status = Status::from(Refusal::new(code, "BUSY", "busy"));
        assert!(status.get_error_details().retry_info().unwrap().retry_delay.is_some());
    }
    let later = Refusal::unavailable("BUSY", "busy").retry_after(Duration::from_secs(7));
    let details = Status::from(later).get_error_details();
    assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_secs(7)));
}

#[test]
fn the_message_is_the_first_violation() {
    let status = Status::from(Refusal::invalid(violations(3, "is required")));
    assert_eq!(status.message(), "item[0].sku is required");
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[test]
fn twenty_violations_are_all_shown() {
    let shown = shown(Refusal::invalid(violations(20, "is required")));
    assert_eq!(shown.len(), 20);
    assert_eq!(shown[19].1, "item[19].sku is required");
}

#[test]
fn of_more_than_twenty_the_last_says_how_many_more() {
    let shown = shown(Refusal::invalid(violations(500, "is required")));
    assert_eq!(shown.len(), 20);
    assert_eq!(shown[18].1, "item[18].sku is required");
    assert_eq!(shown[19], (String::new(), "… and 481 more".to_owned()));
}

#[test]
fn long_violations_stay_within_their_bytes() {
    let shown = shown(Refusal::invalid(violations(10, &"x".repeat(400))));
    let bytes: usize = shown.iter().map(|(field, text)| field.len() + text.len()).sum();
    assert!(bytes <= VIOLATIONS_BYTES_MAX, "{bytes}");
    let whole = shown.len() - 1;
    assert!((5..10).contains(&whole), "{whole}");
    assert_eq!(shown[whole].1, format!("… and {} more", 10 - whole));
}

#[test]
fn what_is_wrong_with_either_of_two_is_said_together() {
    let both = |first, second| Refusal::both::<u8, u8>(first, second);
    let wrong = |count| Refusal::invalid(violations(count, "is required"));
    assert_eq!(both(Ok(1), Ok(2)), Ok((1, 2)));
    assert_eq!(both(Err(wrong(1)), Ok(2)), Err(wrong(1)));
    assert_eq!(both(Ok(1), Err(wrong(2))), Err(wrong(2)));
    let key = Refusal::invalid_field("idempotency-key", "idempotency-key is no key");
    let shown = shown(both(Err(wrong(2)), Err(key)).unwrap_err());
    let fields: Vec<&str> = shown.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["items[0].sku", "items[1].sku", "idempotency-key"]);
}

/// A client drops a call whose headers pass 8 KiB, and with it the message.
#[test]
fn the_worst_refusal_fits_into_a_clients_headers() {
    for words in ["x".repeat(1_000), "\u{1f980}".repeat(300), "\u{0}".repeat(1_000)] {
        let mut wrong = violations(400, &words);
        for violation in &mut wrong {
            violation.field = format!("{}.{words}", violation.field);
        }
        let response: http::Response<()> = Status::from(Refusal::invalid(wrong)).into_http();
        let bytes: usize = response
            .headers()
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 32)
            .sum();
        assert!(bytes < 8 * 1024, "{bytes}");
    }
}
