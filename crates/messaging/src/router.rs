//! A service's ears: event type -> reaction, on one screen.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::{Event, Failure, reactor::Outcome};

type Handler<S> = Box<dyn Fn(&mut S, &Event) -> Result<Outcome, Failure> + Send + Sync>;

/// Routes events to typed reactions over a session `S`.
pub struct Router<S> {
    routes: BTreeMap<&'static str, Handler<S>>,
}

impl<S: 'static> Router<S> {
    /// A service that hears nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { routes: BTreeMap::new() }
    }

    /// Adds a reaction. The data is parsed as the reaction's own type; data that does not fit is
    /// poison.
    #[must_use]
    pub fn on<D: DeserializeOwned + 'static>(
        mut self,
        event_type: &'static str,
        reaction: fn(&mut S, &Event, D) -> Result<Outcome, Failure>,
    ) -> Self {
        self.routes.insert(
            event_type,
            Box::new(move |session, event| {
                let data = event.data::<D>()?;
                reaction(session, event, data)
            }),
        );
        self
    }

    /// Whether there is a reaction to this type.
    #[must_use]
    pub fn hears(&self, event_type: &str) -> bool {
        self.routes.contains_key(event_type)
    }

    /// Every type heard, sorted.
    pub fn types(&self) -> impl Iterator<Item = &'static str> {
        self.routes.keys().copied()
    }

    /// Runs the reaction.
    ///
    /// # Errors
    /// The reaction's own failure, or poison for data that does not fit. A type without a reaction
    /// is the caller's mistake and [`Failure::Unclassified`].
    pub fn react(&self, session: &mut S, event: &Event) -> Result<Outcome, Failure> {
        match self.routes.get(event.event_type.as_str()) {
            Some(handler) => handler(session, event),
            None => Err(Failure::Unclassified(format!("no reaction to {}", event.event_type))),
        }
    }
}

impl<S: 'static> Default for Router<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: 'static> std::fmt::Debug for Router<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.types()).finish()
    }
}
