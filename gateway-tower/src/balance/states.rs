//! States that a picker remembers, of endpoints or of anything else that outlives a table.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use foldhash::fast::RandomState;

/// A state for each key, shared by all connections and kept from one table to the next.
///
/// A state is made when it is first asked for. It is forgotten when no picker holds it and there are many more than before, so
/// endpoints that come and go leave nothing behind: keep in it what is true only while it is held, as a number of requests
/// under way is, or what may be forgotten.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use gateway_core::rule::Endpoint;
/// use gateway_tower::balance::{EndpointKey, States};
///
/// let failures: States<EndpointKey, AtomicU32> = States::default();
/// let endpoint = Endpoint::new(([10, 0, 0, 7], 8080).into());
/// failures.get(&(&endpoint).into()).fetch_add(1, Ordering::Relaxed);
/// assert_eq!(failures.get(&(&endpoint).into()).load(Ordering::Relaxed), 1);
/// ```
pub struct States<K, T> {
    shards: [RwLock<Shard<K, T>>; SHARDS],
    hasher: RandomState,
}

struct Shard<K, T> {
    states: HashMap<K, Arc<T>, RandomState>,
    /// How many there may be before those that no picker holds go.
    limit: usize,
}

/// So that cores wait for each other rarely.
const SHARDS: usize = 16;

const LEAST_LIMIT: usize = 64;

// === impl States ===

impl<K: Hash + Eq + Clone, T: Default> States<K, T> {
    /// The state of this key.
    pub fn get(&self, key: &K) -> Arc<T> {
        let shard = self.shard(key);
        if let Some(state) = read(shard).states.get(key) {
            return Arc::clone(state);
        }
        let mut shard = write(shard);
        if shard.states.len() >= shard.limit {
            shard.states.retain(|_, state| Arc::strong_count(state) > 1);
            shard.limit = LEAST_LIMIT.max(2 * shard.states.len());
        }
        Arc::clone(shard.states.entry(key.clone()).or_default())
    }

    /// What `look` sees in the state of this key, if there is one.
    pub fn peek<R>(&self, key: &K, look: impl FnOnce(&T) -> R) -> Option<R> {
        read(self.shard(key)).states.get(key).map(|state| look(state))
    }

    fn shard(&self, key: &K) -> &RwLock<Shard<K, T>> {
        // The high bits: the map within uses the low ones.
        &self.shards[(self.hasher.hash_one(key) >> 60) as usize % SHARDS]
    }
}

impl<K, T> Default for States<K, T> {
    fn default() -> Self {
        let hasher = RandomState::default();
        let shard = || Shard { states: HashMap::with_hasher(hasher.clone()), limit: LEAST_LIMIT };
        Self { shards: std::array::from_fn(|_| RwLock::new(shard())), hasher }
    }
}

impl<K, T> fmt::Debug for States<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: usize = self.shards.iter().map(|shard| read(shard).states.len()).sum();
        f.debug_struct("States").field("known", &known).finish_non_exhaustive()
    }
}

// Nothing is half done when a thread panics here: every change is one call of the map.
fn read<K, T>(shard: &RwLock<Shard<K, T>>) -> RwLockReadGuard<'_, Shard<K, T>> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<K, T>(shard: &RwLock<Shard<K, T>>) -> RwLockWriteGuard<'_, Shard<K, T>> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn states_that_nobody_holds_do_not_pile_up() {
        let states: States<u32, AtomicU32> = States::default();
        let held = states.get(&0);
        held.store(7, Ordering::Relaxed);
        for key in 1..100_000 {
            states.get(&key);
        }
        let known: usize = states.shards.iter().map(|shard| read(shard).states.len()).sum();
        assert!(known <= SHARDS * LEAST_LIMIT, "{known}");
        assert_eq!(states.peek(&0, |state| state.load(Ordering::Relaxed)), Some(7), "it is held");
    }
}
