//! Bounds and intervals of the worker.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Settings of the worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerSettings {
    /// Calls to the gateway at the same time.
    pub gateway_calls_max: usize,
    /// After how long a call without an answer counts as unknown, in milliseconds.
    pub gateway_timeout_ms: u64,
    /// How often the worker looks for what nobody woke it for, in milliseconds.
    pub gateway_sweep_ms: u64,
    /// First delay before an unknown outcome is asked again, in milliseconds.
    pub gateway_retry_ms_min: u64,
    /// Longest delay before an unknown outcome is asked again, in milliseconds.
    pub gateway_retry_ms_max: u64,
    /// How long calls under way are waited for when the service stops, in milliseconds.
    pub gateway_drain_ms_max: u64,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            gateway_calls_max: 64,
            gateway_timeout_ms: 10_000,
            gateway_sweep_ms: 500,
            gateway_retry_ms_min: 200,
            gateway_retry_ms_max: 60_000,
            gateway_drain_ms_max: 2_500,
        }
    }
}

impl WorkerSettings {
    /// Every violation, as `key: what is wrong`; `at` is the path of this section.
    #[must_use]
    pub fn violations(&self, at: &str) -> Vec<String> {
        let positive = [
            ("gateway_calls_max", self.gateway_calls_max as u64),
            ("gateway_timeout_ms", self.gateway_timeout_ms),
            ("gateway_sweep_ms", self.gateway_sweep_ms),
            ("gateway_retry_ms_min", self.gateway_retry_ms_min),
            ("gateway_retry_ms_max", self.gateway_retry_ms_max),
        ];
        let zero = positive.into_iter().filter(|(_, value)| *value == 0);
        zero.map(|(key, _)| format!("{at}.{key}: must be greater than zero")).collect()
    }

    /// The delay after so many unknown outcomes in a row; doubles up to its bound.
    pub(super) fn retry_delay(&self, attempts: u32) -> Duration {
        let doubled = self.gateway_retry_ms_min.saturating_mul(1 << attempts.min(32));
        Duration::from_millis(doubled.min(self.gateway_retry_ms_max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_its_bound() {
        let settings = WorkerSettings {
            gateway_retry_ms_min: 100,
            gateway_retry_ms_max: 1_000,
            ..WorkerSettings::default()
        };
        let delays: Vec<u128> =
            [0, 1, 3, 4, u32::MAX].map(|n| settings.retry_delay(n).as_millis()).to_vec();
        assert_eq!(delays, [100, 200, 800, 1_000, 1_000]);
    }
}
