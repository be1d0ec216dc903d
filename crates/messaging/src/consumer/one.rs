//! One event on its own: what became of it, and what follows from its failure (rule 4).

use std::sync::Arc;

use super::{
    Step,
    batch::{Engine, Undone},
    incoming::Incoming,
    parking::Poison,
};
use crate::{Failure, Reactor};

/// Why a single record is not done with.
#[derive(Debug)]
pub(super) enum Stuck {
    /// Goes away by itself: tried again for ever.
    Transient(Failure),
    /// Counts as poison after a bounded number of tries.
    Unclassified(Failure),
}

impl Stuck {
    pub(super) fn failure(&self) -> &Failure {
        match self {
            Self::Transient(failure) | Self::Unclassified(failure) => failure,
        }
    }
}

impl<R: Reactor> Engine<R> {
    /// Applies one record, or parks it. `tried` is the number of unclassified failures so far.
    pub(super) async fn apply_one(
        &self,
        record: &Arc<Incoming>,
        group: &str,
        tried: u32,
    ) -> Result<Step, Stuck> {
        let failure = match self.apply(std::slice::from_ref(record)).await {
            Ok(step) => return Ok(step),
            Err(Undone::NotBegun(failure)) => return Err(Stuck::Transient(failure)),
            Err(Undone::Parked) => {
                return self.park(record, group, None).await.map_err(Stuck::Transient);
            }
            Err(Undone::Unreadable) => record.what.failure(),
            Err(Undone::Failed(failure)) => Some(failure),
        };
        let poison = match failure {
            Some(Failure::Poison { code, message }) => Poison { code, message, tries: tried },
            Some(Failure::Unclassified(message)) => {
                let tries = tried.saturating_add(1);
                if tries < self.messaging.settings().retry_unclassified_max {
                    return Err(Stuck::Unclassified(Failure::Unclassified(message)));
                }
                Poison { code: "unclassified", message, tries }
            }
            Some(transient @ Failure::Transient(_)) => return Err(Stuck::Transient(transient)),
            None => return Err(Stuck::Transient(Failure::transient("unreadable without reason"))),
        };
        // Whatever goes wrong here must be tried again: a dead letter may not get lost either.
        let step = self.park(record, group, Some(&poison)).await.map_err(Stuck::Transient)?;
        if step.dead_letters > 0 {
            self.metrics.dead_letter(poison.code);
            let at = &record.delivery.partition;
            tracing::error!(
                reason = poison.code,
                failure = poison.message,
                trace_id = record.trace_id(),
                order_id = record.stream,
                event.type = record.event_type,
                topic = at.topic,
                partition = at.number,
                offset = record.delivery.offset,
                "poison: dead-lettered, and its stream parked"
            );
        }
        Ok(step)
    }
}
