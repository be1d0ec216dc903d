//! The dry run of a redrive: the same steps in a transaction that is rolled back.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{CameTo, DeadLetters, Letter, Settled, read::Target, redrive::failed};
use crate::{
    Failure, Tx,
    reactor::Action,
    tables::parked::{self, Column as C},
};

impl DeadLetters {
    /// What a redrive of the stream would come to, for up to `max` letters of it. The whole stream
    /// is one transaction, so that each event meets what those before it would have left.
    pub(super) async fn rehearse(
        &self,
        stream: &str,
        max: usize,
    ) -> Result<(Vec<Settled>, bool), Failure> {
        let mut tx = self.messaging.begin().await?;
        tx.lock([stream.to_owned()]).await?;
        let mut ids: Vec<i64> = parked::Entity::find()
            .select_only()
            .column(C::Seq)
            .filter(C::Stream.eq(stream))
            .order_by_asc(C::Seq)
            .limit(max.saturating_add(1) as u64)
            .into_tuple()
            .all(tx.conn())
            .await?;
        let whole = ids.len() <= max;
        ids.truncate(max);
        let mut settled = Vec::new();
        for id in ids {
            if self.stops_after(&settled) {
                return Ok((settled, false));
            }
            let target = Target::One { id, stream: Some(stream.to_owned()) };
            let Some(one) = self.try_out(&mut tx, &target).await? else { continue };
            let failed = one.failed();
            settled.push(one);
            if failed {
                return Ok((settled, true));
            }
        }
        Ok((settled, whole))
    }

    /// The same for a letter without a stream.
    pub(super) async fn rehearse_one(&self, id: i64) -> Result<(Vec<Settled>, bool), Failure> {
        let mut tx = self.messaging.begin().await?;
        let one = self.try_out(&mut tx, &Target::One { id, stream: None }).await?;
        Ok((one.into_iter().collect(), true))
    }

    async fn try_out(&self, tx: &mut Tx, target: &Target) -> Result<Option<Settled>, Failure> {
        let Some(row) = target.row(tx).await? else { return Ok(None) };
        let came_to = match self.take_out(tx, &row, Action::Redriven, "").await {
            Ok(_) => CameTo::Redriven,
            Err(failure) => failed(&failure),
        };
        Ok(Some(Settled { letter: Letter::from(&row), came_to }))
    }
}
