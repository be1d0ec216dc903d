//! Settings: defaults < file < environment < flags; typed, checked, all faults at once.
//!
//! The environment is read here and nowhere else.

mod environment;
mod flags;
mod load;
mod show;

#[cfg(feature = "testing")]
pub(crate) use environment::test_postgres;
pub use flags::{setting, without_secrets};
pub use load::{ConfigError, SECTIONS, Sources, Validate, load, load_from};
pub use show::{keys, redact_url, show, show_json};
