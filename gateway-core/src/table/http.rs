//! The HTTP rules of one listener, indexed by host and path.
//!
//! A request is answered from the most specific hostname to the least, and within one hostname from the exact path over
//! the regular expressions to the prefixes, longest first: the order of [`Precedence`]. Only prefixes with a number of
//! elements that is in use for the hostname are looked up, so a table of any size costs a hash or two.

use super::candidate::{Candidate, Chosen};
use super::candidates::{Candidates, CandidatesBuilder, Group};
use super::depths::{DeepDepths, Depths};
use super::hostname_map::HostnameMap;
use super::paths::{HostnameId, PathKind, Paths};
use crate::hostname::Hostname;
use crate::matching::{HostnameSpecificity, MatchedPath, PathMatch, Pattern, Precedence, RequestHead};

/// The rules of all routes attached to one listener.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpTable {
    hostnames: HostnameMap<Served>,
    per_hostname: Box<[PerHostname]>,
    paths: Paths<Group>,
    candidates: Candidates,
}

/// What the routes with one hostname ask for, as far as every search must know it.
#[derive(Clone, Copy, Debug)]
struct Served {
    /// The numbers of elements that prefixes have.
    depths: Depths,
    hostname: HostnameId,
    has_exact_paths: bool,
    has_patterns: bool,
}

/// What only some searches must know of a hostname.
#[derive(Clone, Debug)]
struct PerHostname {
    hostname: Option<Hostname>,
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

// === impl HttpTable ===

impl HttpTable {
    /// The candidate with the highest precedence that the request meets, and how its path matched.
    pub(crate) fn find<O: Observer>(
        &self,
        request: &RequestHead<'_>,
        fall_through: bool,
        observer: &mut O,
    ) -> Option<(Chosen, MatchedPath)> {
        let mut found = None;
        for served in self.hostnames.matching(request.host.as_str()) {
            observer.hostname(self.of(served).hostname.as_ref());
            found = found.or(self.find_in(served, request, observer));
            if (found.is_some() && !observer.exhaustive()) || !fall_through {
                break;
            }
        }
        found
    }

    #[inline]
    fn of(&self, served: Served) -> &PerHostname {
        &self.per_hostname[served.hostname.0 as usize]
    }

    #[inline]
    fn find_in<O: Observer>(
        &self,
        served: Served,
        request: &RequestHead<'_>,
        observer: &mut O,
    ) -> Option<(Chosen, MatchedPath)> {
        let path = &*request.path;
        let mut found = None;
        if served.has_exact_paths
            && let Some(group) = self.paths.find(served.hostname, PathKind::Exact, path)
        {
            self.candidates.show(group, |candidates| observer.group(PathStep::Exact(path), candidates));
            found = self.candidates.first(group, request).map(|chosen| (chosen, MatchedPath::Exact));
            if found.is_some() && !observer.exhaustive() {
                return found;
            }
        }
        if served.has_patterns {
            found = found.or(self.find_by_pattern(served, request, observer));
            if found.is_some() && !observer.exhaustive() {
                return found;
            }
        }
        let deep: &[u16] = if served.depths.has_deep() { &self.of(served).deep } else { &[] };
        for prefix in served.depths.prefixes(deep, path) {
            if let Some(group) = self.paths.find(served.hostname, PathKind::Prefix, prefix) {
                self.candidates
                    .show(group, |candidates| observer.group(PathStep::Prefix(prefix), candidates));
                let first = self.candidates.first(group, request);
                found = found.or(first.map(|chosen| (chosen, MatchedPath::Prefix(prefix.len()))));
                if found.is_some() && !observer.exhaustive() {
                    return found;
                }
            }
        }
        found
    }

