//! The match entries that share one path, in precedence order.
//!
//! Most groups are one entry without conditions; they take no room besides the path's. Large groups are
//! [indexed](super::value_index) by the values that their entries ask for.

use std::sync::Arc;

use super::RuleId;
use super::candidate::{Candidate, Chosen};
use super::value_index::ValueIndexes;
use crate::matching::RequestHead;

/// Where the candidates of one path are, in as few bytes as one [`Chosen`]: there are as many of these as paths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group(Chosen);

/// What a [`Group`] says.
enum Place {
    /// Here: a single one without conditions.
    Single(Chosen),
    /// In a list: its position among the [`Candidates`].
    Listed(u32),
}

/// All groups of an index that are lists. A copy shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candidates(Arc<[List]>);

#[derive(Debug)]
struct List {
    candidates: Box<[Candidate]>,
    indexes: Option<ValueIndexes>,
}

/// Collects the groups of an index.
#[derive(Debug, Default)]
pub(crate) struct CandidatesBuilder {
    lists: Vec<List>,
    /// Those of the group that is being added.
    group: Vec<Candidate>,
}

// === impl Group ===

impl Group {
    const LISTED: u16 = u16::MAX;

    /// The first candidate of the group that the request meets.
    #[inline]
    pub(crate) fn first(self, candidates: &Candidates, request: &RequestHead<'_>) -> Option<Chosen> {
        match self.place() {
            Place::Single(chosen) => Some(chosen),
            Place::Listed(position) => candidates.list(position).first(request).map(Candidate::chosen),
        }
    }

    /// The same, with how many of the entries that have to be asked go before it.
    pub(crate) fn first_after(
        self,
        candidates: &Candidates,
        request: &RequestHead<'_>,
    ) -> Option<(Chosen, u32)> {
        match self.place() {
            Place::Single(chosen) => Some((chosen, 0)),
            Place::Listed(position) => {
                let first = candidates.list(position).first(request)?;
                Some((first.chosen(), first.after))
            }
        }
    }

    /// Shows every candidate of the group, in precedence order.
    #[inline]
    pub(crate) fn show(self, candidates: &Candidates, observer: impl FnOnce(&[Candidate])) {
        match self.place() {
            Place::Single(chosen) => observer(&[chosen.candidate()]),
            Place::Listed(position) => observer(&candidates.list(position).candidates),
        }
    }

    fn listed(position: u32) -> Self {
        Self(Chosen::new(RuleId { route: position, rule: Self::LISTED }, 0))
    }

    #[inline]
    fn place(self) -> Place {
        match self.0.rule() {
            RuleId { route, rule: Self::LISTED } => Place::Listed(route),
            RuleId { .. } => Place::Single(self.0),
        }
    }
}

// === impl Candidates ===

impl Candidates {
    /// Whether these are the same groups, not only equal ones.
    #[cfg(all(test, feature = "resources"))]
    pub(crate) fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn list(&self, position: u32) -> &List {
        &self.0[position as usize]
    }
}

// === impl List ===

impl List {
    fn new(candidates: Box<[Candidate]>) -> Self {
        Self { indexes: ValueIndexes::over(&candidates), candidates }
    }

    fn first(&self, request: &RequestHead<'_>) -> Option<&Candidate> {
        match &self.indexes {
            None => self.candidates.iter().find(|candidate| candidate.matches(request)),
            Some(indexes) => indexes.first(&self.candidates, request),
        }
    }
}

// === impl CandidatesBuilder ===

impl CandidatesBuilder {
    /// Adds a group, its candidates in precedence order.
    pub(crate) fn group(&mut self, candidates: impl IntoIterator<Item = Candidate>) -> Group {
        self.group.extend(candidates);
        if let [only @ Candidate { conditions: None, after: 0, .. }] = &*self.group {
            let chosen = only.chosen();
            if chosen.rule().rule != Group::LISTED {
                self.group.clear();
                return Group(chosen);
            }
        }
        self.lists.push(List::new(self.group.drain(..).collect()));
        Group::listed(self.lists.len() as u32 - 1)
    }

    pub(crate) fn finish(self) -> Candidates {
        Candidates(self.lists.into())
    }
}
