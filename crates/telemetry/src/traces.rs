//! What the `[traces]` section says.

use serde::{Deserialize, Serialize};
use tonic::transport::Endpoint;

/// Longest time of a setting, in milliseconds.
const MS_MAX: u64 = 60_000;
/// Most spans of a setting.
const SPANS_MAX: u64 = 1_000_000;

/// Where spans go, and which. Without an endpoint nothing is recorded; traces still have their
/// ids, and what a caller decided about its trace is passed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TraceSettings {
    /// Where spans go by OTLP over gRPC, `http://host:port`; empty means nowhere.
    pub endpoint: String,
    /// Of the traces that begin here, how many in a hundred are recorded.
    pub sample_percent: u8,
    /// Spans that wait for their export; what is more is dropped.
    pub queue_spans_max: usize,
    /// Spans in one export.
    pub batch_spans_max: usize,
    /// How long spans wait for others to go with, in milliseconds.
    pub export_delay_ms: u64,
    /// How long one export may take, in milliseconds.
    pub export_timeout_ms: u64,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            sample_percent: 100,
            queue_spans_max: 16_384,
            batch_spans_max: 512,
            export_delay_ms: 1_000,
            export_timeout_ms: 2_000,
        }
    }
}

impl TraceSettings {
    /// Whether spans go anywhere.
    #[must_use]
    pub fn exports(&self) -> bool {
        !self.endpoint.is_empty()
    }

    /// Every violation, as `key: what is wrong`; `at` is the path of this section.
    #[must_use]
    pub fn violations(&self, at: &str) -> Vec<String> {
        let mut found = Vec::new();
        if self.exports()
            && let Err(why) = self.collector()
        {
            found.push(format!("{at}.endpoint: {why}"));
        }
        if self.sample_percent > 100 {
            found.push(format!("{at}.sample_percent: must be 0 to 100"));
        }
        let ranges = [
            ("queue_spans_max", self.queue_spans_max as u64, SPANS_MAX),
            ("batch_spans_max", self.batch_spans_max as u64, SPANS_MAX),
            ("export_delay_ms", self.export_delay_ms, MS_MAX),
            ("export_timeout_ms", self.export_timeout_ms, MS_MAX),
        ];
        let outside = ranges.into_iter().filter(|(_, value, most)| value < &1 || value > most);
        found.extend(outside.map(|(key, _, most)| format!("{at}.{key}: must be 1 to {most}")));
        if self.batch_spans_max > self.queue_spans_max {
            found.push(format!("{at}.batch_spans_max: must not be above {at}.queue_spans_max"));
        }
        found
    }

    /// The collector's address. What is wrong is told without repeating what was given: it may
    /// hold a password.
    pub(crate) fn collector(&self) -> Result<Endpoint, String> {
        let no_address = || "this is no address; say http://host:port".to_owned();
        if self.endpoint.contains('@') {
            return Err("no user and no password is sent; say http://host:port".to_owned());
        }
        if self.endpoint.starts_with("https://") {
            return Err("TLS is not spoken; name a collector beside this process".to_owned());
        }
        if !self.endpoint.starts_with("http://") {
            return Err(no_address());
        }
        Endpoint::from_shared(self.endpoint.clone()).map_err(|_| no_address())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_export_nothing_and_violate_nothing() {
        let settings = TraceSettings::default();
        assert!(!settings.exports());
        assert_eq!(settings.violations("traces"), Vec::<String>::new());
    }

    #[test]
    fn every_violation_is_told_with_its_key() {
        let wrong = TraceSettings {
            endpoint: "localhost:4317".to_owned(),
            sample_percent: 101,
            queue_spans_max: 1,
            batch_spans_max: 2,
            export_delay_ms: 0,
            export_timeout_ms: MS_MAX + 1,
        };
        let found = wrong.violations("traces");
        let keys: Vec<_> = found.iter().filter_map(|line| line.split(": ").next()).collect();
        let expected = [
            "traces.endpoint",
            "traces.sample_percent",
            "traces.export_delay_ms",
            "traces.export_timeout_ms",
            "traces.batch_spans_max",
        ];
        assert_eq!(keys, expected, "{found:?}");
        let user = "http://oms:hunter2@collector:4317";
        for bad in ["https://collector:4317", "http://", "http://a b", user] {
            let wrong = TraceSettings { endpoint: bad.to_owned(), ..TraceSettings::default() };
            let found = wrong.violations("traces");
            assert!(found.len() == 1 && !found[0].contains("hunter2"), "{bad}: {found:?}");
        }
    }
}
