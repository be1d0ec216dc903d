//! Which letters: the filters that all commands share. An empty one is a mistake, often a shell
//! variable that is not set, and must not mean all letters.

use chrono::{DateTime, Utc};
use clap::{
    Args,
    builder::{NonEmptyStringValueParser as NotEmpty, PossibleValuesParser},
};
use oms_proto::oms_admin_v1::DeadLetterFilter;
use prost_types::Timestamp;

/// Filters; what is not given does not restrict.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FilterFlags {
    /// Of this service: order, inventory or payment.
    #[arg(long, value_name = "SERVICE", help_heading = "Filter")]
    #[arg(value_parser = PossibleValuesParser::new(["order", "inventory", "payment"]))]
    service: Option<String>,
    /// Of this order.
    #[arg(long, value_name = "ORDER", help_heading = "Filter")]
    #[arg(value_parser = NotEmpty::new())]
    order: Option<String>,
    /// Of this type of event, for example oms.order.submitted.v1.
    #[arg(long = "type", value_name = "TYPE", help_heading = "Filter")]
    #[arg(value_parser = NotEmpty::new())]
    event_type: Option<String>,
    /// Parked for this reason, for example unclassified.
    #[arg(long, value_name = "CODE", help_heading = "Filter")]
    #[arg(value_parser = NotEmpty::new())]
    reason: Option<String>,
    /// Parked at this instant or later, for example 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "INSTANT", help_heading = "Filter")]
    parked_from: Option<DateTime<Utc>>,
    /// Parked before this instant.
    #[arg(long, value_name = "INSTANT", help_heading = "Filter")]
    parked_before: Option<DateTime<Utc>>,
    /// These letters, by their numbers in the service.
    #[arg(long = "id", value_name = "NUMBER", requires = "service", help_heading = "Filter")]
    ids: Vec<i64>,
}

impl FilterFlags {
    /// Whether it restricts letters to less than all of a service.
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_none()
            && self.event_type.is_none()
            && self.reason.is_none()
            && self.parked_from.is_none()
            && self.parked_before.is_none()
            && self.ids.is_empty()
    }

    /// Whether it names a service.
    pub(super) fn names_service(&self) -> bool {
        self.service.is_some()
    }

    /// As the request has it.
    pub(super) fn wire(&self) -> DeadLetterFilter {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        DeadLetterFilter {
            service: text(&self.service),
            ids: self.ids.clone(),
            order_id: text(&self.order),
            event_type: text(&self.event_type),
            reason: text(&self.reason),
            parked_from: self.parked_from.map(timestamp),
            parked_before: self.parked_before.map(timestamp),
        }
    }
}

fn timestamp(at: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0);
    Timestamp { seconds: at.timestamp(), nanos }
}
