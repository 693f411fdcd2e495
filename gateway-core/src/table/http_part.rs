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
use super::hostname_map::{FoundBy, HostnameMap};
use super::paths::{PathKind, Paths};
use crate::hostname::Hostname;
use crate::matching::path::PathSpecificity;
use crate::matching::{
    Conditions, HostnameSpecificity, MatchedPath, Pattern, Precedence, RequestHead, Specificity,
};

/// The rules of all routes attached to one listener. A copy shares the hostnames that do not change.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpPart {
    hostnames: HostnameMap<HostRoutes>,
}

/// The match entries of some routes, indexed by path. It stands beside each hostname that has just these routes, at whatever
/// listener, with all that most searches need to know; what is behind is shared.
#[derive(Clone, Debug)]
pub(crate) struct HostRoutes {
    /// The numbers of elements that prefixes have.
    depths: Depths,
    has_exact_paths: bool,
    has_patterns: bool,
    paths: Paths<Group>,
    /// Nothing, where it is a matter of the path alone, as it is in most.
    rest: Option<Arc<Rest>>,
}

/// What few searches need to know.
#[derive(Debug)]
struct Rest {
    candidates: Candidates,
    /// In precedence order. Entries with the same expression often follow each other; it is asked once for them.
    patterns: Box<[(Pattern, Candidate)]>,
    deep: DeepDepths,
}

/// A match entry with its place, as the builder gets it.
#[derive(Debug)]
pub(crate) struct Placed<'b> {
    pub(crate) path: PathStep<'b>,
    pub(crate) precedence: Precedence,
    pub(crate) candidate: Candidate,
}

/// Sees the steps of a search. `()` sees nothing and costs nothing; `explain` writes them down.
pub(crate) trait Observer {
    /// The routes of this hostname are looked at next.
    fn hostname(&mut self, _found_by: FoundBy<'_>) {}

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

// === impl PathStep ===

impl PathStep<'_> {
    /// How specific an entry is that has this condition and these others.
    pub(crate) fn specificity(self, others: Option<&Conditions>) -> Specificity {
        Specificity {
            path: match self {
                Self::Exact(_) => PathSpecificity::Exact,
                Self::Regex(pattern) => PathSpecificity::Regex(pattern.as_str().chars().count()),
                Self::Prefix(prefix) => PathSpecificity::Prefix(prefix.len()),
            },
            method: others.is_some_and(|others| others.method().is_some()),
            headers: others.map_or(0, |others| others.headers().len()),
            query_params: others.map_or(0, |others| others.query_params().len()),
        }
    }
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
        self.hostnames.matching(host).map(|(_, routes)| routes.clone()).collect()
    }

    /// The candidate with the highest precedence that the request meets, and how its path matched.
    pub(crate) fn find<O: Observer>(
        &self,
        request: &RequestHead<'_>,
        fall_through: bool,
        observer: &mut O,
    ) -> Option<(Chosen, MatchedPath)> {
        let mut found = None;
        for (found_by, routes) in self.hostnames.matching(request.host.as_str()) {
            observer.hostname(found_by);
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
        let rest = |routes: &Self| routes.rest.as_ref().map(Arc::as_ptr);
        self.paths.is_shared_with(&other.paths) && rest(self) == rest(other)
    }

    #[inline]
    fn find<O: Observer>(
        &self,
        request: &RequestHead<'_>,
        observer: &mut O,
    ) -> Option<(Chosen, MatchedPath)> {
        let path = &*request.path;
        let Self { paths, rest, .. } = self;
        let rest = rest.as_deref();
        let candidates = rest.map(|rest| &rest.candidates);
        let mut found = None;
        if self.has_exact_paths
            && let Some(group) = paths.find(PathKind::Exact, path)
        {
            group.show(candidates, |candidates| observer.group(PathStep::Exact(path), candidates));
            found = group.first(candidates, request).map(|chosen| (chosen, MatchedPath::Exact));
            if found.is_some() && !observer.exhaustive() {
                return found;
            }
        }
        if self.has_patterns
            && let Some(rest) = rest
        {
            found = found.or(rest.find_by_pattern(request, observer));
            if found.is_some() && !observer.exhaustive() {
                return found;
            }
        }
        let deep: &[u16] = match rest {
            Some(rest) if self.depths.has_deep() => &rest.deep,
            Some(_) | None => &[],
        };
        for prefix in self.depths.prefixes(deep, path) {
            if let Some(group) = paths.find(PathKind::Prefix, prefix) {
                group.show(candidates, |candidates| observer.group(PathStep::Prefix(prefix), candidates));
                let first = group.first(candidates, request);
                found = found.or(first.map(|chosen| (chosen, MatchedPath::Prefix(prefix.len()))));
                if found.is_some() && !observer.exhaustive() {
                    return found;
                }
            }
        }
        found
    }

    /// Indexes match entries, which may come in any order.
    pub(crate) fn build<'b>(entries: impl IntoIterator<Item = Placed<'b>>) -> Self {
        let mut builder = HostRoutesBuilder::default();
        entries.into_iter().for_each(|placed| builder.insert(placed));
        builder.finish()
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
            PathStep::Exact(path) => {
                self.has_exact_paths = true;
                self.insert_path(PathKind::Exact, path, ranked);
            }
            PathStep::Prefix(prefix) => {
                self.depths.insert(prefix, &mut self.deep);
                self.insert_path(PathKind::Prefix, prefix, ranked);
            }
            PathStep::Regex(pattern) => self.patterns.push((pattern.clone(), ranked)),
        }
    }

    fn insert_path(&mut self, kind: PathKind, path: &'b str, ranked: Ranked) {
        let next = self.paths.len() as u32;
        let group = *self.paths.entry((kind, path)).or_insert(next);
        self.entries.push((group, ranked));
    }

    fn finish(self) -> HostRoutes {
        let Self { paths, mut entries, mut patterns, depths, deep, has_exact_paths } = self;
        entries.sort_by_key(|(group, ranked)| (*group, ranked.precedence));
        patterns.sort_by_key(|(_, ranked)| ranked.precedence);
        let patterns: Box<[_]> =
            patterns.into_iter().map(|(pattern, ranked)| (pattern, ranked.candidate)).collect();
        let mut candidates = CandidatesBuilder::default();
        let mut entries = entries.into_iter().map(|(group, ranked)| (group, ranked.candidate)).peekable();
        // Every number has an entry, so the list of groups is in the order of their numbers.
        let mut groups = Vec::new();
        while let Some((number, first)) = entries.next() {
            let others = std::iter::from_fn(|| entries.next_if(|(group, _)| *group == number));
            groups.push(candidates.group(std::iter::once(first).chain(others.map(|(_, other)| other))));
        }
        let rest = Rest { candidates: candidates.finish(), patterns, deep };
        let is_empty = rest.candidates.is_empty() && rest.patterns.is_empty() && rest.deep.is_empty();
        HostRoutes {
            depths,
            has_exact_paths,
            has_patterns: !rest.patterns.is_empty(),
            paths: Paths::new(paths.into_iter().map(|(path, number)| (path, groups[number as usize]))),
            rest: (!is_empty).then(|| Arc::new(rest)),
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
