//! What is kept of a letter that failed again: the newest reason, and its own dead letter where it
//! had only waited behind another one.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
};

use super::{DeadLetters, Letter, letter::delivery, read::Target};
use crate::{
    Failure,
    consumer::{
        incoming::clean,
        parking::{BEHIND, MESSAGE_BYTES_MAX, Poison, dead_letter},
    },
    tables::parked,
};

impl DeadLetters {
    /// Keeps why it failed. A transient failure says nothing about the event, and is not kept.
    pub(super) async fn failed_again(
        &self,
        letter: &Letter,
        failure: &Failure,
    ) -> Result<(), Failure> {
        let (code, message) = match failure {
            Failure::Transient(_) => return Ok(()),
            Failure::Poison { code, message } => (*code, message.clone()),
            Failure::Unclassified(message) => ("unclassified", message.clone()),
        };
        let target = Target::One { id: letter.id, stream: letter.stream.clone() };
        let mut tx = self.messaging.begin().await?;
        tx.lock(target.stream()).await?;
        let Some(row) = target.row(&tx).await? else { return Ok(()) };
        let first_time = row.reason == BEHIND;
        let newest = parked::ActiveModel {
            seq: Unchanged(row.seq),
            reason: Set(code.to_owned()),
            message: Set(clean(&message, MESSAGE_BYTES_MAX)),
            ..Default::default()
        };
        newest.update(tx.conn()).await?;
        if first_time {
            let record = self.engine.read(delivery(&row)?);
            let poison = Poison { code, message, tries: 0 };
            let row = dead_letter(&self.messaging, &tx, &record, &self.group, &poison)?;
            tx.append(row);
        }
        tx.commit().await?;
        if first_time {
            self.metrics.dead_letter(code);
        }
        tracing::error!(
            reason = code,
            order_id = letter.stream,
            event.type = letter.event_type,
            messaging.message.id = letter.identity,
            "a dead letter failed again and stays parked"
        );
        Ok(())
    }
}
