//! One call at a time for each idempotency key.
//!
//! The database makes equal calls wait for the first as well, but each of them with a connection in
//! its hand, and without telling whom it waits for. Here they queue before they take one, so that
//! whoever's time ends knows why. Equal calls of other instances meet in the claim itself.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::IdempotencyKey;

/// Whose key, and which.
type Name = (String, String);

/// The keys of the calls that are under way in this instance; bounded by the calls there can be.
/// Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct KeyTurns(Arc<Mutex<BTreeMap<Name, Queue>>>);

#[derive(Debug)]
struct Queue {
    turn: Arc<Semaphore>,
    calls: usize,
}

/// A key's turn, until it is dropped.
#[derive(Debug)]
pub struct KeyTurn {
    // Given back before the place: fields are dropped in this order.
    _permit: Option<OwnedSemaphorePermit>,
    _place: Place,
}

/// A place in a key's queue.
#[derive(Debug)]
struct Place {
    turns: KeyTurns,
    name: Name,
}

impl KeyTurns {
    /// Resolves when no other call with the key is under way, first come, first served.
    pub async fn turn(&self, key: &IdempotencyKey) -> KeyTurn {
        let name = (key.scope.clone(), key.key.clone());
        let turn = {
            let mut queues = self.lock();
            let queue = queues
                .entry(name.clone())
                .or_insert_with(|| Queue { turn: Arc::new(Semaphore::new(1)), calls: 0 });
            queue.calls += 1;
            queue.turn.clone()
        };
        let place = Place { turns: self.clone(), name };
        // Never closed, so always a permit.
        let permit = turn.acquire_owned().await.ok();
        KeyTurn { _permit: permit, _place: place }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queues = self.turns.lock();
        if let Entry::Occupied(mut queue) = queues.entry(std::mem::take(&mut self.name)) {
            queue.get_mut().calls -= 1;
            if queue.get().calls == 0 {
                queue.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn key(key: &str) -> IdempotencyKey {
        let (scope, request_hash) = ("global".to_owned(), String::new());
        IdempotencyKey { scope, key: key.to_owned(), method: "m", request_hash }
    }

    #[tokio::test]
    async fn a_key_has_one_turn_at_a_time_and_nothing_is_kept_of_those_that_ended() {
        let turns = KeyTurns::default();
        let (a, b) = (key("a"), key("b"));
        let first = turns.turn(&a).await;
        let other = turns.turn(&b).now_or_never().expect("another key has its own");
        let mut second = Box::pin(turns.turn(&a));
        assert!(second.as_mut().now_or_never().is_none());
        // One that gives up leaves its place to whoever stands behind.
        let mut third = Box::pin(turns.turn(&a));
        assert!(third.as_mut().now_or_never().is_none());
        drop(second);
        drop(first);
        let third = third.now_or_never().expect("its turn");
        drop((third, other));
        assert!(turns.lock().is_empty());
    }
}
