//! A hash map of names that shares what does not change with its copies.
//!
//! The names are divided among small maps by their hash, and these stand in chunks; a change copies one of each, and the list of
//! chunks, so that it costs the same however many names there are, but for a pointer in some hundred. A look-up costs one hash,
//! as in a map that is not divided.

use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;
use smol_str::SmolStr;

use super::hash_slice::{HashSlice, Hashed, hash};

/// How many names there are to a small map, at most on average: so few that hardly any map has more than one line of hashes.
const NAMES: usize = 8;

/// How many small maps a chunk has.
const CHUNK: usize = 16;

/// How many times as many small maps as the names need are too many.
const SPARSE: usize = 4;

/// Values by name.
///
/// Hashed with a seed of this map and its copies, so no tenant can write names that collide.
#[derive(Clone)]
pub(crate) struct SharedMap<T> {
    chunks: Vec<Chunk<T>>,
    /// How many small maps there are: a power of two, or none.
    count: usize,
    /// How many names there are.
    length: usize,
    seed: RandomState,
}

type Chunk<T> = Arc<[HashSlice<(SmolStr, T)>]>;

// === impl SharedMap ===

impl<T> Default for SharedMap<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), count: 0, length: 0, seed: RandomState::default() }
    }
}

impl<T> SharedMap<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The value of a name.
    #[inline]
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.find(hash(&self.seed, name.as_bytes()), name)
    }

    #[inline]
    fn find(&self, hash: u64, name: &str) -> Option<&T> {
        let place = place(hash, self.count);
        let map = self.chunks.get(place / CHUNK)?.get(place % CHUNK)?;
        map.find(hash as u32, |(known, _)| known == name).map(|(_, value)| value)
    }

    /// All names with their values, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(SmolStr, T)> {
        self.maps().flat_map(HashSlice::iter)
    }

    fn maps(&self) -> impl Iterator<Item = &HashSlice<(SmolStr, T)>> {
        self.chunks.iter().flat_map(|maps| &**maps)
    }
}

impl<T: Clone> SharedMap<T> {
    /// Gives names values, or takes them away. Each name may be there once.
    pub(crate) fn change<'n>(&mut self, changes: impl IntoIterator<Item = (&'n str, Option<T>)>) {
        let mut others = Vec::new();
        for (name, value) in changes {
            let hash = hash(&self.seed, name.as_bytes());
            match value {
                Some(value) if self.find(hash, name).is_some() => self.replace(hash, name, value),
                value => others.push((hash, name, value)),
            }
        }
        if !others.is_empty() {
            self.come_or_go(others);
        }
    }

    /// Gives a name that is there another value.
    fn replace(&mut self, hash: u64, name: &str, value: T) {
        let map = self.map_mut(place(hash, self.count));
        if let Some((_, known)) = map.find_mut(hash as u32, |(known, _)| known == name) {
            *known = value;
        }
    }

    /// A small map, to be changed; copies keep it as it is.
    fn map_mut(&mut self, place: usize) -> &mut HashSlice<(SmolStr, T)> {
        &mut Arc::make_mut(&mut self.chunks[place / CHUNK])[place % CHUNK]
    }

    /// Adds names with their hashes, or takes them away; the small maps that they belong to are made anew.
    fn come_or_go(&mut self, mut changes: Vec<(u64, &str, Option<T>)>) {
        self.divide((self.length + changes.len()).div_ceil(NAMES).next_power_of_two().max(self.count));
        let count = self.count;
        changes.sort_by_key(|(hash, ..)| place(*hash, count));
        let mut changes = changes.into_iter().peekable();
        let seed = self.seed.clone();
        let hashed =
            |named: (SmolStr, T)| Hashed { hash: hash(&seed, named.0.as_bytes()) as u32, value: named };
        while let Some(first) = changes.next() {
            let at = place(first.0, count);
            let others = std::iter::from_fn(|| changes.next_if(|(hash, ..)| place(*hash, count) == at));
            let changes: Vec<_> = std::iter::once(first).chain(others).collect();
            let map = self.map_mut(at);
            let before = map.iter().count();
            let stays = |name: &SmolStr| changes.iter().all(|(_, changed, _)| changed != name);
            let mut names: Vec<_> = map.iter().filter(|(name, _)| stays(name)).cloned().map(hashed).collect();
            names.extend(changes.into_iter().filter_map(|(hash, name, value)| {
                Some(Hashed { hash: hash as u32, value: (name.into(), value?) })
            }));
            let after = names.len();
            *map = HashSlice::new(names);
            self.length = self.length + after - before;
        }
        // Not at once, so that a few names that come and go do not divide all of them anew each time.
        let enough = self.length.div_ceil(NAMES).next_power_of_two();
        if enough * SPARSE <= count {
            self.divide(2 * enough);
        }
    }

    /// Divides the names among so many maps.
    fn divide(&mut self, count: usize) {
        if count == self.count {
            return;
        }
        let mut maps: Vec<Vec<_>> = vec![Vec::new(); count];
        for (name, value) in self.iter().cloned() {
            let hash = hash(&self.seed, name.as_bytes());
            maps[place(hash, count)].push(Hashed { hash: hash as u32, value: (name, value) });
        }
        let maps: Vec<_> = maps.into_iter().map(HashSlice::new).collect();
        self.chunks = maps.chunks(CHUNK).map(Chunk::from).collect();
        self.count = count;
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
        let all = before.maps().zip(map.maps());
        let shared = all.filter(|(a, b)| a.is_shared_with(b)).count();
        assert!(before.count >= 500 / NAMES && shared >= before.count - 2, "{shared}");
        let all = before.chunks.iter().zip(&map.chunks);
        let shared = all.filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert!(before.count == before.chunks.len() * CHUNK && shared >= before.chunks.len() - 2, "{shared}");
    }

    #[test]
    fn a_map_of_which_most_has_gone_becomes_small() {
        let names: Vec<String> = (0..500).map(|i| format!("h{i}.example")).collect();
        let mut map = SharedMap::default();
        map.change(names.iter().map(|name| (&**name, Some(()))));
        let most = map.count;
        for name in &names[50..] {
            map.change([(&**name, None)]);
        }
        assert!(map.count * 2 < most, "{} of {most}", map.count);
        assert!(names[..50].iter().all(|name| map.get(name).is_some()));
        map.change(names.iter().map(|name| (&**name, None)));
        assert!(map.count <= 2 && map.is_empty());
        map.change([(&*names[0], Some(()))]);
        assert_eq!(map.get(&names[0]), Some(&()));
    }
}
