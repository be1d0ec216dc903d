//! Redrive: a stream from its first parked event to its last, each as if it had just been read.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    CameTo, DeadLetters, LetterFilter, Orders, Settled, Settlement, letter::delivery, read::Target,
    settle::Unsettled,
};
use crate::{
    Failure, Tx,
    consumer::{Step, incoming::clean, parking::MESSAGE_BYTES_MAX},
    reactor::Action,
    tables::parked,
};

impl DeadLetters {
    /// Redrives the streams of the selected letters, each whole and in order, since nothing of a
    /// stream may pass anything; letters without a stream each by itself. A letter that fails again
    /// stays with all behind it, and its stream stays marked. A dry run does the same in
    /// transactions that are rolled back.
    ///
    /// # Errors
    /// Any failure of the store before the first letter was settled. Failures of letters are none:
    /// they are reported.
    pub async fn redrive(
        &self,
        which: &LetterFilter,
        orders: &Orders,
    ) -> Result<Settlement, Failure> {
        self.redrive_on(None, which, orders).await
    }

    /// The same, and first what the call before left of a stream ([`Settlement::stream`]): the
    /// filter may have selected it for a letter that is gone by now.
    ///
    /// # Errors
    /// As [`DeadLetters::redrive`].
    pub async fn redrive_on(
        &self,
        begun: Option<&str>,
        which: &LetterFilter,
        orders: &Orders,
    ) -> Result<Settlement, Failure> {
        let mut done = Settlement::default();
        let mut after = orders.after;
        // One that failed has its first letter further on now, and would be met again.
        let mut tried = BTreeSet::new();
        let mut heads = Vec::from_iter(begun.map(|stream| (Some(stream.to_owned()), after)));
        loop {
            for (stream, first) in heads {
                if stream.as_ref().is_some_and(|stream| !tried.insert(stream.clone())) {
                    after = first;
                    continue;
                }
                let room = orders.max.saturating_sub(done.settled.len());
                if room == 0 || self.stops_after(&done.settled) {
                    done.next = Some(after);
                    return Ok(done);
                }
                let (settled, whole) = match self.take(stream.as_deref(), first, orders, room).await
                {
                    Ok(taken) => taken,
                    Err(failure) => return given_up(done, after, failure),
                };
                done.settled.extend(settled);
                if !whole {
                    // Of this stream there is more; a dry run would only begin it anew.
                    done.next = Some(first);
                    done.stream = stream.filter(|_| !orders.dry_run);
                    return Ok(done);
                }
                after = first;
            }
            let room = orders.max.saturating_sub(done.settled.len());
            heads = match self.heads(which, after, room.max(1) as u64).await {
                Ok(heads) if heads.is_empty() => return Ok(done),
                Ok(heads) => heads,
                Err(failure) => return given_up(done, after, failure),
            };
        }
    }

    /// Up to `max` letters of a stream, or the one that has none; and whether that is all.
    async fn take(
        &self,
        stream: Option<&str>,
        first: i64,
        orders: &Orders,
        max: usize,
    ) -> Result<(Vec<Settled>, bool), Failure> {
        match stream {
            Some(stream) if orders.dry_run => self.rehearse(stream, max).await,
            Some(stream) => self.redrive_stream(stream, orders, max).await,
            None if orders.dry_run => self.rehearse_one(first).await,
            None => self.redrive_one(first, orders).await,
        }
    }

    /// Up to `max` letters of a stream, and whether it is done with: nothing is left, or its first
    /// failed.
    async fn redrive_stream(
        &self,
        stream: &str,
        orders: &Orders,
        max: usize,
    ) -> Result<(Vec<Settled>, bool), Failure> {
        let target = Target::First(stream.to_owned());
        let mut settled = Vec::new();
        while settled.len() < max && !self.stops_after(&settled) {
            let one = match self.settle(&target, Action::Redriven, &orders.note).await {
                Ok(Some(letter)) => Settled { letter, came_to: CameTo::Redriven },
                Ok(None) => return Ok((settled, true)),
                Err(unsettled) => match self.report(unsettled).await {
                    Ok(failed) => failed,
                    Err(failure) if settled.is_empty() => return Err(failure),
                    Err(_) => return Ok((settled, false)),
                },
            };
            let failed = one.failed();
            settled.push(one);
            if failed {
                return Ok((settled, true));
            }
        }
        Ok((settled, false))
    }

    async fn redrive_one(&self, id: i64, orders: &Orders) -> Result<(Vec<Settled>, bool), Failure> {
        let target = Target::One { id, stream: None };
        match self.settle(&target, Action::Redriven, &orders.note).await {
            Ok(letter) => {
                let redriven = letter.map(|letter| Settled { letter, came_to: CameTo::Redriven });
                Ok((redriven.into_iter().collect(), true))
            }
            Err(unsettled) => Ok((vec![self.report(unsettled).await?], true)),
        }
    }

    /// What is told of a letter that failed again; the failure itself where no letter was reached.
    pub(super) async fn report(&self, unsettled: Unsettled) -> Result<Settled, Failure> {
        let Unsettled { letter: Some(letter), failure } = unsettled else {
            return Err(unsettled.failure);
        };
        if let Err(failure) = self.failed_again(&letter, &failure).await {
            tracing::warn!(%failure, "why a letter failed again could not be kept");
        }
        Ok(Settled { letter, came_to: failed(&failure) })
    }

    /// The road of an event that was just read.
    pub(super) async fn redo(&self, tx: &mut Tx, row: &parked::Model) -> Result<Step, Failure> {
        let record = Arc::new(self.engine.read(delivery(row)?));
        self.engine.apply(tx, &record).await
    }
}

/// A failure as it is told: one line of bounded length, as in parking.
pub(super) fn failed(failure: &Failure) -> CameTo {
    let message = match failure {
        Failure::Transient(message) | Failure::Unclassified(message) => message,
        Failure::Poison { message, .. } => message,
    };
    let message = clean(message, MESSAGE_BYTES_MAX);
    CameTo::Failed { code: failure.code().to_owned(), message }
}

/// The database went away: what was done so far is told, and where to go on.
fn given_up(done: Settlement, after: i64, failure: Failure) -> Result<Settlement, Failure> {
    if done.settled.is_empty() {
        return Err(failure);
    }
    tracing::warn!(%failure, "the settling of letters stops early");
    Ok(Settlement { next: Some(after), ..done })
}
