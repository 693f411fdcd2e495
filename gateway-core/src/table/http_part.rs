//! The HTTP rules of one listener, by host and path.
//!
//! A request is answered from the most specific hostname to the least, and within one hostname from the exact path over
//! the regular expressions to the prefixes, longest first: the order of [`Precedence`]. Only prefixes with a number of
//! elements that is in use for the hostname are looked up, so a table of any size costs a hash or two.

use std::sync::Arc;

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
    hostnames: HostnameMap<Served>,
}

/// What the routes with one hostname ask for; beside the hostname stands what every search must know.
#[derive(Clone, Debug)]
struct Served {
    /// The numbers of elements that prefixes have.
    depths: Depths,
    has_exact_paths: bool,
    has_patterns: bool,
    routes: Arc<HostRoutes>,
}

/// The match entries of one hostname of a listener, indexed by path.
#[derive(Debug)]
pub(crate) struct HostRoutes {
    paths: Paths<Group>,
    candidates: Candidates,
    hostname: Option<Hostname>,
    /// In precedence order. Entries with the same expression often follow each other; it is asked once for them.
    patterns: Box<[(Pattern, Candidate)]>,
    depths: Depths,
    deep: DeepDepths,
    has_exact_paths: bool,
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
    /// Puts these routes behind their hostname, in the place of those that were there.
    pub(crate) fn insert(&mut self, routes: Arc<HostRoutes>) {
        let served = Served {
            depths: routes.depths,
            has_exact_paths: routes.has_exact_paths,
            has_patterns: !routes.patterns.is_empty(),
            routes: routes.clone(),
        };
        self.hostnames.insert(routes.hostname.as_ref(), served);
    }

    /// Leaves this hostname without routes.
    pub(crate) fn remove(&mut self, hostname: Option<&Hostname>) {
        self.hostnames.remove(hostname);
    }

    /// The routes of every hostname that matches.
    #[cfg(all(test, feature = "resources"))]
    pub(crate) fn routes_for(&self, host: &str) -> Vec<Arc<HostRoutes>> {
        self.hostnames.matching(host).map(|served| served.routes.clone()).collect()
    }

    /// The candidate with the highest precedence that the request meets, and how its path matched.
    pub(crate) fn find<O: Observer>(
        &self,
        request: &RequestHead<'_>,
        fall_through: bool,
        observer: &mut O,
    ) -> Option<(Chosen, MatchedPath)> {
        let mut found = None;
        for served in self.hostnames.matching(request.host.as_str()) {
            observer.hostname(served.routes.hostname.as_ref());
            found = found.or(served.find(request, observer));
            if (found.is_some() && !observer.exhaustive()) || !fall_through {
                break;
            }
        }
        found
    }
}

// === impl Served ===

impl Served {
    #[inline]
    fn find<O: Observer>(
        &self,
        request: &RequestHead<'_>,
        observer: &mut O,
    ) -> Option<(Chosen, MatchedPath)> {
        let path = &*request.path;
        let HostRoutes { paths, candidates, .. } = &*self.routes;
        let mut found = None;
        if self.has_exact_paths
            && let Some(group) = paths.find(PathKind::Exact, path)
        {
            candidates.show(group, |candidates| observer.group(PathStep::Exact(path), candidates));
            found = candidates.first(group, request).map(|chosen| (chosen, MatchedPath::Exact));
            if found.is_some() && !observer.exhaustive() {
                return found;
            }
        }
        if self.has_patterns {
            found = found.or(self.routes.find_by_pattern(request, observer));
            if found.is_some() && !observer.exhaustive() {
                return found;
            }
        }
        let deep: &[u16] = if self.depths.has_deep() { &self.routes.deep } else { &[] };
        for prefix in self.depths.prefixes(deep, path) {
            if let Some(group) = paths.find(PathKind::Prefix, prefix) {
                candidates.show(group, |candidates| observer.group(PathStep::Prefix(prefix), candidates));
                let first = candidates.first(group, request);
                found = found.or(first.map(|chosen| (chosen, MatchedPath::Prefix(prefix.len()))));
                if found.is_some() && !observer.exhaustive() {
                    return found;
                }
            }
        }
        found
    }
}

// === impl HostRoutes ===

impl HostRoutes {
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
                Some(_) | None => pattern.matches(request.path.as_bytes()),
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

// === building ===

#[derive(Default)]
struct HostRoutesBuilder {
    /// The paths, each with the number of its group.
    paths: Paths<u32>,
    groups: u32,
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

impl HostRoutesBuilder {
    fn insert(&mut self, placed: Placed<'_>) {
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

    fn insert_path(&mut self, kind: PathKind, path: &str, ranked: Ranked) {
        let groups = &mut self.groups;
        let group = self.paths.entry(kind, path, || {
            *groups += 1;
            *groups - 1
        });
        self.entries.push((group, ranked));
    }

    fn finish(self, hostname: Option<Hostname>) -> HostRoutes {
        let Self { paths, groups: _, mut entries, mut patterns, depths, deep, has_exact_paths } = self;
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
        HostRoutes {
            paths: paths.map(|number| groups[number as usize]),
            candidates: candidates.finish(),
            hostname,
            patterns,
            depths,
            deep,
            has_exact_paths,
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
