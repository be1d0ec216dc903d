//! What operators did about dead letters of an order: kept on its timeline, and nothing else
//! follows (saga rule 4).

use serde_json::{Value, json};

use super::{Cause, Order, timeline::Happening};

/// A parked event about the order that an operator redrove or discarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intervention {
    /// The service that had parked it.
    pub service: &'static str,
    /// The event: its id, or its place in the log where it has none.
    pub event_id: String,
    /// Its type as far as it could be read.
    pub event_type: String,
    /// Whether it will never be applied.
    pub discarded: bool,
    /// The operator's own words; may be empty.
    pub note: String,
}

impl Intervention {
    /// What the timeline calls it.
    pub(super) fn title(&self) -> &'static str {
        if self.discarded { "EventDiscarded" } else { "EventRedriven" }
    }

    /// What the timeline tells of it: what is known.
    pub(super) fn details(&self) -> Value {
        let mut told = json!({ "service": self.service });
        for (name, text) in
            [("event_type", &self.event_type), ("event_id", &self.event_id), ("note", &self.note)]
        {
            if !text.is_empty() {
                told[name] = text.as_str().into();
            }
        }
        told
    }
}

impl Order {
    /// Keeps on the timeline that an operator took an event in hand.
    pub fn note_intervention(&mut self, what: &Intervention, cause: &Cause) {
        self.write(&Happening::Intervened(what), cause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeline_names_the_service_the_event_and_the_note() {
        let what = Intervention {
            service: "payment",
            event_id: "e".to_owned(),
            event_type: "oms.order.canceled.v1".to_owned(),
            discarded: true,
            note: "by hand".to_owned(),
        };
        let (title, text) = Happening::Intervened(&what).text();
        assert_eq!(title, "EventDiscarded");
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        assert_eq!(told, what.details());
        assert_eq!(told["note"], "by hand");
        let redriven = Intervention { discarded: false, ..what };
        assert_eq!(redriven.title(), "EventRedriven");
    }

    #[test]
    fn what_nobody_said_has_no_empty_field() {
        let what = Intervention {
            service: "order",
            event_id: "oms.saga.events/3@7".to_owned(),
            event_type: String::new(),
            discarded: false,
            note: String::new(),
        };
        let told = json!({ "service": "order", "event_id": "oms.saga.events/3@7" });
        assert_eq!(what.details(), told);
    }
}
