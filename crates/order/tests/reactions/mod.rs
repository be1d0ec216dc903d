//! Reactions through messaging's own consumer and the simulated log.

mod arrivals;
mod poison;
mod run;
mod world;
