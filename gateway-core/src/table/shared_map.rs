//! A hash map of names that shares what does not change with its copies.
//!
//! The names are divided among small maps by their hash; a change makes one of them anew and copies the list, so that it
//! costs the same however many names there are, but for a pointer in sixteen. A look-up costs one hash, as in a map that is
//! not divided.

use std::fmt;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use smol_str::SmolStr;

use super::hash_slice::{HashSlice, Hashed};

/// How many names there are to a small map, at most on average.
const NAMES: usize = 16;

/// Values by name.
///
/// Hashed with a seed of this map and its copies, so nobody can write names that collide.
#[derive(Clone)]
pub(crate) struct SharedMap<T> {
    /// As many as a power of two, or none.
    maps: Vec<HashSlice<(SmolStr, T)>>,
    length: usize,
    seed: RandomState,
}

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
        map.find(hash as u32, |(known, _)| known == name).map(|(_, value)| value)
    }

    fn iter(&self) -> impl Iterator<Item = &(SmolStr, T)> {
        self.maps.iter().flat_map(HashSlice::iter).map(|hashed| &hashed.value)
    }
}

impl<T: Clone> SharedMap<T> {
    /// Gives names values, or takes them away. Each name may be there once.
    pub(crate) fn change<'n>(&mut self, changes: impl IntoIterator<Item = (&'n str, Option<T>)>) {
        let mut changes: Vec<_> =
            changes.into_iter().map(|(name, value)| (self.seed.hash_one(name), name, value)).collect();
        if changes.is_empty() {
            return;
        }
        self.make_room(changes.len());
        let count = self.maps.len();
        changes.sort_by_key(|(hash, ..)| place(*hash, count));
        for changes in changes.chunk_by(|(a, ..), (b, ..)| place(*a, count) == place(*b, count)) {
            let map = &mut self.maps[place(changes[0].0, count)];
            self.length -= map.iter().count();
            let stays = |name: &SmolStr| changes.iter().all(|(_, changed, _)| changed != name);
            let others = map.iter().filter(|hashed| stays(&hashed.value.0)).cloned();
            let changed = changes.iter().filter_map(|(hash, name, value)| {
                Some(Hashed { hash: *hash as u32, value: ((*name).into(), value.clone()?) })
            });
            *map = HashSlice::new(others.chain(changed));
            self.length += map.iter().count();
        }
    }

    /// Divides the names among more maps, if so many more would be too many.
    fn make_room(&mut self, more: usize) {
        let count = (self.length + more).div_ceil(NAMES).next_power_of_two();
        if count <= self.maps.len() {
            return;
        }
        let mut maps: Vec<Vec<_>> = vec![Vec::new(); count];
        for named in self.iter() {
            let hash = self.seed.hash_one(&*named.0);
            maps[place(hash, count)].push(Hashed { hash: hash as u32, value: named.clone() });
        }
        self.maps = maps.into_iter().map(HashSlice::new).collect();
    }
}

/// Which of `count` maps has the names with this hash. The small maps use other bits of it.
#[inline]
fn place(hash: u64, count: usize) -> usize {
    (hash >> 32) as usize & count.wrapping_sub(1)
}

impl<T: fmt::Debug> fmt::Debug for SharedMap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, value))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_and_go_and_copies_stay_as_they_were() {
        let names: Vec<String> = (0..500).map(|i| format!("h{i}.a.long.name.example")).collect();
        let mut map = SharedMap::default();
        map.change(names[..300].iter().map(|name| (&**name, Some(0))));
        map.change(names[..200].iter().enumerate().map(|(i, name)| (&**name, Some(i))));
        for (i, name) in names.iter().enumerate().skip(200) {
            map.change([(&**name, Some(i))]);
            assert_eq!(map.get(name), Some(&i));
        }
        let before = map.clone();
        map.change([(&*names[7], Some(1_000)), (&*names[8], None)]);
        map.change([(&*names[8], None)]);
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
        let shared = before.maps.iter().zip(&map.maps).filter(|(a, b)| a.is_shared_with(b)).count();
        assert!(before.maps.len() >= 500 / NAMES && shared >= before.maps.len() - 2, "{shared}");
    }
}
