//! Idempotency keys as commands use them.

use oms_messaging::Tx;
use oms_service::idempotency::{self, Claim, IdempotencyKey, KeyTurn, KeyTurns};
use sea_orm::{ConnectionTrait, DatabaseBackend};
use tokio::time::{Instant, timeout_at};

use super::CommandError;

/// A caller's key, and until when its call waits for an equal one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The key.
    pub key: IdempotencyKey,
    /// A little before the caller gives up.
    pub until: Instant,
}

impl Keyed {
    /// Waits until no other call of this instance with the key is under way.
    ///
    /// # Errors
    /// [`CommandError::KeyRunning`] when the call's time ends first.
    pub async fn turn(&self, turns: &KeyTurns) -> Result<KeyTurn, CommandError> {
        let turn = timeout_at(self.until, turns.turn(&self.key)).await;
        turn.map_err(|_| CommandError::KeyRunning)
    }

    /// Claims the key within the transaction of the effect; waits for a call of another instance.
    pub(super) async fn claim(&self, tx: &Tx) -> Result<Claim, CommandError> {
        let claim = idempotency::claim(tx.conn(), &self.key, tx.now());
        match tx.conn().get_database_backend() {
            // Whoever has the one writer waits for nobody.
            DatabaseBackend::Sqlite => Ok(claim.await?),
            _ => {
                Ok(timeout_at(self.until, claim).await.map_err(|_| CommandError::KeyRunning)??)
            }
        }
    }
}
