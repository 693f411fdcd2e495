//! Explanations of requests: the same search as [`RouteTable::find`], written down.
//!
//! The search looks at the candidates that the index leads it to: those with a hostname and a path that the request
//! meets. For each, an explanation says which of its other conditions failed, or by which criterion it came second.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;

use super::candidate::Candidate;
use super::host_routes::{Observer, hostname_specificity};
use super::hostname_map::FoundBy;
use super::indexed::{Indexed, PathStep, Place};
use super::{FrontendId, ListenerId, Matched, NoMatch, RouteTable, RuleId};
use crate::hostname::{Host, Hostname};
use crate::matching::{GrpcSpecificity, Precedence, RequestHead, Specificity, Unmet, ValueMatch};
use crate::name::RouteKind;
use crate::rule::RuleName;

/// The decision about a request and everything that was considered for it.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The decision: what [`RouteTable::find`] returns for the same request.
    pub decision: Result<Matched, NoMatch>,
    /// The listener that serves the request's host.
    pub listener: Option<ListenerId>,
    /// The candidates with a hostname and a path that the request meets, in precedence order.
    pub candidates: Vec<ExplainedCandidate>,
}

/// A match entry that was considered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedCandidate {
    /// Its rule.
    pub rule: RuleId,
    /// Which of the rule's `matches` it is, from 0.
    pub entry: u16,
    /// The hostname by which its route serves the request; `None` for a route without hostnames.
    pub hostname: Option<Hostname>,
    /// Its condition on the path, as in `PathPrefix /cart`; that on service and method of a call, as in `Exact shop.Cart/*`.
    pub path: String,
    /// What became of it.
    pub outcome: CandidateOutcome,
}

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CandidateOutcome {
    /// It serves the request.
    Chosen,
    /// The request does not meet one of its conditions; the text says which.
    Unmet(String),
    /// The request meets all of its conditions, but the chosen one goes before it.
    Outranked(TieBreaker),
}

/// The first criterion in which two candidates differ.
///
/// # Spec
/// [HST-14](crate::spec#HST-14), [HRM-20](crate::spec#HRM-20) to [HRM-23](crate::spec#HRM-23), [GRP-07](crate::spec#GRP-07),
/// [AMB-40](crate::choices#AMB-40).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TieBreaker {
    /// It is of an HTTPRoute, and the request is a call that a GRPCRoute takes.
    Kind,
    /// The hostname is less specific, or less specific hostnames are not tried.
    Hostname,
    /// The path is less specific.
    Path,
    /// It does not ask for a method.
    Method,
    /// It asks for a shorter service, or for any.
    Service,
    /// It asks for a shorter method of the service, or for any.
    GrpcMethod,
    /// It asks for fewer headers.
    Headers,
    /// It asks for fewer query parameters.
    QueryParams,
    /// Its route is newer, or of the same age and later by name.
    Age,
    /// It is a later rule of the same route.
    RuleOrder,
    /// It is a later match entry of the same rule.
    EntryOrder,
}

// === impl RouteTable ===

impl RouteTable {
    /// Decides about a request as [`find`](Self::find) does, and says why.
    ///
    /// Walks the same table in the same order; it goes on after the decision to show what else would have matched.
    pub fn explain(
        &self,
        frontend: FrontendId,
        server_name: Option<&Host<'_>>,
        request: &RequestHead<'_>,
    ) -> Explanation {
        let listener = match self.select(frontend, server_name, &request.host) {
            Ok(listener) => listener,
            Err(no_match) => {
                return Explanation { decision: Err(no_match), listener: None, candidates: Vec::new() };
            }
        };
        let mut recorder = Recorder { request, hostname: None, seen: Vec::new() };
        // What else would have matched is looked at without the bounds within which a decision has to be made.
        let decision = self.find_in(listener, request, &mut ());
        let _ = self.find_in(listener, request, &mut recorder);
        let mut seen = recorder.seen;
        self.sort(&mut seen, |candidate| candidate.rule);
        let chosen = decision.ok().and_then(|matched| {
            let is_chosen = |(_, seen): &&(Place, ExplainedCandidate)| {
                (seen.rule, seen.entry) == (matched.rule, matched.entry)
                    && seen.outcome == CandidateOutcome::Chosen
            };
            seen.iter().find(is_chosen).map(|(place, _)| *place)
        });
        let candidates = seen
            .into_iter()
            .map(|(place, mut candidate)| {
                if let (CandidateOutcome::Chosen, Some(chosen)) = (&candidate.outcome, chosen)
                    && place != chosen
                {
                    candidate.outcome = CandidateOutcome::Outranked(TieBreaker::between(&chosen, &place));
                }
                candidate
            })
            .collect();
        Explanation { decision, listener: Some(listener), candidates }
    }

