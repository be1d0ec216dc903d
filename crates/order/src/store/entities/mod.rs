//! The order service's own tables, as they are. Instants are microseconds since 1970, ids GUID
//! text.

pub mod amendments;
pub mod fingerprints;
pub mod lines;
pub mod orders;
pub mod refunds;
pub mod timeline;
