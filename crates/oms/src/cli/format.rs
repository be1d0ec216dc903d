//! Values as people write and read them.

use std::fmt::Display;

use chrono::{DateTime, SecondsFormat, Utc};
use oms_order::domain::{Currency, Money};

/// `100.00 USD`; minor units where the currency is not known.
pub(crate) fn money(minor: i64, currency: &str) -> String {
    match Currency::parse(currency) {
        Ok(known) => Money::new(minor, known).to_string(),
        Err(_) if minor == 0 && currency.is_empty() => "0".to_owned(),
        Err(_) => format!("{minor} minor units {currency}").trim_end().to_owned(),
    }
}

/// The minor units of a decimal amount, exactly. Digits and one point; nothing is rounded.
pub(crate) fn amount(text: &str, currency: &str) -> Result<i64, String> {
    let known = Currency::parse(currency).map_err(|error| error.to_string())?;
    let digits = usize::from(known.exponent());
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if text.starts_with('-') {
        return Err(format!("{text} is negative; amounts are positive"));
    }
    if whole.is_empty() || !is_number(whole) || !is_number(part) || text.ends_with('.') {
        return Err(format!("{text:?} is no amount; write it as {}", example(digits)));
    }
    if part.len() > digits {
        let has = if digits == 0 { "no decimals".to_owned() } else { format!("{digits} decimals") };
        return Err(format!("{text} has too many decimals: {currency} has {has}"));
    }
    format!("{whole}{part:0<digits$}").parse().map_err(|_| format!("{text} is too large"))
}

fn example(digits: usize) -> String {
    if digits == 0 { "100".to_owned() } else { format!("100.{}", "0".repeat(digits)) }
}

/// `2026-01-31 12:00:05.120Z`, or nothing where there is no instant.
pub(crate) fn instant(at: Option<&prost_types::Timestamp>) -> String {
    let nanos = |at: &prost_types::Timestamp| u32::try_from(at.nanos).unwrap_or(0);
    at.and_then(|at| DateTime::<Utc>::from_timestamp(at.seconds, nanos(at)))
        .map_or_else(String::new, |at| {
            at.to_rfc3339_opts(SecondsFormat::Millis, true).replace('T', " ")
        })
}

/// `CONFIRMED` for `ORDER_STATUS_CONFIRMED`; a value this program does not know is its number.
pub(crate) fn enum_name<E: TryFrom<i32>>(
    value: i32,
    name: impl Fn(&E) -> &'static str,
    prefix: &str,
) -> String {
    E::try_from(value)
        .map_or_else(|_| value.to_string(), |known| name(&known).replacen(prefix, "", 1))
}

/// An order's status in one word.
pub(crate) fn status_word(status: i32) -> String {
    enum_name(status, oms_proto::oms_v1::OrderStatus::as_str_name, "ORDER_STATUS_")
}

/// `1 SKU`, `2 SKUs`: a number with its noun.
pub(crate) fn counted<N: PartialEq + From<u8> + Display>(number: N, noun: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// The text without what would break a line or a terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_converted_exactly_by_the_currencys_own_exponent() {
        for (text, currency, minor) in [
            ("100.00", "USD", 10_000),
            ("100", "USD", 10_000),
            ("0.1", "USD", 10),
            ("0.29", "USD", 29),
            ("1.005", "KWD", 1_005),
            ("250", "JPY", 250),
            ("92233720368547758.07", "USD", i64::MAX),
        ] {
            assert_eq!(amount(text, currency), Ok(minor), "{text} {currency}");
        }
    }

    #[test]
    fn what_cannot_be_exact_is_refused_and_says_why() {
        for (text, currency, why) in [
            ("1.005", "USD", "1.005 has too many decimals: USD has 2 decimals"),
            ("1.5", "JPY", "1.5 has too many decimals: JPY has no decimals"),
            ("1e3", "USD", "\"1e3\" is no amount; write it as 100.00"),
            ("-1", "USD", "-1 is negative; amounts are positive"),
            ("1.", "USD", "\"1.\" is no amount; write it as 100.00"),
            (".5", "USD", "\".5\" is no amount; write it as 100.00"),
            ("", "JPY", "\"\" is no amount; write it as 100"),
            ("92233720368547758.08", "USD", "92233720368547758.08 is too large"),
            ("1", "usd", "unknown currency \"usd\""),
        ] {
            assert_eq!(amount(text, currency), Err(why.to_owned()));
        }
    }

    #[test]
    fn money_is_shown_with_the_currencys_exponent() {
        assert_eq!(money(10_000, "USD"), "100.00 USD");
        assert_eq!(money(-5, "KWD"), "-0.005 KWD");
        assert_eq!(money(250, "JPY"), "250 JPY");
        assert_eq!(money(7, "???"), "7 minor units ???");
        assert_eq!(money(0, ""), "0");
    }

    #[test]
    fn values_that_are_not_known_are_shown_all_the_same() {
        assert_eq!(status_word(4), "CONFIRMED");
        assert_eq!(status_word(99), "99");
        assert_eq!(instant(None), "");
        assert_eq!(one_line("a\nb\u{1b}[31m"), "a b [31m");
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0_u64, 1, 2].map(|n| counted(n, "SKU")), ["0 SKUs", "1 SKU", "2 SKUs"]);
    }
}
