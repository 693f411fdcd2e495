//! Why a request went where it went: the same search as [`RouteTable::find`], written down.
//!
//! The search looks at the candidates that the index leads it to: those with a hostname and a path that the request
//! meets. For each, an explanation says which of its other conditions failed, or by which criterion it came second.

use std::cmp::Reverse;
use std::fmt;

use super::candidate::Candidate;
use super::hostname_map::FoundBy;
use super::http_part::{Observer, PathStep, hostname_specificity};
use super::{FrontendId, ListenerId, Matched, NoMatch, RouteTable, RuleId};
use crate::hostname::{Host, Hostname};
use crate::matching::{Precedence, RequestHead, Unmet, ValueMatch};

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
    /// Its condition on the path, as in `PathPrefix /cart`.
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
/// HST-14, HRM-20 to HRM-23.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TieBreaker {
    /// The hostname is less specific, or less specific hostnames are not tried.
    Hostname,
    /// The path is less specific.
    Path,
    /// It does not ask for a method.
    Method,
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
        let mut recorder = Recorder { table: self, request, hostname: None, seen: Vec::new() };
        // What else would have matched is looked at without the bounds within which a decision has to be made.
        let decision = self.find_in(listener, request, &mut ());
        let _ = self.find_in(listener, request, &mut recorder);
        let mut seen = recorder.seen;
        self.rank(&mut seen);
        seen.sort_by_key(|(precedence, _)| *precedence);
        let chosen = decision.ok().and_then(|matched| {
            let is_chosen = |(_, seen): &&(Precedence, ExplainedCandidate)| {
                (seen.rule, seen.entry) == (matched.rule, matched.entry)
                    && seen.outcome == CandidateOutcome::Chosen
            };
            seen.iter().find(is_chosen).map(|(precedence, _)| *precedence)
        });
        let candidates = seen
            .into_iter()
            .map(|(precedence, mut candidate)| {
                if let (CandidateOutcome::Chosen, Some(chosen)) = (&candidate.outcome, chosen)
                    && precedence != chosen
                {
                    candidate.outcome =
                        CandidateOutcome::Outranked(TieBreaker::between(&chosen, &precedence));
                }
                candidate
            })
            .collect();
        Explanation { decision, listener: Some(listener), candidates }
    }

    /// Gives the routes of what was seen their places in the order of age.
    fn rank(&self, seen: &mut [(Precedence, ExplainedCandidate)]) {
        let age = |number: u32| self.routes.get(number).map(|route| &route.age);
        let mut routes: Vec<u32> = seen.iter().map(|(_, candidate)| candidate.rule.route).collect();
        routes.sort_by(|a, b| age(*a).cmp(&age(*b)));
        routes.dedup();
        for (precedence, candidate) in seen {
            let rank = routes.iter().position(|number| *number == candidate.rule.route);
            precedence.route = rank.map_or(u32::MAX, |rank| rank as u32);
        }
    }

    /// The place of a candidate, but for the age of its route.
    fn precedence(
        &self,
        hostname: Option<&Hostname>,
        path: PathStep<'_>,
        candidate: &Candidate,
    ) -> Precedence {
        Precedence {
            hostname: Reverse(hostname_specificity(hostname)),
            specificity: Reverse(path.specificity(candidate.conditions.as_deref())),
            route: 0,
            rule: candidate.rule.rule,
            entry: candidate.entry,
        }
    }
}

/// Writes down the candidates that a search looks at; every one that matches counts as chosen until it is compared.
struct Recorder<'r, 'h> {
    table: &'r RouteTable,
    request: &'r RequestHead<'h>,
    hostname: Option<Hostname>,
    seen: Vec<(Precedence, ExplainedCandidate)>,
}

impl Observer for Recorder<'_, '_> {
    fn hostname(&mut self, found_by: FoundBy<'_>) {
        self.hostname = found_by.hostname();
    }

    fn group(&mut self, path: PathStep<'_>, candidates: &[Candidate]) {
        for candidate in candidates {
            let unmet = candidate.conditions.as_deref().and_then(|conditions| conditions.unmet(self.request));
            let explained = ExplainedCandidate {
                rule: candidate.rule,
                entry: candidate.entry,
                hostname: self.hostname.clone(),
                path: path.to_string(),
                outcome: match unmet {
                    Some(unmet) => CandidateOutcome::Unmet(unmet.to_string()),
                    None => CandidateOutcome::Chosen,
                },
            };
            self.seen.push((self.table.precedence(self.hostname.as_ref(), path, candidate), explained));
        }
    }

    fn exhaustive(&self) -> bool {
        true
    }
}

// === impl PathStep ===

impl fmt::Display for PathStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(path) => write!(f, "Exact {path}"),
            Self::Regex(pattern) => write!(f, "RegularExpression {}", pattern.as_str()),
            Self::Prefix("") => f.write_str("PathPrefix /"),
            Self::Prefix(prefix) => write!(f, "PathPrefix {prefix}"),
        }
    }
}

// === impl TieBreaker ===

impl TieBreaker {
    /// The first criterion in which the two differ.
    fn between(first: &Precedence, second: &Precedence) -> Self {
        let (a, b) = (first.specificity.0, second.specificity.0);
        if first.hostname != second.hostname {
            Self::Hostname
        } else if a.path != b.path {
            Self::Path
        } else if a.method != b.method {
            Self::Method
        } else if a.headers != b.headers {
            Self::Headers
        } else if a.query_params != b.query_params {
            Self::QueryParams
        } else if first.route != second.route {
            Self::Age
        } else if first.rule != second.rule {
            Self::RuleOrder
        } else {
            Self::EntryOrder
        }
    }
}

impl fmt::Display for TieBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hostname => "a less specific hostname",
            Self::Path => "a less specific path",
            Self::Method => "no condition on the method",
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
