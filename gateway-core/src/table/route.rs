//! The routes of a table, each compiled once however many listeners and hostnames it serves.

use std::cmp::Reverse;
use std::sync::Arc;

use super::RuleId;
use super::candidate::Candidate;
use super::http_part::{Placed, hostname_specificity};
use crate::hostname::Hostname;
use crate::matching::{Conditions, HttpMatch, PathMatch, Precedence, Specificity};
use crate::name::Age;
use crate::rule::HttpRule;

/// The rules of a route, and its place among routes.
#[derive(Debug, PartialEq)]
pub(crate) struct Route {
    pub(crate) age: Age,
    pub(crate) rules: Box<[HttpRule]>,
}

/// The match entries of each rule of a route: what an index is built from.
#[derive(Debug, PartialEq)]
pub(crate) struct Entries(Box<[Box<[Entry]>]>);

/// One match of a rule, as all hostnames and listeners of its route share it.
#[derive(Debug, PartialEq)]
struct Entry {
    path: PathMatch,
    /// Nothing when the path is all that is asked for, as it is in most.
    conditions: Option<Arc<Conditions>>,
}

// === impl Entries ===

impl Entries {
    /// The entries of rules with these matches.
    pub(crate) fn new(matches: impl IntoIterator<Item = Box<[HttpMatch]>>) -> Self {
        Self(matches.into_iter().map(|of_rule| of_rule.into_iter().map(Entry::new).collect()).collect())
    }

    /// The entries by which the route serves a hostname. `number` is the route's in the table, `rank` its place by age among
    /// the routes of the hostname.
    pub(crate) fn placed(
        &self,
        number: u32,
        rank: u32,
        hostname: Option<&Hostname>,
    ) -> impl Iterator<Item = Placed<'_>> {
        let hostname = Reverse(hostname_specificity(hostname));
        self.0.iter().enumerate().flat_map(move |(rule, entries)| {
            entries.iter().enumerate().map(move |(i, entry)| {
                let specificity = Reverse(entry.specificity());
                let Entry { path, conditions } = entry;
                let (rule, entry) = (rule as u16, i as u16);
                let precedence = Precedence { hostname, specificity, route: rank, rule, entry };
                let conditions = conditions.clone();
                let candidate = Candidate { rule: RuleId { route: number, rule }, entry, conditions };
                Placed { path, precedence, candidate }
            })
        })
    }
}

// === impl Entry ===

impl Entry {
    fn new(written: HttpMatch) -> Self {
        let HttpMatch { path, conditions } = written;
        Self { path, conditions: (!conditions.is_empty()).then(|| Arc::new(conditions)) }
    }

    fn specificity(&self) -> Specificity {
        match &self.conditions {
            Some(conditions) => conditions.specificity(&self.path),
            None => Conditions::default().specificity(&self.path),
        }
    }
}
