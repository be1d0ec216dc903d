//! Fresh ids.

use std::fmt::Debug;

use uuid::Uuid;

/// Gives out ids. They are UUIDv7, so that they sort by the time they were made.
pub trait Ids: Debug + Send + Sync {
    /// An id never given before.
    fn next(&self) -> Uuid;
}

/// UUIDv7 from the machine's clock and randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    #[allow(clippy::disallowed_methods, reason = "the one legal caller")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_seven_and_rise() {
        let (a, b) = (SystemIds.next(), SystemIds.next());
        assert_eq!(a.get_version_num(), 7);
        assert!(a < b);
    }
}
