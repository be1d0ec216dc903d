//! What noting another service's fact comes to.

/// A fact was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// The order changed.
    Moved,
    /// A duplicate, or a fact that came early or late: nothing to do now.
    Already,
    /// Somebody lacks what was said: say it all again (saga rule 10).
    Repeat,
}

/// A fact that no interleaving can produce. Loud: it is dead-lettered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeardError {
    /// The revision was never submitted.
    #[error("the revision is above the order's")]
    RevisionAhead,
    /// The money is not what was asked for.
    #[error("other currency or amount than the order's")]
    OtherMoney,
    /// Nobody asked for the refund.
    #[error("the refund was never asked for")]
    UnknownRefund,
}

impl HeardError {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::RevisionAhead, Self::OtherMoney, Self::UnknownRefund];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::RevisionAhead => "revision_ahead",
            Self::OtherMoney => "other_money",
            Self::UnknownRefund => "unknown_refund",
        }
    }
}
