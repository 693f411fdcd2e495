//! A hash map of names that shares what does not change with its copies.
//!
//! The names are divided among small maps by their hash; a change makes one of them anew and copies the list, so that it
//! costs the same however many names there are, but for a pointer in eight. A look-up costs one hash, as in a map that is
//! not divided.

use std::fmt;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use smol_str::SmolStr;

use super::hash_slice::{HashSlice, Hashed};

/// How many names there are to a small map, at most on average: so few that hardly any map has more than one line of hashes.
const NAMES: usize = 8;

/// How many times as many small maps as the names need are too many.
const SPARSE: usize = 4;

/// Values by name.
///
/// Hashed with a seed of this map and its copies, so no tenant can write names that collide.
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
        self.maps.iter().flat_map(HashSlice::iter)
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
        self.divide((self.length + changes.len()).div_ceil(NAMES).next_power_of_two().max(self.maps.len()));
        let count = self.maps.len();
        changes.sort_by_key(|(hash, ..)| place(*hash, count));
        let mut changes = changes.into_iter().peekable();
        let seed = &self.seed;
        let hashed = |named: (SmolStr, T)| Hashed { hash: seed.hash_one(&*named.0) as u32, value: named };
        while let Some(first) = changes.next() {
            let at = place(first.0, count);
            let others = std::iter::from_fn(|| changes.next_if(|(hash, ..)| place(*hash, count) == at));
            let changes: Vec<_> = std::iter::once(first).chain(others).collect();
            let map = &mut self.maps[at];
            self.length -= map.iter().count();
            let stays = |name: &SmolStr| changes.iter().all(|(_, changed, _)| changed != name);
            let mut names: Vec<_> = map.iter().filter(|(name, _)| stays(name)).cloned().map(hashed).collect();
            names.extend(changes.into_iter().filter_map(|(hash, name, value)| {
                Some(Hashed { hash: hash as u32, value: (name.into(), value?) })
            }));
            *map = HashSlice::new(names);
            self.length += map.iter().count();
        }
        // Not at once, so that a few names that come and go do not divide all of them anew each time.
        let enough = self.length.div_ceil(NAMES).next_power_of_two();
        if enough * SPARSE <= count {
            self.divide(2 * enough);
        }
    }

    /// Divides the names among so many maps.
    fn divide(&mut self, count: usize) {
        if count == self.maps.len() {
            return;
        }
        let mut maps: Vec<Vec<_>> = vec![Vec::new(); count];
        for (name, value) in self.iter().cloned() {
            let hash = self.seed.hash_one(&*name);
            maps[place(hash, count)].push(Hashed { hash: hash as u32, value: (name, value) });
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

    #[test]
    fn a_map_of_which_most_has_gone_becomes_small() {
        let names: Vec<String> = (0..500).map(|i| format!("h{i}.example")).collect();
        let mut map = SharedMap::default();
        map.change(names.iter().map(|name| (&**name, Some(()))));
        let most = map.maps.len();
        for name in &names[50..] {
            map.change([(&**name, None)]);
        }
        assert!(map.maps.len() * 2 < most, "{} of {most}", map.maps.len());
        assert!(names[..50].iter().all(|name| map.get(name).is_some()));
        map.change(names.iter().map(|name| (&**name, None)));
        assert!(map.maps.len() <= 2 && map.is_empty());
        map.change([(&*names[0], Some(()))]);
        assert_eq!(map.get(&names[0]), Some(&()));
    }
}
