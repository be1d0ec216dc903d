//! Changes of what is ordered, as a caller of the command meets them: on a running service.

mod amending;
mod plain;
mod races;
mod stage;
