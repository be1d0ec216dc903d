//! What a test may choose.

use oms_messaging::MessagingSettings;

/// What joins the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Wire {
    /// The simulated log, whose every delivery a test can decide.
    #[default]
    Simulated,
    /// librdkafka's in-process broker behind the real Kafka adapter.
    Embedded,
}

/// Options of a stack.
#[derive(Clone, Debug)]
pub struct StackOptions {
    /// What joins the services.
    pub wire: Wire,
    /// Bounds and intervals of messaging, in all three services.
    pub messaging: MessagingSettings,
    /// The simulated log loses everything right after its n-th record was written.
    pub lose_log_at: Option<u64>,
    /// How long a pay run may take, in seconds.
    pub run_deadline_s: u32,
    /// How long an uncommitted hold waits before inventory asks, in seconds.
    pub reservation_ttl_s: u32,
    /// How long `pm_card_slow` takes, in milliseconds.
    pub slow_card_ms: u64,
}

impl Default for StackOptions {
    /// Intervals short enough that a lost word is asked for while the test still runs.
    fn default() -> Self {
        Self {
            wire: Wire::default(),
            lose_log_at: None,
            messaging: MessagingSettings {
                poll_wait_ms: 20,
                relay_sweep_ms: 50,
                lease_ms: 200,
                retry_delay_ms_min: 5,
                retry_delay_ms_max: 100,
                ask_after_ms: 400,
                ask_delay_ms_max: 1_600,
                ask_sweep_ms: 50,
                ..MessagingSettings::default()
            },
            run_deadline_s: 15 * 60,
            reservation_ttl_s: 20 * 60,
            slow_card_ms: 300,
        }
    }
}
