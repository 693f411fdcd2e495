//! The exact paths and prefixes of one hostname: one hash table.
//!
//! `matchit` was measured for this step and is 2 to 5 times slower here (see the `ratios` benchmark); besides, its `{}`
//! syntax would have to be escaped in every path.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Whether a path must be the request's or a prefix of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathKind {
    Exact,
    Prefix,
}

/// What stands behind each path.
///
/// Keys are hashed with a seed of this table, so nobody can write routes whose paths collide.
#[derive(Clone, Debug)]
pub(crate) struct Paths<G> {
    slots: HashTable<Slot<G>>,
    /// The paths of all keys, one after the other.
    text: String,
    seed: RandomState,
}

/// A key and what stands behind it, in few bytes: finding a slot is the cache miss that counts.
#[derive(Clone, Copy, Debug)]
struct Slot<G> {
    kind: PathKind,
    /// Where the path stands in the text.
    start: u32,
    length: u32,
    group: G,
}

// === impl Paths ===

impl<G> Default for Paths<G> {
    fn default() -> Self {
        Self { slots: HashTable::new(), text: String::new(), seed: RandomState::default() }
    }
}

impl<G: Copy> Paths<G> {
    /// What stands behind a path.
    #[inline]
    pub(crate) fn find(&self, kind: PathKind, path: &str) -> Option<G> {
        let is_key = |slot: &Slot<G>| slot.is(&self.text, kind, path);
        self.slots.find(hash(&self.seed, kind, path), is_key).map(|slot| slot.group)
    }

    /// What stands behind a path, made by `make` when there is nothing.
    pub(crate) fn entry(&mut self, kind: PathKind, path: &str, make: impl FnOnce() -> G) -> G {
        if let Some(group) = self.find(kind, path) {
            return group;
        }
        let Self { slots, text, seed } = self;
        let slot = Slot { kind, start: text.len() as u32, length: path.len() as u32, group: make() };
        text.push_str(path);
        slots.insert_unique(hash(seed, kind, path), slot, |slot| slot.hash(seed, text));
        slot.group
    }

    /// The same paths with other things behind them.
    pub(crate) fn map<H>(self, with: impl Fn(G) -> H) -> Paths<H> {
        let Self { slots: before, mut text, seed } = self;
        text.shrink_to_fit();
        let mut slots = HashTable::with_capacity(before.len());
        for slot in before {
            let hash = slot.hash(&seed, &text);
            let Slot { kind, start, length, group } = slot;
            let slot = Slot { kind, start, length, group: with(group) };
            slots.insert_unique(hash, slot, |slot| slot.hash(&seed, &text));
        }
        Paths { slots, text, seed }
    }
}

// === impl Slot ===

impl<G> Slot<G> {
    fn path<'t>(&self, text: &'t str) -> &'t str {
        let start = self.start as usize;
        &text[start..start + self.length as usize]
    }

    #[inline]
    fn is(&self, text: &str, kind: PathKind, path: &str) -> bool {
        self.kind == kind && self.path(text) == path
    }

    fn hash(&self, seed: &RandomState, text: &str) -> u64 {
        hash(seed, self.kind, self.path(text))
    }
}

#[inline]
fn hash(seed: &RandomState, kind: PathKind, path: &str) -> u64 {
    seed.hash_one((kind as u8, path))
}
