//! The routes of a table, each compiled once however many listeners and hostnames it serves.

use std::cmp::Reverse;
use std::sync::Arc;

use super::RuleId;
use super::candidate::Candidate;
use super::http_part::{PathStep, Placed, hostname_specificity};
use crate::matching::{Conditions, HttpMatch, PathMatch, Pattern, Precedence, Specificity};
use crate::name::Age;
use crate::rule::HttpRule;

/// A route of a builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(pub(super) u32);

/// The rules of a route, and its place among routes.
#[derive(Debug, PartialEq)]
pub(crate) struct Route {
    pub(crate) age: Age,
    pub(crate) rules: Box<[HttpRule]>,
}

/// The match entries of all rules of a route: what an index is built from.
#[derive(Debug, PartialEq)]
pub(crate) struct Entries(Box<[Entry]>);

/// One match of a rule, as all hostnames and listeners of its route share it.
#[derive(Debug, PartialEq)]
struct Entry {
    path: EntryPath,
    /// Nothing when the path is all that is asked for, as it is in most.
    conditions: Option<Arc<Conditions>>,
    /// Its rule, and its position there.
    rule: u16,
    entry: u16,
}

/// A [`PathMatch`] in fewer bytes: hardly any is a regular expression.
#[derive(Debug, PartialEq)]
enum EntryPath {
    Exact(Box<str>),
    Prefix(Box<str>),
    Regex(Box<Pattern>),
}

// === impl Entries ===

impl Entries {
    /// The entries of rules with these matches.
    pub(crate) fn new(matches: impl IntoIterator<Item = Box<[HttpMatch]>>) -> Self {
        let mut matches: Vec<_> = matches.into_iter().collect();
        HttpMatch::join_patterns(matches.iter_mut().flatten());
        let all = matches.into_iter().enumerate().flat_map(|(rule, of_rule)| {
            of_rule.into_iter().enumerate().map(move |(entry, written)| Entry::new(written, rule, entry))
        });
        Self(all.collect())
    }

    /// The entries by which the route serves a hostname. `number` is the route's in the table, `rank` its place by age among
    /// the routes of the hostname. Entries are compared within one hostname, so it does not matter which it is.
    pub(crate) fn placed(&self, number: u32, rank: u32) -> impl Iterator<Item = Placed<'_>> {
        let hostname = Reverse(hostname_specificity(None));
        self.0.iter().map(move |written| {
            let specificity = Reverse(written.specificity());
            let &Entry { ref path, ref conditions, rule, entry } = written;
            let path = path.step();
            let precedence = Precedence { hostname, specificity, route: rank, rule, entry };
            let conditions = conditions.clone();
            let candidate = Candidate { rule: RuleId { route: number, rule }, entry, conditions };
            Placed { path, precedence, candidate }
        })
    }
}

// === impl Entry ===

impl Entry {
    fn new(written: HttpMatch, rule: usize, entry: usize) -> Self {
        let HttpMatch { path, conditions } = written;
        let conditions = (!conditions.is_empty()).then(|| Arc::new(conditions));
        let path = match path {
            PathMatch::Exact(path) => EntryPath::Exact(path),
            PathMatch::Prefix(prefix) => EntryPath::Prefix(prefix),
            PathMatch::Regex(pattern) => EntryPath::Regex(Box::new(pattern)),
        };
        Self { path, conditions, rule: rule as u16, entry: entry as u16 }
    }

    fn specificity(&self) -> Specificity {
        self.path.step().specificity(self.conditions.as_deref())
    }
}

// === impl EntryPath ===

impl EntryPath {
    fn step(&self) -> PathStep<'_> {
        match self {
            Self::Exact(path) => PathStep::Exact(path),
            Self::Prefix(prefix) => PathStep::Prefix(prefix),
            Self::Regex(pattern) => PathStep::Regex(pattern),
        }
    }
}
