//! The HTTP rules of one listener, indexed by host and path.
//!
//! A request is answered from the most specific hostname to the least, and within one hostname from the exact path over
//! the regular expressions to the prefixes, longest first: the order of [`Precedence`]. Exact paths and prefixes stand in
//! one hash table keyed by hostname and path. Only prefixes with a number of elements that is in use for the hostname
//! are looked up, so a table of any size costs a hash or two.
//!
//! `matchit` was measured for this step and is 2 to 5 times slower here (see the `find` benchmark); besides, its `{}`
//! syntax would have to be escaped in every path.

use std::cmp::Reverse;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::candidates::{Candidate, Candidates, CandidatesBuilder, Group};
use super::hostname_map::HostnameMap;
use crate::hostname::Hostname;
use crate::matching::{HostnameSpecificity, MatchedPath, PathMatch, Pattern, Precedence, RequestHead};

/// The rules of all routes attached to one listener.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpTable {
    hostnames: HostnameMap<HostnameId>,
    per_hostname: Box<[PerHostname]>,
    paths: HashTable<PathSlot<Group>>,
    /// The text of all keys in `paths`.
    text: Box<str>,
    candidates: Candidates,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct HostnameId(u32);

/// What the routes with one hostname ask for.
#[derive(Clone, Debug)]
struct PerHostname {
    hostname: Option<Hostname>,
    has_exact_paths: bool,
    /// In precedence order. Entries with the same expression often follow each other; it is asked once for them.
    patterns: Box<[(Pattern, Candidate)]>,
    /// The numbers of elements that prefixes have, most first.
    depths: Box<[u16]>,
}

/// A key of the path table and what stands behind it.
#[derive(Clone, Copy, Debug)]
struct PathSlot<G> {
    hostname: HostnameId,
    kind: PathKind,
    start: u32,
    length: u32,
    group: G,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PathKind {
    Exact,
    Prefix,
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
    ) -> Option<(&Candidate, MatchedPath)> {
        let mut found = None;
        for id in self.hostnames.matching(request.host.as_str()) {
            let per_hostname = &self.per_hostname[id.0 as usize];
            observer.hostname(per_hostname.hostname.as_ref());
            found = found.or(self.find_in(id, per_hostname, request, observer));
            if (found.is_some() && !observer.exhaustive()) || !fall_through {
                break;
            }
        }
        found
    }

    fn find_in<'t, O: Observer>(
        &'t self,
        id: HostnameId,
        per_hostname: &'t PerHostname,
        request: &RequestHead<'_>,
        observer: &mut O,
    ) -> Option<(&'t Candidate, MatchedPath)> {
        let path = &*request.path;
        let mut found = None;
        if per_hostname.has_exact_paths
            && let Some(slot) = self.slot(id, PathKind::Exact, path)
        {
            observer.group(PathStep::Exact(path), self.candidates.group(slot.group));
            found =
                self.candidates.first(slot.group, request).map(|candidate| (candidate, MatchedPath::Exact));
            if found.is_some() && !observer.exhaustive() {
                return found;
            }
        }
        let mut asked: Option<(&Pattern, bool)> = None;
        for (pattern, candidate) in &per_hostname.patterns {
            let matches = match asked {
                Some((last, matches)) if last == pattern => matches,
                Some(_) | None => pattern.matches(path.as_bytes()),
            };
            asked = Some((pattern, matches));
            if matches {
                observer.group(PathStep::Regex(pattern), std::slice::from_ref(candidate));
                let this = candidate.matches(request).then_some((candidate, MatchedPath::Regex));
                found = found.or(this);
                if found.is_some() && !observer.exhaustive() {
                    return found;
                }
            }
        }
        for prefix in element_prefixes(path, &per_hostname.depths) {
            if let Some(slot) = self.slot(id, PathKind::Prefix, prefix) {
                observer.group(PathStep::Prefix(prefix), self.candidates.group(slot.group));
                let first = self.candidates.first(slot.group, request);
                found = found.or(first.map(|candidate| (candidate, MatchedPath::Prefix(prefix.len()))));
                if found.is_some() && !observer.exhaustive() {
                    return found;
                }
            }
        }
        found
    }

    fn slot(&self, hostname: HostnameId, kind: PathKind, path: &str) -> Option<&PathSlot<Group>> {
        self.paths.find(hash(hostname, kind, path), |slot| slot.is(&self.text, hostname, kind, path))
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

// === impl PathSlot ===

impl<G> PathSlot<G> {
    fn path<'t>(&self, text: &'t str) -> &'t str {
        let start = self.start as usize;
        &text[start..start + self.length as usize]
    }

    fn is(&self, text: &str, hostname: HostnameId, kind: PathKind, path: &str) -> bool {
        self.hostname == hostname && self.kind == kind && self.path(text) == path
    }

    fn hash(&self, text: &str) -> u64 {
        hash(self.hostname, self.kind, self.path(text))
    }
}

