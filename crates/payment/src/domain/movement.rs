//! Captures and refunds: money on its way through the gateway.

use chrono::{DateTime, Utc};

use super::{Cause, Effect, Origin};

/// Where a movement stands. Once it is due it counts as being at the gateway until its outcome is
/// known: nobody can tell whether the call has been made (rule 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Something about it is known, but not enough to act.
    Noted,
    /// To be carried to its outcome.
    Due,
    /// The money has moved.
    Succeeded,
    /// The money has not moved, and will not under this key.
    Failed,
}

impl State {
    /// The word kept in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Noted => "noted",
            Self::Due => "due",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Noted, Self::Due, Self::Succeeded, Self::Failed]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// What the gateway answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The money moved.
    Approved,
    /// It did not.
    Declined {
        /// The gateway's code, for example `card_declined`.
        code: String,
        /// The same for people.
        reason: String,
    },
}

/// How far a movement has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands.
    pub state: State,
    /// Why it failed; else empty.
    pub code: String,
    /// Calls whose outcome stayed unknown.
    pub attempts: i32,
    /// When the gateway is asked next; only while due.
    pub next_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// On whose account it is made.
    pub origin: Origin,
}

impl Progress {
    /// Known of, nothing to do yet.
    #[must_use]
    pub fn noted(cause: &Cause) -> Self {
        Self {
            state: State::Noted,
            code: String::new(),
            attempts: 0,
            next_at: None,
            updated_at: cause.at,
            origin: cause.origin.clone(),
        }
    }

    /// Whether its outcome is still to come.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Due
    }

    pub(super) fn fall_due(&mut self, cause: &Cause) {
        self.state = State::Due;
        self.next_at = Some(cause.at);
        self.updated_at = cause.at;
        self.origin = cause.origin.clone();
    }

    pub(super) fn end(&mut self, state: State, code: &str, at: DateTime<Utc>) {
        self.state = state;
        self.code = code.to_owned();
        self.next_at = None;
        self.updated_at = at;
    }

    /// The outcome is not known: the same question again, later. Nothing if it is known by now.
    pub(super) fn postpone(&mut self, until: DateTime<Utc>) -> Effect {
        if !self.is_open() {
            return Effect::Already;
        }
        self.attempts = self.attempts.saturating_add(1);
        self.next_at = Some(until);
        Effect::Moved
    }
}

/// What `amended` says of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amended {
    /// What the order is to cost, in minor units.
    pub total: i64,
    /// What is in force costs, in minor units.
    pub settled: i64,
    /// How to pay what it costs more; as the order was paid when absent.
    pub method: Option<String>,
}

/// What `submitted` or `amended` says of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// What the revision costs, in minor units.
    pub total: i64,
    /// What was settled before it, in minor units; 0 for the first.
    pub base: i64,
    /// How to pay.
    pub method: String,
}

/// The money of one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Which revision.
    pub revision: i32,
    /// What order said of it, once it has.
    pub noted: Option<Noted>,
    /// Whether inventory holds its lines.
    pub reserved: bool,
    /// What is or was due, in minor units.
    pub amount: i64,
    /// How far it has come.
    pub progress: Progress,
}

/// Money given back, or to be given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Names it, for ever.
    pub refund_id: String,
    /// In minor units.
    pub amount: i64,
    /// How far it has come.
    pub progress: Progress,
}