    /// Sorts what was seen by precedence, of which the age of the routes was not known.
    pub(super) fn sort<T>(&self, seen: &mut [(Place, T)], rule: impl Fn(&T) -> RuleId) {
        let age = |number: &u32| self.routes.get(*number).map(|route| &route.age);
        let mut routes: Vec<u32> = seen.iter().map(|(_, seen)| rule(seen).route).collect();
        routes.sort_unstable();
        routes.dedup();
        routes.sort_by(|a, b| age(a).cmp(&age(b)));
        let ranks: HashMap<u32, u32> = routes.into_iter().zip(0..).collect();
        for (place, seen) in seen.iter_mut() {
            *place = place.with_rank(ranks[&rule(seen).route]);
        }
        seen.sort_by_key(|(place, _)| *place);
    }
}

/// The place of a candidate, but for the age of its route.
pub(super) fn place<M: Indexed>(
    hostname: Option<&Hostname>,
    path: PathStep<'_, M::Expression>,
    candidate: &Candidate,
) -> Place {
    M::place(Precedence {
        hostname: Reverse(hostname_specificity(hostname)),
        specificity: Reverse(M::specificity_at(path, candidate.conditions.as_deref())),
        route: 0,
        rule: candidate.rule.rule,
        entry: candidate.entry,
    })
}

/// Writes down the candidates that a search looks at; every one that matches counts as chosen until it is compared.
struct Recorder<'r, 'h> {
    request: &'r RequestHead<'h>,
    hostname: Option<Hostname>,
    seen: Vec<(Place, ExplainedCandidate)>,
}

impl Observer for Recorder<'_, '_> {
    fn hostname(&mut self, found_by: FoundBy<'_>) {
        self.hostname = found_by.hostname();
    }

    fn group<M: Indexed>(&mut self, path: PathStep<'_, M::Expression>, candidates: &[Candidate]) {
        for candidate in candidates {
            let unmet = candidate.conditions.as_deref().and_then(|conditions| conditions.unmet(self.request));
            let explained = ExplainedCandidate {
                rule: candidate.rule,
                entry: candidate.entry,
                hostname: self.hostname.clone(),
                path: M::describe(path),
                outcome: match unmet {
                    Some(unmet) => CandidateOutcome::Unmet(unmet.to_string()),
                    None => CandidateOutcome::Chosen,
                },
            };
            self.seen.push((place::<M>(self.hostname.as_ref(), path, candidate), explained));
        }
    }

    fn exhaustive(&self) -> bool {
        true
    }
}

// === impl Explanation ===

impl Explanation {
    /// All of it as text, with the names of what it is about: the listener, a line for each candidate, and the decision. `table` is the one
    /// that explains.
    pub fn in_table(&self, table: &RouteTable) -> String {
        let candidates = self.candidates.iter().map(|candidate| format!("  {}", candidate.in_table(table)));
        let decision = match self.decision {
            Ok(Matched { rule, entry, .. }) => {
                let rule = &table.rule(rule).id;
                format!("served by rule {} (rules[{}], matches[{entry}])", in_words(rule), rule.index)
            }
            Err(no_match) => format!("answered with {}: {}", no_match.status(), no_match.in_table(table)),
        };
        in_lines(table, (self.listener, "every host"), candidates, decision)
    }
}

/// An explanation as text; `all` is what a listener without hostname serves.
pub(super) fn in_lines(
    table: &RouteTable,
    (listener, all): (Option<ListenerId>, &str),
    candidates: impl Iterator<Item = String>,
    decision: String,
) -> String {
    let taken = listener.map(|id| {
        let listener = table.listener(id);
        let served = listener.hostname.as_ref().map_or(all.to_owned(), ToString::to_string);
        format!("taken by listener {listener}, which serves {served}")
    });
    taken.into_iter().chain(candidates).chain([decision]).collect::<Vec<_>>().join("\n")
}

