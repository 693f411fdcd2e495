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

use super::query::{Value, decoded, is_encoded, needs_decoding};

/// Where the first parameter of each name begins in a query.
#[derive(Clone)]
pub(super) struct QueryIndex {
    names: HashTable<Place>,
    hasher: RandomState,
}

/// Where a name stands in a query, as it is written.
#[derive(Clone, Copy)]
struct Place {
    start: u32,
    end: u32,
}

thread_local! {
    /// The memory of the last index of this thread, so that the next one takes none.
    static SPARE: Cell<HashTable<Place>> = const { Cell::new(HashTable::new()) };
}

// === impl QueryIndex ===

impl QueryIndex {
    /// Splits a query. Names that are the same when decoded are one.
    pub(super) fn new(query: &str) -> Self {
        let mut index = Self { names: SPARE.take(), hasher: RandomState::default() };
        // Most have nothing to decode, which is seen at once.
        if needs_decoding(query) {
            index.insert_all(query, hash, is_same);
        } else {
            index.insert_all(
                query,
                |hasher, name| hasher.hash_one(name.as_bytes()),
                |one, other| one == other,
            );
        }
        index
    }

    #[inline]
    fn insert_all(
        &mut self,
        query: &str,
        hash: impl Fn(&RandomState, &str) -> u64,
        is_same: impl Fn(&str, &str) -> bool,
    ) {
        let Self { names, hasher } = self;
        let (mut start, mut name_end, mut last) = (0, None, None);
        // Parameters are short: to look for the next sign takes longer than to look at each byte.
        for at in 0..=query.len() {
            match query.as_bytes().get(at) {
                Some(b'=') => name_end = name_end.or(Some(at)),
                Some(b'&') | None => {
                    let name = &query[start..name_end.take().unwrap_or(at)];
                    // A list is often written as one name many times over.
                    if last != Some(name) {
                        let place = Place { start: start as u32, end: (start + name.len()) as u32 };
                        let same = |other: &Place| is_same(other.name(query), name);
                        names
                            .entry(hash(hasher, name), same, |other| hash(hasher, other.name(query)))
                            .or_insert(place);
                        last = Some(name);
                    }
                    start = at + 1;
                }
                Some(_) => {}
            }
        }
    }

    /// The value of the first parameter called `name`; `query` is the one that the index was made of.
    pub(super) fn value<'q>(&self, query: &'q str, name: &str) -> Option<Value<'q>> {
        let same = |place: &Place| is_encoded(place.name(query), name);
        let found = self.names.find(self.hasher.hash_one(name.as_bytes()), same)?;
        let rest = &query[found.end as usize..];
        let text = memchr::memchr(b'&', rest.as_bytes()).map_or(rest, |end| &rest[..end]);
        Some(Value::decode(text.strip_prefix('=').unwrap_or(text)))
    }
}

impl Drop for QueryIndex {
    fn drop(&mut self) {
        let mut names = std::mem::take(&mut self.names);
        names.clear();
        // At the end of a thread there is no next one.
        let _ = SPARE.try_with(|spare| spare.set(names));
    }
}

impl fmt::Debug for QueryIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryIndex").field("names", &self.names.len()).finish_non_exhaustive()
    }
}

// === impl Place ===

impl Place {
    fn name(self, query: &str) -> &str {
        &query[self.start as usize..self.end as usize]
    }
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
        for query in [
            "a=1&b=2&a=3&&c&%61=4&d%20e=5&d+e=6&=7&f=%zz&g=h=i&a+=8&%C3%A4=9&x=",
            "a=1&a=2&a&b=3&b=4&a=5&&=7&g=h=i&x=",
            "a&a&b&a&&x",
            "",
        ] {
            let index = QueryIndex::new(query);
            for name in ["a", "b", "c", "d e", "", "f", "g", "a ", "ä", "x", "none", "A", "%61", "d+e"] {
                let (found, expected) = (index.value(query, name), first_value(Some(query), name));
                assert_eq!(found.as_deref(), expected.as_deref(), "{name:?} in {query:?}");
            }
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
