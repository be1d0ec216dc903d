//! Which events are shown.

use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser},
};
use oms_events::catalogue;
use oms_messaging::Event;
use uuid::Uuid;

/// Filters; an event must pass all that are given.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Filter {
    /// Of this order.
    #[arg(long, value_name = "ORDER", value_parser = order, help_heading = "Filters")]
    pub(super) order: Option<String>,
    /// Of a type that begins so, or a pattern with `*`; the leading `oms.` may be left out. May be
    /// repeated: any of them.
    #[arg(long = "type", value_name = "PATTERN", value_parser = pattern, help_heading = "Filters")]
    pub(super) kind: Vec<String>,
    /// Said by this service. May be repeated: any of them.
    #[arg(long, value_name = "SERVICE", help_heading = "Filters")]
    #[arg(value_parser = PossibleValuesParser::new(services()))]
    pub(super) source: Vec<String>,
}

impl Filter {
    /// Whether an event is shown.
    pub(super) fn passes(&self, event: &Event) -> bool {
        let any = |wanted: &[String], is: &dyn Fn(&str) -> bool| {
            wanted.is_empty() || wanted.iter().any(|wanted| is(wanted))
        };
        self.order.as_ref().is_none_or(|order| order.eq_ignore_ascii_case(&event.subject))
            && any(&self.kind, &|pattern| is_of_type(pattern, &event.event_type))
            && any(&self.source, &|source| is_by(source, &event.source))
    }

    /// Whether everything is shown, also what is no event.
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_none() && self.kind.is_empty() && self.source.is_empty()
    }
}

/// What is no id names no order, and would show nothing for ever.
fn order(text: &str) -> Result<String, String> {
    let is_id = text.len() == 36 && Uuid::try_parse(text).is_ok();
    if is_id { Ok(text.to_owned()) } else { Err("this is no order's id".to_owned()) }
}

/// A pattern that no type has would show nothing for ever.
fn pattern(text: &str) -> Result<String, String> {
    let types: Vec<&str> = catalogue().iter().map(|entry| entry.event_type).collect();
    if !text.is_empty() && types.iter().any(|known| is_of_type(text, known)) {
        return Ok(text.to_owned());
    }
    let types = types.into_iter().map(short).collect::<Vec<_>>().join(", ");
    Err(format!("no event has such a type; the types are {types}"))
}

/// The services, as people and as events name them.
fn services() -> [PossibleValue; 3] {
    [("order", "/oms/order"), ("inventory", "/oms/inventory"), ("payment", "/oms/payment")]
        .map(|(name, source)| PossibleValue::new(name).alias(source))
}

/// The service's name in `/oms/<service>`.
pub(super) fn service(source: &str) -> &str {
    source.strip_prefix("/oms/").unwrap_or(source)
}

/// The type without what all types begin with.
pub(super) fn short(event_type: &str) -> &str {
    event_type.strip_prefix("oms.").unwrap_or(event_type)
}

fn is_by(wanted: &str, source: &str) -> bool {
    wanted == source || wanted == service(source)
}

fn is_of_type(pattern: &str, event_type: &str) -> bool {
    let pattern = short(pattern);
    let name = short(event_type);
    if pattern.contains('*') { matches(pattern, name) } else { name.starts_with(pattern) }
}

/// Whether the text matches a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.len() >= last.len() && left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_named_by_its_beginning_or_a_pattern() {
        let captured = "oms.payment.captured.v1";
        for pattern in [
            "oms.payment",
            "payment.captured",
            "payment.captured.v1",
            "*.captured.*",
            "oms.*.v1",
            "payment*",
            "*",
        ] {
            assert!(is_of_type(pattern, captured), "{pattern}");
        }
        for pattern in ["order", "captured", "*.captured", "payment.*.v2", "*x*", "p*t.v1*v1"] {
            assert!(!is_of_type(pattern, captured), "{pattern}");
        }
    }

    #[test]
    fn a_filter_that_nothing_can_pass_is_refused_with_what_there_is() {
        for wrong in ["order.shiped", "", "captured", "*.v9"] {
            let why = pattern(wrong).unwrap_err();
            assert!(why.contains("order.shipped.v1, "), "{wrong}: {why}");
        }
        for fine in ["order", "oms.payment.captured.v1", "*.reserved.*"] {
            assert_eq!(pattern(fine), Ok(fine.to_owned()));
        }
        assert!(order("web-1").is_err() && order("").is_err());
        assert!(order("0199aaaa-0000-7000-8000-000000000001").is_ok());
    }

    #[test]
    fn a_service_is_named_short_or_as_events_say_it() {
        assert!(is_by("order", "/oms/order"));
        assert!(is_by("/oms/order", "/oms/order"));
        assert!(!is_by("oms", "/oms/order"));
    }

    #[test]
    fn a_star_matches_nothing_twice() {
        assert!(!matches("ab*ba", "aba"));
        assert!(matches("ab*ba", "abba"));
    }
}