impl ExplainedCandidate {
    /// The candidate in a line, with the name of its rule. `table` is the one that explains.
    pub fn in_table(&self, table: &RouteTable) -> String {
        let Self { rule, entry, hostname, path, outcome } = self;
        let hostname = hostname.as_ref().map_or("*".to_owned(), ToString::to_string);
        format!("{}  host {hostname}  {path}  matches[{entry}]: {outcome}", in_words(&table.rule(*rule).id))
    }
}

/// The rule; with the kind of its route, where it is none of an HTTPRoute.
fn in_words(rule: &RuleName) -> String {
    if rule.route.kind == RouteKind::Http { rule.to_string() } else { format!("{rule:#}") }
}

// === impl TieBreaker ===

impl TieBreaker {
    /// The first criterion in which the two differ.
    fn between(first: &Place, second: &Place) -> Self {
        match (first, second) {
            (Place::Call(first), Place::Call(second)) => Self::of(first, second, Self::of_calls),
            (Place::Request(first), Place::Request(second)) => Self::of(first, second, Self::of_requests),
            (Place::Call(_), Place::Request(_)) | (Place::Request(_), Place::Call(_)) => Self::Kind,
        }
    }

    fn of<S: Copy>(
        first: &Precedence<S>,
        second: &Precedence<S>,
        by_match: impl FnOnce(S, S) -> Option<Self>,
    ) -> Self {
        if first.hostname != second.hostname {
            Self::Hostname
        } else if let Some(by_match) = by_match(first.specificity.0, second.specificity.0) {
            by_match
        } else if first.route != second.route {
            Self::Age
        } else if first.rule != second.rule {
            Self::RuleOrder
        } else {
            Self::EntryOrder
        }
    }

    fn of_requests(a: Specificity, b: Specificity) -> Option<Self> {
        let criteria = [
            (a.path != b.path, Self::Path),
            (a.method != b.method, Self::Method),
            (a.headers != b.headers, Self::Headers),
            (a.query_params != b.query_params, Self::QueryParams),
        ];
        criteria.into_iter().find(|(differs, _)| *differs).map(|(_, criterion)| criterion)
    }

    fn of_calls(a: GrpcSpecificity, b: GrpcSpecificity) -> Option<Self> {
        let criteria = [
            (a.service != b.service, Self::Service),
            (a.method != b.method, Self::GrpcMethod),
            (a.headers != b.headers, Self::Headers),
        ];
        criteria.into_iter().find(|(differs, _)| *differs).map(|(_, criterion)| criterion)
    }
}

impl fmt::Display for TieBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kind => "calls go to GRPCRoutes first",
            Self::Hostname => "a less specific hostname",
            Self::Path => "a less specific path",
            Self::Method => "no condition on the method",
            Self::Service => "a shorter service",
            Self::GrpcMethod => "a shorter method",
            Self::Headers => "fewer headers",
            Self::QueryParams => "fewer query parameters",
            Self::Age => "a newer route",
            Self::RuleOrder => "a later rule of the same route",
            Self::EntryOrder => "a later match of the same rule",
        })
    }
}

impl fmt::Display for CandidateOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chosen => f.write_str("chosen"),
            Self::Unmet(condition) => write!(f, "not met: {condition}"),
            Self::Outranked(by) => write!(f, "matches, but comes later: {by}"),
        }
    }
}

impl fmt::Display for Unmet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value: &ValueMatch| match value {
            ValueMatch::Exact(exact) => format!("is {:?}", String::from_utf8_lossy(exact)),
            ValueMatch::Regex(pattern) => format!("matches {pattern:?}"),
        };
        match self {
            Self::Path(path) => write!(f, "path {path:?}"),
            Self::Method(method) => write!(f, "method is {method}"),
            Self::Header(header) => write!(f, "header {} {}", header.name, value(&header.value)),
            Self::QueryParam(param) => write!(f, "query parameter {} {}", param.name, value(&param.value)),
        }
    }
}
