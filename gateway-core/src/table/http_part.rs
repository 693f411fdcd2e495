//! The HTTP rules of one listener, by host and path.
//!
//! A request is answered from the most specific hostname to the least, and within one hostname from the exact path over
//! the regular expressions to the prefixes, longest first: the order of [`Precedence`]. Only prefixes with a number of
//! elements that is in use for the hostname are looked up, so a table of any size costs a hash or two.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::candidate::{Candidate, Chosen};
use super::candidates::{Candidates, CandidatesBuilder, Group};
use super::depths::{DeepDepths, Depths};
use super::hostname_map::HostnameMap;
use super::paths::{PathKind, Paths};
use crate::hostname::Hostname;
use crate::matching::{HostnameSpecificity, MatchedPath, PathMatch, Pattern, Precedence, RequestHead};

/// The rules of all routes attached to one listener. A copy shares the hostnames that do not change.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpPart {
    hostnames: HostnameMap<HostRoutes>,
}

/// The match entries of one hostname of a listener, indexed by path. It stands beside the hostname, with all that most
/// searches need to know.
#[derive(Clone, Debug)]
pub(crate) struct HostRoutes {
    /// The numbers of elements that prefixes have.
    depths: Depths,
    has_exact_paths: bool,
    has_patterns: bool,
    paths: Paths<Group>,
    rest: Arc<Rest>,
}

/// What few searches need to know of a hostname.
#[derive(Debug)]
struct Rest {
    hostname: Option<Hostname>,
    candidates: Candidates,
    /// In precedence order. Entries with the same expression often follow each other; it is asked once for them.
    patterns: Box<[(Pattern, Candidate)]>,
    deep: DeepDepths,
}

/// A match entry with its place, as the builder gets it.
#[derive(Debug)]
pub(crate) struct Placed<'b> {
    pub(crate) path: &'b PathMatch,
    pub(crate) precedence: Precedence,
    pub(crate) candidate: Candidate,
}

/// Sees the steps of a search. `()` sees nothing and costs nothing; `explain` writes them down.
pub(crate) trait Observer {
    /// The routes of this hostname are looked at next.
    fn hostname(&mut self, _hostname: Option<&Hostname>) {}

    /// The candidates behind this path are looked at next, in this order.
    fn group(&mut self, _path: PathStep<'_>, _candidates: &[Candidate]) {}

    /// Whether to go on when a match has been found.
    fn exhaustive(&self) -> bool {
        false
    }
}

impl Observer for () {}

/// The path condition that a group of candidates shares.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PathStep<'t> {
    Exact(&'t str),
    Regex(&'t Pattern),
    Prefix(&'t str),
}

// === impl HttpPart ===

impl HttpPart {
    /// Puts routes behind hostnames, in the place of those that were there, or leaves them without any.
    pub(crate) fn change<'h>(
        &mut self,
        changes: impl IntoIterator<Item = (Option<&'h Hostname>, Option<HostRoutes>)>,
    ) {
        self.hostnames.change(changes);
    }

    /// The routes of every hostname that matches.
    #[cfg(all(test, feature = "resources"))]
    pub(crate) fn routes_for(&self, host: &str) -> Vec<HostRoutes> {
        self.hostnames.matching(host).cloned().collect()
    }

    /// The candidate with the highest precedence that the request meets, and how its path matched.
    pub(crate) fn find<O: Observer>(
        &self,
        request: &RequestHead<'_>,
        fall_through: bool,
        observer: &mut O,
    ) -> Option<(Chosen, MatchedPath)> {
        let mut found = None;
        for routes in self.hostnames.matching(request.host.as_str()) {
            observer.hostname(routes.rest.hostname.as_ref());
            found = found.or(routes.find(request, observer));
            if (found.is_some() && !observer.exhaustive()) || !fall_through {
                break;
            }
        }
        found
    }
}

// === impl HostRoutes ===

impl HostRoutes {
    /// Whether these are the same routes, not only equal ones.
    #[cfg(all(test, feature = "resources"))]
    pub(crate) fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rest, &other.rest)
    }

    #[inline]
    fn find<O: Observer>(
        &self,
        request: &RequestHead<'_>,
        observer: &mut O,
    ) -> Option<(Chosen, MatchedPath)> {
        let path = &*request.path;
        let Self { paths, rest, .. } = self;
        let candidates = &rest.candidates;
        let mut found = None;
        if self.has_exact_paths
            && let Some(group) = paths.find(PathKind::Exact, path)
        {
            candidates.show(*group, |candidates| observer.group(PathStep::Exact(path), candidates));
            found = candidates.first(*group, request).map(|chosen| (chosen, MatchedPath::Exact));
            if found.is_some() && !observer.exhaustive() {
                return found;
            }
        }
        if self.has_patterns {
            found = found.or(rest.find_by_pattern(request, observer));
            if found.is_some() && !observer.exhaustive() {
                return found;
            }
        }
        let deep: &[u16] = if self.depths.has_deep() { &rest.deep } else { &[] };
        for prefix in self.depths.prefixes(deep, path) {
            if let Some(group) = paths.find(PathKind::Prefix, prefix) {
                candidates.show(*group, |candidates| observer.group(PathStep::Prefix(prefix), candidates));
                let first = candidates.first(*group, request);
                found = found.or(first.map(|chosen| (chosen, MatchedPath::Prefix(prefix.len()))));
                if found.is_some() && !observer.exhaustive() {
                    return found;
                }
            }
        }
        found
    }

    /// Indexes match entries, which may come in any order.
    pub(crate) fn build<'b>(
        hostname: Option<Hostname>,
        entries: impl IntoIterator<Item = Placed<'b>>,
    ) -> Self {
        let mut builder = HostRoutesBuilder::default();
        entries.into_iter().for_each(|placed| builder.insert(placed));
        builder.finish(hostname)
    }
}

