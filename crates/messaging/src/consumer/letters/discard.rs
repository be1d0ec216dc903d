//! Discard, the operator's other exit: the event will never be applied, wherever it comes from.

use super::{
    CameTo, DeadLetters, LetterFilter, Orders, Settled, Settlement, read::Target, settle::Unsettled,
};
use crate::{Failure, Tx, consumer::Step, consumer::inbox, reactor::Action, tables::parked};

impl DeadLetters {
    /// Discards the selected letters, each alone: what waits behind one goes on waiting, unless it
    /// was the last. A stream may then wait for ever for what the event would have told it.
    ///
    /// # Errors
    /// Any failure of the store before the first letter was settled.
    pub async fn discard(
        &self,
        which: &LetterFilter,
        orders: &Orders,
    ) -> Result<Settlement, Failure> {
        let most = orders.max.saturating_add(1) as u64;
        let mut letters = self.list(which, orders.after, most).await?;
        let more = letters.len() > orders.max;
        letters.truncate(orders.max);
        let mut done = Settlement::default();
        let mut after = orders.after;
        for letter in letters {
            if self.stops_after(&done.settled) {
                done.next = Some(after);
                return Ok(done);
            }
            let id = letter.id;
            let settled = if orders.dry_run {
                Some(Settled { letter, came_to: CameTo::Discarded })
            } else {
                let target = Target::One { id, stream: letter.stream.clone() };
                match self.settle(&target, Action::Discarded, &orders.note).await {
                    Ok(letter) => {
                        letter.map(|letter| Settled { letter, came_to: CameTo::Discarded })
                    }
                    Err(Unsettled { failure, .. }) if done.settled.is_empty() => {
                        return Err(failure);
                    }
                    Err(Unsettled { failure, .. }) => {
                        tracing::warn!(%failure, "the discarding of letters stops early");
                        done.next = Some(after);
                        return Ok(done);
                    }
                }
            };
            done.settled.extend(settled);
            after = id;
        }
        done.next = more.then_some(after);
        Ok(done)
    }

    /// Claims what makes the event one: should it be read again, it is known.
    pub(super) async fn give_up(&self, tx: &Tx, row: &parked::Model) -> Result<Step, Failure> {
        let stream = row.stream.as_deref().unwrap_or_default();
        inbox::claim_identity(tx, &row.identity, stream).await?;
        Ok(Step::default())
    }
}
