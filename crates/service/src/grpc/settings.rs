//! Limits of a gRPC server.

use serde::{Deserialize, Serialize};

/// Largest request in bytes; set it on the generated server with `max_decoding_message_size`.
pub const MESSAGE_IN_MAX: usize = 1024 * 1024;
/// Largest response in bytes; set it with `max_encoding_message_size`. Clients stop at 4 MiB.
pub const MESSAGE_OUT_MAX: usize = 4 * 1024 * 1024;

/// Where a service serves gRPC, and how much at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrpcSettings {
    /// `host:port`; `localhost` is both loopbacks, port 0 any free one.
    pub listen: String,
    /// Calls at the same time; one more is answered UNAVAILABLE.
    #[serde(default = "concurrency_max")]
    pub concurrency_max: usize,
}

fn concurrency_max() -> usize {
    2_000
}

impl GrpcSettings {
    /// The defaults, at `listen`.
    pub fn at(listen: impl Into<String>) -> Self {
        Self { listen: listen.into(), concurrency_max: concurrency_max() }
    }

    /// Every violation, as `key: what is wrong`; `at` is the path of this section.
    #[must_use]
    pub fn violations(&self, at: &str) -> Vec<String> {
        let mut found = crate::listen::violations(&format!("{at}.listen"), &self.listen);
        if self.concurrency_max == 0 {
            found.push(format!("{at}.concurrency_max: must be greater than zero"));
        }
        found
    }
}
