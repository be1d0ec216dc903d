//! The store: on SQLite, and on PostgreSQL where one is named.

mod fingerprints;
mod races;
mod round_trip;
