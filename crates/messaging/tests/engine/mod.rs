//! The database side of messaging, driven step by step over the simulated log, on SQLite and, when
//! `OMS_TEST_POSTGRES` names a server, on PostgreSQL too.

mod asking;
mod asking_under_load;
mod bench;
mod consuming;
mod crashes;
mod database;
mod ledger;
mod letters;
mod letters_in_parts;
mod parallel;
mod poison;
mod relaying;
mod retention;
mod retrying;
mod seams;
mod statements;
mod transactions;
mod workers;