    fn find_by_pattern<O: Observer>(
        &self,
        served: Served,
        request: &RequestHead<'_>,
        observer: &mut O,
    ) -> Option<(Chosen, MatchedPath)> {
        let mut found = None;
        let mut asked: Option<(&Pattern, bool)> = None;
        for (pattern, candidate) in &self.of(served).patterns {
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

    /// Builds the table from match entries in any order.
    pub(crate) fn build<'b>(entries: impl Iterator<Item = (Option<&'b Hostname>, Placed<'b>)>) -> Self {
        let mut builder = HttpTableBuilder::default();
        for (hostname, placed) in entries {
            builder.insert(hostname, placed);
        }
        builder.finish()
    }
}

// === building ===

#[derive(Default)]
struct HttpTableBuilder {
    hostnames: HostnameMap<HostnameId>,
    per_hostname: Vec<HostnameParts>,
    /// The paths, each with the number of its group.
    paths: Paths<u32>,
    groups: u32,
    /// What stands behind the paths, each with the number of its group, in any order.
    entries: Vec<(u32, Ranked)>,
}

struct HostnameParts {
    hostname: Option<Hostname>,
    has_exact_paths: bool,
    patterns: Vec<(Pattern, Ranked)>,
    depths: Depths,
    deep: DeepDepths,
}

struct Ranked {
    precedence: Precedence,
    candidate: Candidate,
}

impl HttpTableBuilder {
    fn insert(&mut self, hostname: Option<&Hostname>, placed: Placed<'_>) {
        let Placed { path, precedence, candidate } = placed;
        let per_hostname = &mut self.per_hostname;
        let id = self.hostnames.entry(hostname, || {
            per_hostname.push(HostnameParts {
                hostname: hostname.cloned(),
                has_exact_paths: false,
                patterns: Vec::new(),
                depths: Depths::default(),
                deep: DeepDepths::new(),
            });
            HostnameId(per_hostname.len() as u32 - 1)
        });
        let parts = &mut self.per_hostname[id.0 as usize];
        let ranked = Ranked { precedence, candidate };
        match path {
            PathMatch::Exact(path) => {
                parts.has_exact_paths = true;
                self.insert_path(id, PathKind::Exact, path, ranked);
            }
            PathMatch::Prefix(prefix) => {
                parts.depths.insert(prefix, &mut parts.deep);
                self.insert_path(id, PathKind::Prefix, prefix, ranked);
            }
            PathMatch::Regex(pattern) => parts.patterns.push((pattern.clone(), ranked)),
        }
    }

    fn insert_path(&mut self, hostname: HostnameId, kind: PathKind, path: &str, ranked: Ranked) {
        let groups = &mut self.groups;
        let group = self.paths.entry(hostname, kind, path, || {
            *groups += 1;
            *groups - 1
        });
        self.entries.push((group, ranked));
    }

    fn finish(self) -> HttpTable {
        let Self { hostnames, per_hostname, paths, groups: _, mut entries } = self;
        entries.sort_by_key(|(group, ranked)| (*group, ranked.precedence));
        let mut candidates = CandidatesBuilder::default();
        let mut entries = entries.into_iter().map(|(group, ranked)| (group, ranked.candidate)).peekable();
        // Every number has an entry, so the list of groups is in the order of their numbers.
        let mut groups = Vec::new();
        while let Some((number, first)) = entries.next() {
            let others = std::iter::from_fn(|| entries.next_if(|(group, _)| *group == number));
            groups.push(candidates.group(std::iter::once(first).chain(others.map(|(_, other)| other))));
        }
        HttpTable {
            hostnames: hostnames.map(|id| per_hostname[id.0 as usize].served(id)),
            per_hostname: per_hostname.into_iter().map(HostnameParts::finish).collect(),
            paths: paths.map(|number| groups[number as usize]),
            candidates: candidates.finish(),
        }
    }
}

impl HostnameParts {
    fn served(&self, hostname: HostnameId) -> Served {
        Served {
            depths: self.depths,
            hostname,
            has_exact_paths: self.has_exact_paths,
            has_patterns: !self.patterns.is_empty(),
        }
    }

    fn finish(mut self) -> PerHostname {
        self.patterns.sort_by_key(|(_, ranked)| ranked.precedence);
        let patterns = self.patterns.into_iter().map(|(pattern, ranked)| (pattern, ranked.candidate));
        PerHostname { hostname: self.hostname, patterns: patterns.collect(), deep: self.deep }
    }
}

/// The specificity of the hostname by which a route serves.
pub(crate) fn hostname_specificity(hostname: Option<&Hostname>) -> HostnameSpecificity {
    match hostname.map(Hostname::specificity) {
        None => HostnameSpecificity { exact: 0, any: 0 },
        Some((exact, length)) => HostnameSpecificity { exact: if exact { length } else { 0 }, any: length },
    }
}
