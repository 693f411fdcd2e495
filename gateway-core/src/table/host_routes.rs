//! The match entries of the routes that serve one hostname, indexed by path.
//!
//! Requests go from the exact path over the regular expressions to the prefixes, longest first; calls from service and method
//! over service and method alone to what takes every call, with the expressions between them: the order of [`Precedence`].
//! Only prefixes with a number of elements that is in use for the hostname are looked up, so a table of any size costs a hash
//! or two.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::candidate::{Candidate, Chosen};
use super::candidates::{Candidates, CandidatesBuilder, Group};
use super::depths::{DeepDepths, Depths};
use super::hostname_map::FoundBy;
use super::indexed::{Indexed, PathStep};
use super::paths::{PathKind, Paths};
use crate::hostname::Hostname;
use crate::matching::{
    GrpcMatch, GrpcMethod, GrpcMethodMatch, HostnameSpecificity, HttpMatch, MatchedPath, Pattern, Precedence,
    RequestHead,
};

/// The match entries of some routes, indexed by path. It stands beside each hostname that has just these routes, at whatever
/// listener, with all that most searches need to know; what is behind is shared.
///
/// `E` is a condition on the path that has to be asked.
#[derive(Clone, Debug)]
pub(crate) struct HostRoutes<E> {
    /// The numbers of elements that prefixes have.
    depths: Depths,
    has_exact_paths: bool,
    has_expressions: bool,
    paths: Paths<Group>,
    candidates: Candidates,
    /// Nothing, where no path is an expression and none is deep, as in most.
    rest: Option<Arc<Rest<E>>>,
}

/// What few searches need to know.
#[derive(Debug)]
struct Rest<E> {
    /// In precedence order. Entries with the same expression often follow each other; it is asked once for them.
    expressions: Box<[(E, Candidate)]>,
    deep: DeepDepths,
}

/// A match entry with its place, as the builder gets it.
pub(crate) struct Placed<'b, M: Indexed> {
    pub(crate) path: PathStep<'b, M::Expression>,
    pub(crate) precedence: Precedence<M::Specificity>,
    pub(crate) candidate: Candidate,
}

/// Sees the steps of a search. `()` sees nothing and costs nothing; `explain` writes them down.
pub(crate) trait Observer {
    /// The routes of this hostname are looked at next.
    fn hostname(&mut self, _found_by: FoundBy<'_>) {}

    /// The candidates behind this path are looked at next, in this order.
    fn group<M: Indexed>(&mut self, _path: PathStep<'_, M::Expression>, _candidates: &[Candidate]) {}

    /// Whether to go on when a match has been found.
    fn exhaustive(&self) -> bool {
        false
    }
}

impl Observer for () {}

// === impl HostRoutes ===

impl<E: 'static> HostRoutes<E> {
    /// Whether these are the same routes, not only equal ones.
    #[cfg(all(test, feature = "resources"))]
    pub(crate) fn is_shared_with(&self, other: &Self) -> bool {
        let rest = |routes: &Self| routes.rest.as_ref().map(Arc::as_ptr);
        let is_found_alike =
            self.paths.is_shared_with(&other.paths) && self.candidates.is_shared_with(&other.candidates);
        is_found_alike && rest(self) == rest(other)
    }

    /// Shows all match entries, in no order.
    pub(crate) fn show<M: Indexed<Expression = E>>(&self, observer: &mut impl Observer) {
        let rest = self.rest.as_deref();
        for (kind, text, group) in self.paths.iter() {
            let step = PathStep::LookUp(kind, text);
            group.show(&self.candidates, |candidates| observer.group::<M>(step, candidates));
        }
        for (expression, candidate) in rest.iter().flat_map(|rest| &rest.expressions) {
            observer.group::<M>(PathStep::Ask(expression), std::slice::from_ref(candidate));
        }
    }

    /// Indexes match entries, which may come in any order.
    pub(crate) fn build<'b, M>(entries: impl IntoIterator<Item = Placed<'b, M>>) -> Self
    where
        M: Indexed<Expression = E>,
    {
        let mut builder = HostRoutesBuilder::<M>::new();
        entries.into_iter().for_each(|placed| builder.insert(placed));
        builder.finish()
    }
}

// === impl HostRoutes of requests ===

impl HostRoutes<Pattern> {
    /// The entry with the highest precedence that the request meets.
    #[inline]
    pub(crate) fn find_request<O: Observer>(
        &self,
        request: &RequestHead<'_>,
        observer: &mut O,
    ) -> Option<(Chosen, MatchedPath)> {
        let path = &*request.path;
        let Self { paths, candidates, rest, .. } = self;
        let rest = rest.as_deref();
        let mut found = None;
        if self.has_exact_paths
            && let Some(group) = paths.find(PathKind::Exact, path)
        {
            let step = PathStep::LookUp(PathKind::Exact, path);
            group.show(candidates, |candidates| observer.group::<HttpMatch>(step, candidates));
            found = group.first(candidates, request).map(|chosen| (chosen, MatchedPath::Exact));
            if found.is_some() && !observer.exhaustive() {
                return found;
            }
        }
        if self.has_expressions
            && let Some(rest) = rest
        {
            let by_expression = rest.find_by_expression::<HttpMatch, O>(usize::MAX, request, observer);
            found = found.or(by_expression.map(|chosen| (chosen, MatchedPath::Regex)));
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
                let step = PathStep::LookUp(PathKind::Prefix, prefix);
                group.show(candidates, |candidates| observer.group::<HttpMatch>(step, candidates));
                let first = group.first(candidates, request);
                found = found.or(first.map(|chosen| (chosen, MatchedPath::Prefix(prefix.len()))));
                if found.is_some() && !observer.exhaustive() {
                    return found;
                }
            }
        }
        found
    }
}

