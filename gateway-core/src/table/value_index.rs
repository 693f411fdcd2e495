//! Indexes over the candidates of one path, by the values that they ask for.
//!
//! A path with a thousand tenants behind it, told apart by a header, has a thousand entries. They are found by the value
//! of that header; entries told apart by another header or query parameter stand in an index of their own, and only
//! those that nothing tells apart are looked at one by one.

use std::cmp::Reverse;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use http::HeaderName;
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::candidate::Candidate;
use super::hash_slice::{HashSlice, Hashed, hash};
use crate::matching::{Conditions, RequestHead, ValueMatch};

/// The indexes over one list of candidates. Together with the rest they hold every candidate once.
#[derive(Debug)]
pub(crate) struct ValueIndexes {
    indexes: Box<[ValueIndex]>,
    /// Positions of the candidates in no index, ascending.
    rest: Box<[u32]>,
}

/// Candidates by the exact value they ask for in one header or query parameter.
///
/// Hashed with a seed of this index, so no tenant can write values that collide.
#[derive(Debug)]
struct ValueIndex {
    key: Key,
    values: HashSlice<OfValue>,
    seed: RandomState,
}

/// The candidates that ask for one value, ascending; that is one for most values.
#[derive(Clone, Debug)]
struct OfValue {
    value: SmolStr,
    candidates: SmallVec<[Indexed; 1]>,
}

#[derive(Clone, Copy, Debug)]
struct Indexed {
    /// The position in the list.
    position: u32,
    /// Whether the candidate asks for nothing but the value.
    nothing_else: bool,
}

/// What tells candidates apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Header(HeaderName),
    QueryParam(Box<str>),
}

type Values<'c> = HashSet<&'c str, RandomState>;

/// From how many different values on there is an index. Below, looking at each candidate is as fast.
const INDEXED_FROM: usize = 8;

// === impl ValueIndexes ===

impl ValueIndexes {
    /// The indexes for a list, if any would help.
    pub(crate) fn over(list: &[Candidate]) -> Option<Self> {
        if list.len() < INDEXED_FROM {
            return None;
        }
        let keys = keys_by_use(list);
        let mut by_key: Vec<Vec<(&str, Indexed)>> = vec![Vec::new(); keys.len()];
        let mut rest = Vec::new();
        for (position, candidate) in list.iter().enumerate() {
            let position = position as u32;
            let exact = candidate.conditions.iter().flat_map(|conditions| exact_values(conditions));
            match exact.filter_map(|(key, value)| Some((*keys.get(&key)?, value))).min() {
                Some((key, value)) => {
                    let nothing_else = candidate.conditions.as_deref().is_some_and(is_single);
                    by_key[key].push((value, Indexed { position, nothing_else }));
                }
                None => rest.push(position),
            }
        }
        let mut indexes = Vec::new();
        let mut in_order: Vec<(Key, usize)> = keys.into_iter().collect();
        in_order.sort_by_key(|(_, place)| *place);
        for ((key, _), candidates) in in_order.into_iter().zip(by_key) {
            // A better key may have taken most of them.
            if candidates.len() < INDEXED_FROM {
                rest.extend(candidates.iter().map(|(_, indexed)| indexed.position));
            } else {
                indexes.push(ValueIndex::new(key, candidates));
            }
        }
        rest.sort_unstable();
        (!indexes.is_empty()).then(|| Self { indexes: indexes.into(), rest: rest.into() })
    }

    /// The first candidate of the list that the request meets.
    pub(crate) fn first<'c>(
        &self,
        list: &'c [Candidate],
        request: &RequestHead<'_>,
    ) -> Option<&'c Candidate> {
        let mut first = usize::MAX;
        for index in &self.indexes {
            index.each_found(request, |indexed| {
                let better = indexed
                    .iter()
                    .take_while(|indexed| (indexed.position as usize) < first)
                    .find(|indexed| indexed.nothing_else || list[indexed.position as usize].matches(request));
                if let Some(better) = better {
                    first = better.position as usize;
                }
            });
        }
        let rest =
            self.rest.iter().map(|position| *position as usize).take_while(|position| *position < first);
        let first = rest.into_iter().find(|position| list[*position].matches(request)).unwrap_or(first);
        list.get(first)
    }
}

