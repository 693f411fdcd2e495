//! The match entries that share one host and one path, in precedence order, and an index over large groups of them.
//!
//! Most groups have one entry. A group where many differ in the value of one header or query parameter (a thousand
//! tenants behind one path) is indexed by that value, so that its size does not matter.

use std::ops::Range;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use http::HeaderName;

use super::RuleId;
use crate::matching::query_param::first_value;
use crate::matching::{Conditions, RequestHead, ValueMatch};

/// One match entry of a rule, without its host and path.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) rule: RuleId,
    /// The position in the rule's `matches`.
    pub(crate) entry: u16,
    /// What is asked for besides the path; nothing, for most.
    pub(crate) conditions: Option<Box<Conditions>>,
}

/// All candidates of a listener; a group is a range of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candidates {
    all: Box<[Candidate]>,
    indexes: Box<[ValueIndex]>,
}

/// Where a group stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    start: u32,
    end: u32,
    /// Its position among the indexes, or [`NO_INDEX`].
    index: u32,
}

const NO_INDEX: u32 = u32::MAX;

/// From how many entries on a group is indexed. Below, looking at each is as fast.
const INDEXED_FROM: usize = 8;

/// The entries of a group by the exact value they ask for in one header or query parameter.
#[derive(Clone, Debug)]
struct ValueIndex {
    key: Key,
    /// Positions in the group, ascending.
    by_value: HashMap<Box<[u8]>, Vec<u32>, FixedState>,
    /// Positions of the entries that do not ask for an exact value there.
    rest: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Header(HeaderName),
    QueryParam(Box<str>),
}

/// Collects the groups of a listener.
#[derive(Debug, Default)]
pub(crate) struct CandidatesBuilder {
    all: Vec<Candidate>,
    indexes: Vec<ValueIndex>,
}

// === impl Candidate ===

impl Candidate {
    pub(crate) fn matches(&self, request: &RequestHead<'_>) -> bool {
        self.conditions.as_ref().is_none_or(|conditions| conditions.unmet(request).is_none())
    }
}

// === impl Candidates ===

impl Candidates {
    /// The first candidate of the group that the request meets.
    pub(crate) fn first(&self, group: Group, request: &RequestHead<'_>) -> Option<&Candidate> {
        let all = self.group(group);
        match self.indexes.get(group.index as usize) {
            None => all.iter().find(|candidate| candidate.matches(request)),
            Some(index) => index.first(all, request),
        }
    }

    /// Every candidate of the group, in precedence order.
    pub(crate) fn group(&self, group: Group) -> &[Candidate] {
        &self.all[group.start as usize..group.end as usize]
    }
}

// === impl ValueIndex ===

impl ValueIndex {
    fn first<'c>(&self, all: &'c [Candidate], request: &RequestHead<'_>) -> Option<&'c Candidate> {
        let first_of =
            |positions: &[u32]| positions.iter().copied().find(|i| all[*i as usize].matches(request));
        let of_value = |value: &[u8]| self.by_value.get(value).and_then(|positions| first_of(positions));
        let by_value = match &self.key {
            // Any line of a repeated header may match, so each is looked up.
            Key::Header(name) => {
                request.headers.get_all(name).iter().filter_map(|line| of_value(line.as_bytes())).min()
            }
            Key::QueryParam(name) => first_value(request.query, name).and_then(|value| of_value(&value)),
        };
        let position = match (by_value, first_of(&self.rest)) {
            (Some(a), Some(b)) => a.min(b),
            (one, other) => one.or(other)?,
        };
        Some(&all[position as usize])
    }

    /// The index for a group, on the header or query parameter for which most of its entries ask an exact value; none
    /// for a small group, or one that no index would make much smaller.
    fn over(group: &[Candidate]) -> Option<Self> {
        if group.len() < INDEXED_FROM {
            return None;
        }
        let mut counts: HashMap<Key, usize, FixedState> = HashMap::default();
        for conditions in group.iter().filter_map(|candidate| candidate.conditions.as_deref()) {
            for header in conditions.headers() {
                if let ValueMatch::Exact(_) = header.value {
                    *counts.entry(Key::Header(header.name.clone())).or_default() += 1;
                }
            }
            for param in conditions.query_params() {
                if let ValueMatch::Exact(_) = param.value {
                    *counts.entry(Key::QueryParam(param.name.clone())).or_default() += 1;
                }
            }
        }
        // The name breaks ties, so that equal tables are built equally.
        let (key, count) =
            counts.into_iter().max_by(|(a, n), (b, m)| n.cmp(m).then_with(|| b.text().cmp(&a.text())))?;
        if count < group.len() / 2 {
            return None;
        }
        let mut index = Self { key, by_value: HashMap::default(), rest: Vec::new() };
        for (position, candidate) in group.iter().enumerate() {
            let position = position as u32;
            match candidate.conditions.as_deref().and_then(|conditions| index.key.value_in(conditions)) {
                Some(value) => match index.by_value.get_mut(value) {
                    Some(positions) => positions.push(position),
                    None => drop(index.by_value.insert(value.into(), vec![position])),
                },
                None => index.rest.push(position),
            }
        }
        Some(index)
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

    fn value_in<'c>(&self, conditions: &'c Conditions) -> Option<&'c [u8]> {
        let value = match self {
            Self::Header(name) => &conditions.header(name)?.value,
            Self::QueryParam(name) => &conditions.query_param(name)?.value,
        };
        match value {
            ValueMatch::Exact(value) => Some(value),
            ValueMatch::Regex(_) => None,
        }
    }
}

// === impl CandidatesBuilder ===

impl CandidatesBuilder {
    /// Room for `count` candidates.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self { all: Vec::with_capacity(count), indexes: Vec::new() }
    }

    /// Adds a group, its candidates in precedence order.
    pub(crate) fn group(&mut self, candidates: impl Iterator<Item = Candidate>) -> Group {
        let range: Range<usize> = {
            let start = self.all.len();
            self.all.extend(candidates);
            start..self.all.len()
        };
        let index = match ValueIndex::over(&self.all[range.clone()]) {
            Some(index) => {
                self.indexes.push(index);
                self.indexes.len() as u32 - 1
            }
            None => NO_INDEX,
        };
        Group { start: range.start as u32, end: range.end as u32, index }
    }

    pub(crate) fn finish(self) -> Candidates {
        Candidates { all: self.all.into(), indexes: self.indexes.into() }
    }
}