// === impl HostRoutes of calls ===

impl HostRoutes<GrpcMethodMatch> {
    /// The entry with the highest precedence that the call meets.
    pub(crate) fn find_call<O: Observer>(
        &self,
        request: &RequestHead<'_>,
        observer: &mut O,
    ) -> Option<(Chosen, MatchedPath)> {
        let called = GrpcMethod::from_path(&request.path)?;
        let Self { paths, candidates, rest, .. } = self;
        let mut found = None;
        // GRP-07: the characters of the service count before those of the method.
        for (kind, text) in [
            (PathKind::Exact, &*request.path),
            (PathKind::Prefix, called.service_path()),
            (PathKind::Suffix, called.method_path()),
            (PathKind::Prefix, ""),
        ] {
            if let Some(group) = paths.find(kind, text) {
                let step = PathStep::LookUp(kind, text);
                group.show(candidates, |candidates| observer.group::<GrpcMatch>(step, candidates));
                found = found.or(group.first_after(candidates, request));
                if found.is_some() && !observer.exhaustive() {
                    break;
                }
            }
        }
        let before = found.map_or(usize::MAX, |(_, after)| after as usize);
        let rest = rest.as_deref();
        let by_expression =
            rest.and_then(|rest| rest.find_by_expression::<GrpcMatch, O>(before, request, observer));
        let chosen = by_expression.or(found.map(|(chosen, _)| chosen))?;
        Some((chosen, MatchedPath::Method))
    }
}

// === impl Rest ===

impl<E: PartialEq> Rest<E> {
    /// The first of the entries that have to be asked, among so many, that the request meets.
    fn find_by_expression<M: Indexed<Expression = E>, O: Observer>(
        &self,
        among: usize,
        request: &RequestHead<'_>,
        observer: &mut O,
    ) -> Option<Chosen> {
        let among = if observer.exhaustive() { usize::MAX } else { among };
        let mut found = None;
        let mut asked: Option<(&E, bool)> = None;
        for (expression, candidate) in &self.expressions[..among.min(self.expressions.len())] {
            let matches = match asked {
                Some((last, matches)) if last == expression => matches,
                Some(_) | None => M::meets(request, expression),
            };
            asked = Some((expression, matches));
            if matches {
                observer.group::<M>(PathStep::Ask(expression), std::slice::from_ref(candidate));
                found = found.or_else(|| candidate.matches(request).then(|| candidate.chosen()));
                if found.is_some() && !observer.exhaustive() {
                    return found;
                }
            }
        }
        found
    }
}

// === building ===

struct HostRoutesBuilder<'b, M: Indexed> {
    /// The paths, each with the number of its group.
    paths: HashMap<(PathKind, &'b str), u32, RandomState>,
    /// What stands behind the paths, each with the number of its group, in any order.
    entries: Vec<(u32, Ranked<M>)>,
    expressions: Vec<(M::Expression, Ranked<M>)>,
    depths: Depths,
    deep: DeepDepths,
    has_exact_paths: bool,
}

struct Ranked<M: Indexed> {
    precedence: Precedence<M::Specificity>,
    candidate: Candidate,
}

impl<'b, M: Indexed> HostRoutesBuilder<'b, M> {
    fn new() -> Self {
        Self {
            paths: HashMap::default(),
            entries: Vec::new(),
            expressions: Vec::new(),
            depths: Depths::default(),
            deep: DeepDepths::default(),
            has_exact_paths: false,
        }
    }

    fn insert(&mut self, placed: Placed<'b, M>) {
        let Placed { path, precedence, candidate } = placed;
        let ranked = Ranked { precedence, candidate };
        match path {
            PathStep::LookUp(kind, text) => {
                match kind {
                    PathKind::Exact => self.has_exact_paths = true,
                    PathKind::Prefix => self.depths.insert(text, &mut self.deep),
                    PathKind::Suffix => {}
                }
                let next = self.paths.len() as u32;
                let group = *self.paths.entry((kind, text)).or_insert(next);
                self.entries.push((group, ranked));
            }
            PathStep::Ask(expression) => self.expressions.push((expression.clone(), ranked)),
        }
    }

    fn finish(self) -> HostRoutes<M::Expression> {
        let Self { paths, mut entries, mut expressions, depths, deep, has_exact_paths } = self;
        entries.sort_by_key(|(group, ranked)| (*group, ranked.precedence));
        expressions.sort_by_key(|(_, ranked)| ranked.precedence);
        if M::INTERLEAVED {
            for (_, Ranked { precedence, candidate }) in &mut entries {
                let before = expressions.partition_point(|(_, ranked)| ranked.precedence < *precedence);
                candidate.after = before as u32;
            }
        }
        let expressions: Box<[_]> =
            expressions.into_iter().map(|(expression, ranked)| (expression, ranked.candidate)).collect();
        let mut candidates = CandidatesBuilder::default();
        let mut entries = entries.into_iter().map(|(group, ranked)| (group, ranked.candidate)).peekable();
        // Every number has an entry, so the list of groups is in the order of their numbers.
        let mut groups = Vec::new();
        while let Some((number, first)) = entries.next() {
            let others = std::iter::from_fn(|| entries.next_if(|(group, _)| *group == number));
            groups.push(candidates.group(std::iter::once(first).chain(others.map(|(_, other)| other))));
        }
        let rest = Rest { expressions, deep };
        let is_empty = rest.expressions.is_empty() && rest.deep.is_empty();
        HostRoutes {
            depths,
            has_exact_paths,
            has_expressions: !rest.expressions.is_empty(),
            paths: Paths::new(paths.into_iter().map(|(path, number)| (path, groups[number as usize]))),
            candidates: candidates.finish(),
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
