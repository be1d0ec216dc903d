//! The whole system in one process: scenarios, races, crashes, any bytes, a lost log, a power cut.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod amend_races;
mod amendments;
mod boards;
mod counters;
mod crashes;
mod dead_letters;
mod dead_letters_by_page;
mod dotnet;
mod explaining;
mod frames;
mod lost_log;
mod power_cut;
mod races;
mod scenarios;
mod shipping;