/// The keys for which the list asks many different values, each with its place: most values first.
fn keys_by_use(list: &[Candidate]) -> HashMap<Key, usize, RandomState> {
    let mut values: HashMap<Key, Values<'_>, RandomState> = HashMap::default();
    for (key, value) in list.iter().flat_map(|candidate| &candidate.conditions).flat_map(|c| exact_values(c))
    {
        values.entry(key).or_default().insert(value);
    }
    let mut keys: Vec<(Key, usize)> = values.into_iter().map(|(key, values)| (key, values.len())).collect();
    keys.retain(|(_, values)| *values >= INDEXED_FROM);
    // The name breaks ties, so that equal tables are built equally.
    keys.sort_by(|(a, n), (b, m)| Reverse(n).cmp(&Reverse(m)).then_with(|| a.text().cmp(&b.text())));
    keys.into_iter().enumerate().map(|(place, (key, _))| (key, place)).collect()
}

/// The headers and query parameters for which an exact value is asked, as far as it is text: in manifests it is.
fn exact_values(conditions: &Conditions) -> impl Iterator<Item = (Key, &str)> {
    let headers = conditions.headers().iter();
    let headers =
        headers.filter_map(|header| Some((Key::Header(header.name.clone()), exact(&header.value)?)));
    let params = conditions.query_params().iter();
    let params = params.filter_map(|param| Some((Key::QueryParam(param.name.clone()), exact(&param.value)?)));
    headers.chain(params)
}

fn exact(value: &ValueMatch) -> Option<&str> {
    match value {
        ValueMatch::Exact(exact) => str::from_utf8(exact).ok(),
        ValueMatch::Regex(_) => None,
    }
}

/// Whether one header or query parameter is all that is asked for.
fn is_single(conditions: &Conditions) -> bool {
    conditions.method().is_none() && conditions.headers().len() + conditions.query_params().len() == 1
}

// === impl ValueIndex ===

impl ValueIndex {
    /// `candidates` ascend.
    fn new(key: Key, mut candidates: Vec<(&str, Indexed)>) -> Self {
        candidates.sort_by_key(|(value, _)| *value);
        let seed = RandomState::default();
        let values = candidates.chunk_by(|(a, _), (b, _)| a == b).map(|of_value| {
            let value = of_value[0].0;
            let candidates = of_value.iter().map(|(_, indexed)| *indexed).collect();
            let hash = hash(&seed, value.as_bytes()) as u32;
            Hashed { hash, value: OfValue { value: value.into(), candidates } }
        });
        Self { key, values: HashSlice::new(values), seed }
    }

    /// Shows the candidates of each value that the request has.
    fn each_found(&self, request: &RequestHead<'_>, mut found: impl FnMut(&[Indexed])) {
        let mut look_up = |value: &[u8]| {
            let hash = hash(&self.seed, value) as u32;
            if let Some(known) = self.values.find(hash, |known| known.value.as_bytes() == value) {
                found(&known.candidates);
            }
        };
        match &self.key {
            // Any line of a repeated header may match, so each is looked up.
            Key::Header(name) => {
                request.header_values(name).for_each(&mut look_up);
            }
            Key::QueryParam(name) => {
                if let Some(value) = request.query_param(name) {
                    look_up(&value);
                }
            }
        }
    }
}

// === impl Key ===

impl Key {
    fn text(&self) -> (&str, bool) {
        match self {
            Self::Header(name) => (name.as_str(), false),
            Self::QueryParam(name) => (name, true),
        }
    }
}
