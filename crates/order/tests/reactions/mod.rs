//! Reactions through messaging's own consumer and the simulated log.

mod arrivals;
mod interventions;
mod poison;
mod rehearsals;
mod run;
mod world;
