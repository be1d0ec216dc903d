//! The tables of inventory. Instants are microseconds since 1970, quantities are units.

pub mod holds;
pub mod movements;
pub mod reservations;
pub mod stock;
