//! The whole system in one process: scenarios, races, crashes, a lost log, a power cut.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod crashes;
mod lost_log;
mod power_cut;
mod races;
mod scenarios;
mod shipping;
