//! The parameters of a long query, found by name.
//!
//! What a client sends and what tenants write must not multiply: a query of thirty thousand parameters and a path with a
//! hundred entries that each ask for another one would otherwise be three million comparisons. A query that is long is
//! therefore split once, when an entry first asks for a parameter.

use std::cell::Cell;
use std::fmt;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use smallvec::SmallVec;

use super::query::{Value, decoded, is_encoded, needs_decoding, pair};

/// Where the first parameter of each name begins in a query.
#[derive(Clone)]
pub(super) struct QueryIndex {
    starts: HashTable<u32>,
    hasher: RandomState,
}

thread_local! {
    /// The memory of the last index of this thread, so that the next one takes none.
    static SPARE: Cell<HashTable<u32>> = const { Cell::new(HashTable::new()) };
}

// === impl QueryIndex ===

impl QueryIndex {
    /// Splits a query. Names that are the same when decoded are one.
    pub(super) fn new(query: &str) -> Self {
        let (mut starts, hasher) = (SPARE.take(), RandomState::default());
        let mut start = 0;
        for text in query.split('&') {
            let (name, _) = pair(text);
            let same = |other: &u32| is_same(pair(from(query, *other)).0, name);
            starts
                .entry(hash(&hasher, name), same, |other| hash(&hasher, pair(from(query, *other)).0))
                .or_insert(start);
            start += text.len() as u32 + 1;
        }
        Self { starts, hasher }
    }

    /// The value of the first parameter called `name`; `query` is the one that the index was made of.
    pub(super) fn value<'q>(&self, query: &'q str, name: &str) -> Option<Value<'q>> {
        let found = self.starts.find(self.hasher.hash_one(name.as_bytes()), |start| {
            is_encoded(pair(from(query, *start)).0, name)
        })?;
        Some(Value::decode(pair(from(query, *found)).1))
    }
}

impl Drop for QueryIndex {
    fn drop(&mut self) {
        let mut starts = std::mem::take(&mut self.starts);
        starts.clear();
        // At the end of a thread there is no next one.
        let _ = SPARE.try_with(|spare| spare.set(starts));
    }
}

impl fmt::Debug for QueryIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryIndex").field("names", &self.starts.len()).finish_non_exhaustive()
    }
}

/// The parameter that begins there.
fn from(query: &str, start: u32) -> &str {
    let rest = &query[start as usize..];
    memchr::memchr(b'&', rest.as_bytes()).map_or(rest, |end| &rest[..end])
}

/// Whether two names as they are written are the same.
fn is_same(one: &str, other: &str) -> bool {
    one == other || (needs_decoding(one) || needs_decoding(other)) && decoded(one).eq(decoded(other))
}

/// The hash of the decoded name.
fn hash(hasher: &RandomState, name: &str) -> u64 {
    if needs_decoding(name) {
        hasher.hash_one(&decoded(name).collect::<SmallVec<[u8; 64]>>()[..])
    } else {
        hasher.hash_one(name.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::query::first_value;

    // HRM-12, HRM-13, AMB-30 to AMB-32
    #[test]
    fn every_parameter_has_the_value_that_a_look_from_the_start_finds() {
        let query = "a=1&b=2&a=3&&c&%61=4&d%20e=5&d+e=6&=7&f=%zz&g=h=i&a+=8&%C3%A4=9&x=";
        let index = QueryIndex::new(query);
        for name in ["a", "b", "c", "d e", "", "f", "g", "a ", "ä", "x", "none", "A", "%61", "d+e"] {
            let (found, expected) = (index.value(query, name), first_value(Some(query), name));
            assert_eq!(found.as_deref(), expected.as_deref(), "{name:?}");
        }
    }

    #[test]
    fn another_index_finds_nothing_of_the_one_before() {
        drop(QueryIndex::new("a=1&b=2"));
        let query = "b=3";
        let index = QueryIndex::new(query);
        assert!(index.value(query, "a").is_none());
        assert_eq!(index.value(query, "b").as_deref(), Some(&b"3"[..]));
    }
}
