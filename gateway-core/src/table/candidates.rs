//! The match entries that share one hostname and one path, in precedence order.
//!
//! Most groups are one entry without conditions; they take no room besides the path's. Large groups are
//! [indexed](super::value_index) by the values that their entries ask for.

use super::candidate::{Candidate, Chosen};
use super::value_index::ValueIndexes;
use crate::matching::RequestHead;

/// Where the candidates of one hostname and path are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Group {
    /// Here: a single one without conditions.
    Single(Chosen),
    /// In a list: its position among the [`Candidates`].
    Listed(u32),
}

/// All groups of a listener that are lists.
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

/// Collects the groups of a listener.
#[derive(Debug, Default)]
pub(crate) struct CandidatesBuilder {
    all: Vec<Candidate>,
    lists: Vec<List>,
}

// === impl Candidates ===

impl Candidates {
    /// The first candidate of the group that the request meets.
    #[inline]
    pub(crate) fn first(&self, group: Group, request: &RequestHead<'_>) -> Option<Chosen> {
        match group {
            Group::Single(chosen) => Some(chosen),
            Group::Listed(position) => self.first_of_list(position, request),
        }
    }

    fn first_of_list(&self, position: u32, request: &RequestHead<'_>) -> Option<Chosen> {
        let list = &self.lists[position as usize];
        let all = &self.all[list.start as usize..list.end as usize];
        let first = match &list.indexes {
            None => all.iter().find(|candidate| candidate.matches(request)),
            Some(indexes) => indexes.first(all, request),
        };
        first.map(Candidate::chosen)
    }

    /// Shows every candidate of the group, in precedence order.
    #[inline]
    pub(crate) fn show(&self, group: Group, observer: impl FnOnce(&[Candidate])) {
        match group {
            Group::Single(chosen) => observer(&[chosen.candidate()]),
            Group::Listed(position) => {
                let list = &self.lists[position as usize];
                observer(&self.all[list.start as usize..list.end as usize]);
            }
        }
    }
}

// === impl CandidatesBuilder ===

impl CandidatesBuilder {
    /// Adds a group, its candidates in precedence order.
    pub(crate) fn group(&mut self, candidates: impl IntoIterator<Item = Candidate>) -> Group {
        let start = self.all.len();
        self.all.extend(candidates);
        if let [only @ Candidate { conditions: None, .. }] = &self.all[start..] {
            let chosen = only.chosen();
            self.all.truncate(start);
            return Group::Single(chosen);
        }
        let indexes = ValueIndexes::over(&self.all[start..]).map(Box::new);
        self.lists.push(List { start: start as u32, end: self.all.len() as u32, indexes });
        Group::Listed(self.lists.len() as u32 - 1)
    }

    pub(crate) fn finish(self) -> Candidates {
        Candidates { all: self.all.into(), lists: self.lists.into() }
    }
}
