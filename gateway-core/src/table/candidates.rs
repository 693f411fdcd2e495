//! The match entries that share one path, in precedence order.
//!
//! Most groups are one entry without conditions; they take no room besides the path's. Large groups are
//! [indexed](super::value_index) by the values that their entries ask for.

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

/// All groups of an index that are lists.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candidates {
    all: Box<[Candidate]>,
    lists: Box<[List]>,
}

#[derive(Clone, Debug)]
struct List {
    /// The range of its candidates.
    start: u32,
    end: u32,
    indexes: Option<Box<ValueIndexes>>,
}

/// Collects the groups of an index.
#[derive(Debug, Default)]
pub(crate) struct CandidatesBuilder {
    all: Vec<Candidate>,
    lists: Vec<List>,
}

// === impl Group ===

impl Group {
    const LISTED: u16 = u16::MAX;

    /// The first candidate of the group that the request meets. `candidates` are not there where no group is a list.
    #[inline]
    pub(crate) fn first(self, candidates: Option<&Candidates>, request: &RequestHead<'_>) -> Option<Chosen> {
        match self.place() {
            Place::Single(chosen) => Some(chosen),
            Place::Listed(position) => candidates?.first_of_list(position, request).map(Candidate::chosen),
        }
    }

    /// The same, with how many of the entries that have to be asked go before it.
    pub(crate) fn first_after(
        self,
        candidates: Option<&Candidates>,
        request: &RequestHead<'_>,
    ) -> Option<(Chosen, u32)> {
        match self.place() {
            Place::Single(chosen) => Some((chosen, 0)),
            Place::Listed(position) => {
                let first = candidates?.first_of_list(position, request)?;
                Some((first.chosen(), first.after))
            }
        }
    }

    /// Shows every candidate of the group, in precedence order.
    #[inline]
    pub(crate) fn show(self, candidates: Option<&Candidates>, observer: impl FnOnce(&[Candidate])) {
        match self.place() {
            Place::Single(chosen) => observer(&[chosen.candidate()]),
            Place::Listed(position) => observer(candidates.map_or(&[], |all| all.list(position))),
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
    /// Whether no group is a list.
    pub(crate) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    fn list(&self, position: u32) -> &[Candidate] {
        let list = &self.lists[position as usize];
        &self.all[list.start as usize..list.end as usize]
    }

    fn first_of_list(&self, position: u32, request: &RequestHead<'_>) -> Option<&Candidate> {
        let all = self.list(position);
        match &self.lists[position as usize].indexes {
            None => all.iter().find(|candidate| candidate.matches(request)),
            Some(indexes) => indexes.first(all, request),
        }
    }
}

// === impl CandidatesBuilder ===

impl CandidatesBuilder {
    /// Adds a group, its candidates in precedence order.
    pub(crate) fn group(&mut self, candidates: impl IntoIterator<Item = Candidate>) -> Group {
        let start = self.all.len();
        self.all.extend(candidates);
        if let [only @ Candidate { conditions: None, after: 0, .. }] = &self.all[start..] {
            let chosen = only.chosen();
            if chosen.rule().rule != Group::LISTED {
                self.all.truncate(start);
                return Group(chosen);
            }
        }
        let indexes = ValueIndexes::over(&self.all[start..]).map(Box::new);
        self.lists.push(List { start: start as u32, end: self.all.len() as u32, indexes });
        Group::listed(self.lists.len() as u32 - 1)
    }

    pub(crate) fn finish(self) -> Candidates {
        Candidates { all: self.all.into(), lists: self.lists.into() }
    }
}
