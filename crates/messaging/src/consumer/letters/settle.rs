//! One letter in one transaction, and the bounded patience with a database that is away.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    EntityTrait,
};

use super::{
    DeadLetters, Letter,
    read::{Target, any_left},
};
use crate::{
    Failure, Tx,
    backoff::delay,
    consumer::Step,
    reactor::{Action, Intervention},
    tables::{interventions, parked},
};

/// A letter that could not be settled, as far as it is known which.
#[derive(Debug)]
pub(super) struct Unsettled {
    pub(super) letter: Option<Letter>,
    pub(super) failure: Failure,
}

impl From<Failure> for Unsettled {
    fn from(failure: Failure) -> Self {
        Self { letter: None, failure }
    }
}

impl DeadLetters {
    /// Takes a letter out of parking, in one transaction. Only what goes away by itself is tried
    /// again, as often as it makes sense: the event has had its tries when it was parked. None when
    /// somebody else was faster.
    pub(super) async fn settle(
        &self,
        target: &Target,
        action: Action,
        note: &str,
    ) -> Result<Option<Letter>, Unsettled> {
        let settings = self.messaging.settings();
        let (min, max) = (settings.retry_delay_ms_min, settings.retry_delay_ms_max);
        let mut tries = 0;
        loop {
            let unsettled = match self.attempt(target, action, note).await {
                Ok(letter) => return Ok(letter),
                Err(unsettled) => unsettled,
            };
            tries += 1;
            let transient = matches!(unsettled.failure, Failure::Transient(_));
            if !transient || tries >= settings.retry_unclassified_max {
                return Err(unsettled);
            }
            let pause = tokio::time::sleep(delay(tries, min, max));
            if self.stop.run_until_cancelled(pause).await.is_none() {
                return Err(unsettled);
            }
        }
    }

    async fn attempt(
        &self,
        target: &Target,
        action: Action,
        note: &str,
    ) -> Result<Option<Letter>, Unsettled> {
        let mut tx = self.messaging.begin().await?;
        tx.lock(target.stream()).await?;
        let Some(row) = target.row(&tx).await? else { return Ok(None) };
        let letter = Letter::from(&row);
        let unsettled = |failure| Unsettled { letter: Some(letter.clone()), failure };
        let step = self.take_out(&mut tx, &row, action, note).await.map_err(unsettled)?;
        let faults = self.messaging.seams().faults.clone();
        faults.hit("letters.before_commit").await;
        let afterwards = tx.commit_only().await.map_err(unsettled)?;
        faults.hit("letters.after_commit").await;
        afterwards.run();
        self.engine.count(&step);
        self.metrics.intervened(action);
        tracing::info!(
            action = action.name(),
            note,
            order_id = letter.stream,
            event.type = letter.event_type,
            messaging.message.id = letter.identity,
            "a dead letter left parking"
        );
        Ok(Some(letter))
    }

    /// Applies the event or claims its id, deletes its row, unmarks its stream with the last, and
    /// keeps what was done: all in the transaction that holds the stream.
    pub(super) async fn take_out(
        &self,
        tx: &mut Tx,
        row: &parked::Model,
        action: Action,
        note: &str,
    ) -> Result<Step, Failure> {
        let step = match action {
            Action::Redriven => self.redo(tx, row).await?,
            Action::Discarded => self.give_up(tx, row).await?,
        };
        let deleted = parked::Entity::delete_by_id(row.seq).exec(tx.conn()).await?;
        if deleted.rows_affected == 0 {
            return Err(Failure::transient("somebody else settles this letter just now"));
        }
        if let Some(stream) = &row.stream
            && !any_left(tx.conn(), stream).await?
        {
            tx.set_parked(stream, false)?;
        }
        interventions::Entity::insert(audit(tx, row, action, note))
            .exec_without_returning(tx.conn())
            .await?;
        if let Some(stream) = &row.stream {
            let what = Intervention {
                stream: stream.clone(),
                event_id: row.identity.clone(),
                event_type: row.event_type.clone(),
                action,
                note: note.to_owned(),
            };
            self.engine.intervened(tx, &what).await?;
        }
        Ok(step)
    }
}

/// What is kept of it. Of a discarded event all: nothing else has it once the topic forgets.
fn audit(tx: &Tx, row: &parked::Model, action: Action, note: &str) -> interventions::ActiveModel {
    let discarded = action == Action::Discarded;
    interventions::ActiveModel {
        seq: NotSet,
        action: Set(action.name().to_owned()),
        note: Set(note.to_owned()),
        at: Set(tx.now().timestamp_micros()),
        letter: Set(row.seq),
        identity: Set(row.identity.clone()),
        stream: Set(row.stream.clone()),
        event_type: Set(row.event_type.clone()),
        topic: Set(row.topic.clone()),
        partition: Set(row.partition),
        log_offset: Set(row.log_offset),
        reason: Set(row.reason.clone()),
        message: Set(row.message.clone()),
        parked_at: Set(row.parked_at),
        payload: Set(discarded.then(|| row.payload.clone())),
        headers: Set(discarded.then(|| row.headers.clone())),
    }
}
