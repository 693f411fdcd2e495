//! The routes of a table, each compiled once however many listeners and hostnames it serves.

use std::cmp::Reverse;
use std::sync::Arc;

use super::RuleId;
use super::candidate::Candidate;
use super::host_routes::{Placed, hostname_specificity};
use super::indexed::{Indexed, PathKey};
use crate::matching::{Conditions, Expressions, GrpcMatch, GrpcMethodMatch, HttpMatch, Pattern, Precedence};
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

/// What a route takes: requests of all kinds, or calls of gRPC. Routes that do not take the same are never in one index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Traffic {
    Requests,
    Calls,
}

/// The match entries of all rules of a route: what an index is built from.
#[derive(Debug, PartialEq)]
pub(super) enum AnyEntries {
    Requests(Entries<Pattern>),
    Calls(Entries<GrpcMethodMatch>),
}

/// The match entries of a route whose conditions on the path are keys, or expressions of this type.
#[derive(Debug, PartialEq)]
pub(super) struct Entries<E>(Box<[Entry<E>]>);

/// One match of a rule, as all hostnames and listeners of its route share it.
#[derive(Debug, PartialEq)]
struct Entry<E> {
    path: PathKey<E>,
    /// Nothing when the path is all that is asked for, as it is in most.
    conditions: Option<Arc<Conditions>>,
    /// Its rule, and its position there.
    rule: u16,
    entry: u16,
}

// === impl AnyEntries ===

impl AnyEntries {
    pub(super) fn traffic(&self) -> Traffic {
        match self {
            Self::Requests(_) => Traffic::Requests,
            Self::Calls(_) => Traffic::Calls,
        }
    }

    pub(super) fn requests(&self) -> Option<&Entries<Pattern>> {
        match self {
            Self::Requests(entries) => Some(entries),
            Self::Calls(_) => None,
        }
    }

    pub(super) fn calls(&self) -> Option<&Entries<GrpcMethodMatch>> {
        match self {
            Self::Calls(entries) => Some(entries),
            Self::Requests(_) => None,
        }
    }
}

impl From<Vec<Box<[HttpMatch]>>> for AnyEntries {
    fn from(matches: Vec<Box<[HttpMatch]>>) -> Self {
        Self::Requests(Entries::new(matches))
    }
}

impl From<Vec<Box<[GrpcMatch]>>> for AnyEntries {
    fn from(matches: Vec<Box<[GrpcMatch]>>) -> Self {
        Self::Calls(Entries::new(matches))
    }
}

// === impl Entries ===

impl<E> Entries<E> {
    /// The entries of rules with these matches.
    fn new<M: Indexed<Expression = E>>(mut matches: Vec<Box<[M]>>) -> Self {
        let mut expressions = Expressions::default();
        matches.iter_mut().flatten().for_each(|entry| entry.collect(&mut expressions));
        expressions.join();
        let all = matches.into_iter().enumerate().flat_map(|(rule, of_rule)| {
            of_rule.into_iter().enumerate().map(move |(entry, written)| Entry::new(written, rule, entry))
        });
        Self(all.collect())
    }

    /// The entries by which the route serves a hostname. `number` is the route's in the table, `rank` its place by age among
    /// the routes of the hostname. Entries are compared within one hostname, so it does not matter which it is.
    pub(super) fn placed<M: Indexed<Expression = E>>(
        &self,
        number: u32,
        rank: u32,
    ) -> impl Iterator<Item = Placed<'_, M>> {
        let hostname = Reverse(hostname_specificity(None));
        self.0.iter().map(move |written| {
            let &Entry { ref path, ref conditions, rule, entry } = written;
            let path = path.step();
            let specificity = Reverse(M::specificity_at(path, conditions.as_deref()));
            let precedence = Precedence { hostname, specificity, route: rank, rule, entry };
            let conditions = conditions.clone();
            let candidate = Candidate { rule: RuleId { route: number, rule }, entry, after: 0, conditions };
            Placed { path, precedence, candidate }
        })
    }
}

// === impl Entry ===

impl<E> Entry<E> {
    fn new<M: Indexed<Expression = E>>(written: M, rule: usize, entry: usize) -> Self {
        let (path, conditions) = written.into_parts();
        let conditions = (!conditions.is_empty()).then(|| Arc::new(conditions));
        Self { path, conditions, rule: rule as u16, entry: entry as u16 }
    }
}
