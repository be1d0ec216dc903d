//! The tables messaging keeps in each service's database. Instants are microseconds since 1970.

pub mod inbox;
pub mod interventions;
pub mod leases;
pub mod outbox;
pub mod parked;
pub mod streams;