// === impl Rest ===

impl Rest {
    fn find_by_pattern<O: Observer>(
        &self,
        request: &RequestHead<'_>,
        observer: &mut O,
    ) -> Option<(Chosen, MatchedPath)> {
        let mut found = None;
        let mut asked: Option<(&Pattern, bool)> = None;
        for (pattern, candidate) in &self.patterns {
            let matches = match asked {
                Some((last, matches)) if last == pattern => matches,
                Some(_) | None => request.path_matches(pattern),
            };
            asked = Some((pattern, matches));
            if matches {
                observer.group(PathStep::Regex(pattern), std::slice::from_ref(candidate));
                let this = candidate.matches(request).then(|| (candidate.chosen(), MatchedPath::Regex));
                found = found.or(this);
                if found.is_some() && !observer.exhaustive() {
                    return found;
                }
            }
        }
        found
    }
}

// === building ===

#[derive(Default)]
struct HostRoutesBuilder<'b> {
    /// The paths, each with the number of its group.
    paths: HashMap<(PathKind, &'b str), u32, RandomState>,
    /// What stands behind the paths, each with the number of its group, in any order.
    entries: Vec<(u32, Ranked)>,
    patterns: Vec<(Pattern, Ranked)>,
    depths: Depths,
    deep: DeepDepths,
    has_exact_paths: bool,
}

struct Ranked {
    precedence: Precedence,
    candidate: Candidate,
}

impl<'b> HostRoutesBuilder<'b> {
    fn insert(&mut self, placed: Placed<'b>) {
        let Placed { path, precedence, candidate } = placed;
        let ranked = Ranked { precedence, candidate };
        match path {
            PathMatch::Exact(path) => {
                self.has_exact_paths = true;
                self.insert_path(PathKind::Exact, path, ranked);
            }
            PathMatch::Prefix(prefix) => {
                self.depths.insert(prefix, &mut self.deep);
                self.insert_path(PathKind::Prefix, prefix, ranked);
            }
            PathMatch::Regex(pattern) => self.patterns.push((pattern.clone(), ranked)),
        }
    }

    fn insert_path(&mut self, kind: PathKind, path: &'b str, ranked: Ranked) {
        let next = self.paths.len() as u32;
        let group = *self.paths.entry((kind, path)).or_insert(next);
        self.entries.push((group, ranked));
    }

    fn finish(self, hostname: Option<Hostname>) -> HostRoutes {
        let Self { paths, mut entries, mut patterns, depths, deep, has_exact_paths } = self;
        entries.sort_by_key(|(group, ranked)| (*group, ranked.precedence));
        patterns.sort_by_key(|(_, ranked)| ranked.precedence);
        let patterns = patterns.into_iter().map(|(pattern, ranked)| (pattern, ranked.candidate)).collect();
        let mut candidates = CandidatesBuilder::default();
        let mut entries = entries.into_iter().map(|(group, ranked)| (group, ranked.candidate)).peekable();
        // Every number has an entry, so the list of groups is in the order of their numbers.
        let mut groups = Vec::new();
        while let Some((number, first)) = entries.next() {
            let others = std::iter::from_fn(|| entries.next_if(|(group, _)| *group == number));
            groups.push(candidates.group(std::iter::once(first).chain(others.map(|(_, other)| other))));
        }
        let rest = Rest { hostname, candidates: candidates.finish(), patterns, deep };
        HostRoutes {
            depths,
            has_exact_paths,
            has_patterns: !rest.patterns.is_empty(),
            paths: Paths::new(paths.into_iter().map(|(path, number)| (path, groups[number as usize]))),
            rest: Arc::new(rest),
        }
    }
}

/// The specificity of the hostname by which a route serves.
pub(crate) fn hostname_specificity(hostname: Option<&Hostname>) -> HostnameSpecificity {
    match hostname.map(Hostname::specificity) {
        None => HostnameSpecificity { exact: 0, any: 0 },
        Some((exact, length)) => HostnameSpecificity { exact: if exact { length } else { 0 }, any: length },
    }
}