fn hash(hostname: HostnameId, kind: PathKind, path: &str) -> u64 {
    FixedState::default().hash_one((hostname.0, kind as u8, path))
}

/// The prefixes of `path` that have as many elements as `depths` lists, most first.
fn element_prefixes<'p>(path: &'p str, depths: &'p [u16]) -> impl Iterator<Item = &'p str> + 'p {
    let bytes = path.as_bytes();
    // Where the prefix that is looked at ends, and how many elements it has. Each slash starts an element.
    let mut end = path.len();
    let mut elements = if depths.first().is_some_and(|deepest| *deepest > 0) {
        memchr::memchr_iter(b'/', bytes).count()
    } else {
        0
    };
    depths.iter().filter_map(move |depth| {
        let depth = usize::from(*depth);
        if depth == 0 {
            return Some("");
        }
        if depth > elements {
            return None;
        }
        while elements > depth {
            end = memchr::memrchr(b'/', &bytes[..end])?;
            elements -= 1;
        }
        Some(&path[..end])
    })
}

/// The number of elements of a prefix: each starts with a slash.
fn depth(prefix: &str) -> u16 {
    memchr::memchr_iter(b'/', prefix.as_bytes()).count() as u16
}

// === building ===

#[derive(Default)]
struct HttpTableBuilder {
    hostnames: HostnameMap<HostnameId>,
    per_hostname: Vec<HostnameParts>,
    /// The paths, each with the position of its group.
    paths: HashTable<PathSlot<usize>>,
    text: String,
    groups: Vec<Vec<Ranked>>,
}

struct HostnameParts {
    hostname: Option<Hostname>,
    has_exact_paths: bool,
    patterns: Vec<(Pattern, Ranked)>,
    depths: Vec<u16>,
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
                depths: Vec::new(),
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
                let depth = depth(prefix);
                if !parts.depths.contains(&depth) {
                    parts.depths.push(depth);
                }
                self.insert_path(id, PathKind::Prefix, prefix, ranked);
            }
            PathMatch::Regex(pattern) => parts.patterns.push((pattern.clone(), ranked)),
        }
    }

    fn insert_path(&mut self, hostname: HostnameId, kind: PathKind, path: &str, ranked: Ranked) {
        let Self { paths, text, groups, .. } = self;
        let hash = hash(hostname, kind, path);
        match paths.find(hash, |slot| slot.is(text, hostname, kind, path)) {
            Some(slot) => groups[slot.group].push(ranked),
            None => {
                let (start, length) = (text.len() as u32, path.len() as u32);
                let slot = PathSlot { hostname, kind, start, length, group: groups.len() };
                text.push_str(path);
                groups.push(vec![ranked]);
                paths.insert_unique(hash, slot, |slot| slot.hash(text));
            }
        }
    }

    fn finish(self) -> HttpTable {
        let Self { hostnames, per_hostname, paths: unplaced, text, groups } = self;
        let mut candidates = CandidatesBuilder::with_capacity(groups.iter().map(Vec::len).sum());
        let groups: Vec<Group> = groups
            .into_iter()
            .map(|mut group| {
                group.sort_by_key(|ranked| ranked.precedence);
                candidates.group(group.into_iter().map(|ranked| ranked.candidate))
            })
            .collect();
        let mut paths = HashTable::with_capacity(unplaced.len());
        for PathSlot { hostname, kind, start, length, group } in unplaced {
            let slot = PathSlot { hostname, kind, start, length, group: groups[group] };
            paths.insert_unique(slot.hash(&text), slot, |slot| slot.hash(&text));
        }
        let per_hostname = per_hostname.into_iter().map(HostnameParts::finish).collect();
        HttpTable { hostnames, per_hostname, paths, text: text.into(), candidates: candidates.finish() }
    }
}

impl HostnameParts {
    fn finish(mut self) -> PerHostname {
        self.depths.sort_by_key(|depth| Reverse(*depth));
        self.patterns.sort_by_key(|(_, ranked)| ranked.precedence);
        PerHostname {
            hostname: self.hostname,
            has_exact_paths: self.has_exact_paths,
            patterns: self
                .patterns
                .into_iter()
                .map(|(pattern, ranked)| (pattern, ranked.candidate))
                .collect(),
            depths: self.depths.into(),
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
