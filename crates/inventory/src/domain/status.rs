//! Where a reservation stands.

/// Status of a reservation inventory has heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Every line is held; the order is being paid.
    Held,
    /// The order is confirmed.
    Committed,
    /// The goods have left.
    Shipped,
    /// Everything was given back, for good.
    Released,
    /// The lines could not be held; nothing is.
    Rejected,
    /// Cancelled before it was ever submitted: nothing will be held, for good.
    Fenced,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Held, Self::Committed, Self::Shipped, Self::Released, Self::Rejected, Self::Fenced];

    /// Its name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Committed => "COMMITTED",
            Self::Shipped => "SHIPPED",
            Self::Released => "RELEASED",
            Self::Rejected => "REJECTED",
            Self::Fenced => "FENCED",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_found_by_its_name() {
        for status in Status::ALL {
            assert_eq!(Status::named(status.name()), Some(status));
        }
        assert_eq!(Status::named("held"), None);
    }
}
