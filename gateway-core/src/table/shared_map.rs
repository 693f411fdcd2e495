//! A hash map of names that shares what does not change with its copies.
//!
//! The names are divided among small maps by their hash; a change copies one of them and the list, so that it costs the same
//! however many names there are, but for a pointer in sixteen. A look-up costs one hash, as in a map that is not divided.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// How many names there are to a small map, at most on average.
const NAMES: usize = 16;

/// Values by name.
///
/// Hashed with a seed of this map and its copies, so nobody can write names that collide.
#[derive(Clone)]
pub(crate) struct SharedMap<T> {
    /// As many as a power of two, or none.
    maps: Vec<Arc<Part<T>>>,
    length: usize,
    seed: RandomState,
}

/// The names whose hashes end alike, with their values.
type Part<T> = HashTable<(Arc<str>, T)>;

// === impl SharedMap ===

impl<T> Default for SharedMap<T> {
    fn default() -> Self {
        Self { maps: Vec::new(), length: 0, seed: RandomState::default() }
    }
}

impl<T> SharedMap<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The value of a name.
    #[inline]
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        let hash = self.seed.hash_one(name);
        let map = self.maps.get(place(hash, self.maps.len()))?;
        map.find(hash, |(known, _)| **known == *name).map(|(_, value)| value)
    }
}

impl<T: Clone> SharedMap<T> {
    /// The value of a name, made by `make` when there is none.
    pub(crate) fn entry(&mut self, name: &Arc<str>, make: impl FnOnce() -> T) -> &mut T {
        if self.get(name).is_none() {
            self.add(name, make());
        }
        let hash = self.seed.hash_one(&**name);
        let map = self.map(hash);
        let found = map.find_mut(hash, |(known, _)| known == name);
        &mut found.expect("it was there, or has just been added").1
    }

    /// Gives a name a value.
    pub(crate) fn insert(&mut self, name: &Arc<str>, value: T) {
        let hash = self.seed.hash_one(&**name);
        if self.get(name).is_none() {
            self.add(name, value);
        } else if let Some(found) = self.map(hash).find_mut(hash, |(known, _)| known == name) {
            found.1 = value;
        }
    }

    /// Takes a name away.
    pub(crate) fn remove(&mut self, name: &Arc<str>) {
        if self.get(name).is_none() {
            return;
        }
        let hash = self.seed.hash_one(&**name);
        if let Ok(found) = self.map(hash).find_entry(hash, |(known, _)| known == name) {
            found.remove();
            self.length -= 1;
        }
    }

    fn add(&mut self, name: &Arc<str>, value: T) {
        self.length += 1;
        if self.length > NAMES * self.maps.len() {
            self.grow();
        }
        let (hash, seed) = (self.seed.hash_one(&**name), self.seed.clone());
        self.map(hash).insert_unique(hash, (name.clone(), value), |(name, _)| seed.hash_one(&**name));
    }

    fn map(&mut self, hash: u64) -> &mut HashTable<(Arc<str>, T)> {
        let place = place(hash, self.maps.len());
        Arc::make_mut(&mut self.maps[place])
    }

    /// Divides the names among twice as many maps.
    fn grow(&mut self) {
        let count = (2 * self.maps.len()).max(1);
        let mut maps: Vec<HashTable<(Arc<str>, T)>> = (0..count).map(|_| HashTable::new()).collect();
        let hash_of = |(name, _): &(Arc<str>, T)| self.seed.hash_one(&**name);
        for entry in self.maps.iter().flat_map(|map| map.iter()) {
            let hash = hash_of(entry);
            maps[place(hash, count)].insert_unique(hash, entry.clone(), hash_of);
        }
        self.maps = maps.into_iter().map(Arc::new).collect();
    }
}

/// Which of `count` maps has the names with this hash. The small maps use other bits of it.
#[inline]
fn place(hash: u64, count: usize) -> usize {
    (hash >> 32) as usize & count.wrapping_sub(1)
}

impl<T: fmt::Debug> fmt::Debug for SharedMap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.maps.iter().flat_map(|map| map.iter()).map(|(k, v)| (k, v))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_and_go_and_copies_stay_as_they_were() {
        let names: Vec<Arc<str>> = (0..500).map(|i| format!("h{i}.example").into()).collect();
        let mut map = SharedMap::default();
        for (i, name) in names.iter().enumerate() {
            assert_eq!(*map.entry(name, || i), i);
            assert_eq!(*map.entry(name, || 0), i, "it is there already");
        }
        let before = map.clone();
        map.insert(&names[7], 1_000);
        map.remove(&names[8]);
        map.remove(&names[8]);
        for (i, name) in names.iter().enumerate() {
            assert_eq!(before.get(name), Some(&i));
            let expected = match i {
                7 => Some(1_000),
                8 => None,
                other => Some(other),
            };
            assert_eq!(map.get(name).copied(), expected);
        }
        assert_eq!((map.get("x"), map.length), (None, 499));
        let shared = before.maps.iter().zip(&map.maps).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert!(before.maps.len() >= 500 / NAMES && shared >= before.maps.len() - 2, "{shared}");
    }
}
