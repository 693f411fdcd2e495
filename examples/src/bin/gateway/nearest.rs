//! What rules ask for that do not serve a request: the ones that it misses by least.
//!
//! There is no second matcher for it. Each rule is asked about the request with the rule's own host, with its own path, and with
//! both, by the search that decides about requests: what has to be changed for the rule to be considered is what it misses.

use std::fmt;

use gateway_core::api::{HttpPathMatch, HttpRoute, HttpRouteRule, PathMatchType};
use gateway_core::condition::{Condition, ConditionType};
use gateway_core::hostname::Host;
use gateway_core::name::{RouteKey, RouteKind};
use gateway_core::table::{CandidateOutcome, Explanation, Frontend, FrontendId};
use gateway_examples::state::Update;
use http::{HeaderValue, Uri, header, request};

use crate::explain;

/// How many rules are asked: enough for what a human reads, and few enough to wait for.
const MAX_ASKED: usize = 5_000;

/// A rule that does not serve the request.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Miss {
    /// What the request would need besides.
    needs: Vec<String>,
    rule: String,
}

/// A port, and a request that comes to it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) update: &'a Update,
    pub(crate) id: FrontendId,
    pub(crate) port: &'a Frontend,
    pub(crate) request: &'a request::Parts,
    pub(crate) server_name: Option<&'a str>,
}

// === impl Asked ===

impl Asked<'_> {
    /// The rules on this port that were not considered, those that miss least first.
    pub(crate) fn misses(self, considered: &Explanation) -> Vec<Miss> {
        let table = &self.update.table;
        let is_considered = |route: &RouteKey, index: usize| {
            let mut rules = considered.candidates.iter().map(|candidate| &table.rule(candidate.rule).id);
            rules.any(|rule| *rule.route == *route && usize::from(rule.index) == index)
        };
        let mut misses = Vec::new();
        let routes = self.update.resources.http_routes.iter();
        let rules = routes.flat_map(|(name, route)| {
            let key = RouteKey::new(RouteKind::Http, name.clone());
            route.spec.rules.iter().enumerate().map(move |(index, rule)| (key.clone(), &**route, index, rule))
        });
        let rules = rules.filter(|(key, _, index, _)| !is_considered(key, *index));
        for (key, route, index, rule) in rules.take(MAX_ASKED) {
            let of_rule = self.of_rule(&key, route, index, rule);
            misses.extend(of_rule.into_iter().min_by_key(|miss| miss.needs.len()));
        }
        misses.sort_by(|a, b| (a.needs.len(), &a.rule).cmp(&(b.needs.len(), &b.rule)));
        misses
    }

    /// What each match entry of a rule misses, where the rule is on this port at all.
    fn of_rule(self, key: &RouteKey, route: &HttpRoute, index: usize, rule: &HttpRouteRule) -> Vec<Miss> {
        let any = HttpPathMatch::default();
        let paths: Vec<&HttpPathMatch> = match &rule.matches[..] {
            [] => vec![&any],
            matches => matches.iter().map(|entry| &entry.path).collect(),
        };
        let mut misses = Vec::new();
        for (entry, path) in paths.into_iter().enumerate() {
            // An expression is no path to ask with.
            let own_path = (path.r#type != PathMatchType::RegularExpression).then_some(&*path.value);
            let hosts = self.hosts(route);
            let hosts = || hosts.iter().map(|host| Some(host.as_str()));
            let with_host = hosts().map(|host| (host, None));
            let with_path = own_path.map(|path| (None, Some(path)));
            let with_both = hosts().filter_map(|host| Some((host, Some(own_path?))));
            let mut trials = with_path.into_iter().chain(with_host).chain(with_both);
            misses.extend(trials.find_map(|(host, own_path)| {
                let (rule, unmet) = self.considers(key, index, entry, host, own_path)?;
                let host = host.map(|host| format!("host {host}"));
                let path = own_path.map(|_| format!("path {} {}", path.r#type, path.value));
                let needs = host.into_iter().chain(path).chain(unmet).collect();
                Some(Miss { needs, rule })
            }));
        }
        misses
    }

    /// Hosts that a route is for; those of the listeners, where it names none.
    fn hosts(self, route: &HttpRoute) -> Vec<String> {
        if !route.spec.hostnames.is_empty() {
            return route.spec.hostnames.clone();
        }
        let listeners = self.update.table.listeners().map(|(_, listener)| listener);
        let here = listeners.filter(|listener| {
            listener.port == self.port.port() && listener.gateway == *self.port.owner().name()
        });
        here.filter_map(|listener| Some(listener.hostname.as_ref()?.to_string())).collect()
    }

    /// Whether the search looks at a match entry when the request has this host and this path; then, the name of its rule, and
    /// what else the request misses.
    fn considers(
        self,
        key: &RouteKey,
        index: usize,
        entry: usize,
        host: Option<&str>,
        path: Option<&str>,
    ) -> Option<(String, Option<String>)> {
        let mut request = self.request.clone();
        let written = request.uri.authority()?.as_str();
        // Any name below the wildcard.
        let host = host.map(|host| host.replacen('*', "any", 1));
        let authority = host.as_deref().unwrap_or(written);
        let path = path.unwrap_or(request.uri.path());
        let query = request.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        request.uri =
            format!("{}://{authority}{path}{query}", request.uri.scheme_str()?).parse::<Uri>().ok()?;
        if let Some(host) = &host {
            request.headers.insert(header::HOST, HeaderValue::from_str(host).ok()?);
        }
        let server_name = host.as_deref().or(self.server_name).and_then(|name| Host::of_name(name).ok());
        let table = &self.update.table;
        let explanation =
            explain::explanation(table, self.id, self.port, &request, server_name.as_ref()).ok()?;
        let found = explanation.candidates.into_iter().find(|candidate| {
            let rule = &table.rule(candidate.rule).id;
            *rule.route == *key && usize::from(rule.index) == index && usize::from(candidate.entry) == entry
        });
        let found = found?;
        let unmet = match found.outcome {
            CandidateOutcome::Unmet(condition) => Some(condition),
            CandidateOutcome::Chosen | CandidateOutcome::Outranked(_) => None,
        };
        Some((table.rule(found.rule).id.to_string(), unmet))
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  needs {}", self.rule, self.needs.join(", "))
    }
}

/// The routes that no parent accepts, and why.
pub(crate) fn not_accepted(update: &Update) -> Vec<String> {
    let routes = update.statuses.routes.iter().filter(|(_, status)| {
        let mut parents = status.parents.iter();
        !parents.any(|parent| Condition::holds(&parent.conditions, ConditionType::Accepted))
    });
    let why = routes.map(|(key, status)| {
        let cause = status.causes.first().map(ToString::to_string).unwrap_or_default();
        format!("{} {}: {cause}", key.kind, key.name)
    });
    why.collect()
}
