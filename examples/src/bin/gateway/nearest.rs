//! Rules that nearly serve a request, and the conditions that it misses.
//!
//! There is no second matcher for it. Each rule is asked about the request with the rule's own host, with its own path, and with
//! both, by the search that decides about requests: what has to be changed for the rule to be considered is what it misses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use gateway_core::api::{GrpcMethodMatchType, GrpcRouteMatch, HttpPathMatch, PathMatchType};
use gateway_core::apply::Applied;
use gateway_core::condition::{Condition, ConditionType};
use gateway_core::hostname::Host;
use gateway_core::matching::call::is_call;
use gateway_core::matching::{GrpcMethod, RequestHead};
use gateway_core::name::{RouteKey, RouteKind};
use gateway_core::table::{CandidateOutcome, Explanation, Frontend, FrontendId, ListedMatch, Listener};
use http::{HeaderValue, Uri, header, request};

use crate::explain;

/// How many rules are asked: enough for what a human reads, and few enough to wait for.
const MAX_ASKED: usize = 5_000;

/// A rule that does not serve the request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Miss {
    /// What the request would need besides.
    needs: Vec<String>,
    rule: String,
}

/// A path to ask a match entry with, and what it is in the words of the entry.
struct OwnPath {
    path: String,
    words: String,
}

/// What to ask each match entry of a rule with; there is one where none is written.
fn paths<M: Default>(matches: &[M], path: impl Fn(&M) -> Option<OwnPath>) -> Vec<Option<OwnPath>> {
    if matches.is_empty() { vec![path(&M::default())] } else { matches.iter().map(path).collect() }
}

/// The path that an entry of an HTTPRoute asks for; an expression is none to ask with.
fn path(written: &HttpPathMatch) -> Option<OwnPath> {
    let words = format!("path {} {}", written.r#type, written.value);
    let is_path = written.r#type != PathMatchType::RegularExpression;
    is_path.then(|| OwnPath { path: written.value.to_string(), words })
}

/// A port, and a request that comes to it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) update: &'a Applied,
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
        let mut misses = self.by_expression(considered);
        let resources = &self.update.resources;
        let for_requests = resources.http_routes.iter().flat_map(|(name, route)| {
            let key = RouteKey::new(RouteKind::Http, name.clone());
            let rules = route.spec.rules.iter().map(|rule| paths(&rule.matches, |entry| path(&entry.path)));
            rules.enumerate().map(move |(index, paths)| (key.clone(), &route.spec.hostnames, index, paths))
        });
        let for_calls = resources.grpc_routes.iter().flat_map(|(name, route)| {
            let key = RouteKey::new(RouteKind::Grpc, name.clone());
            let rules = route.spec.rules.iter().map(|rule| paths(&rule.matches, |entry| self.called(entry)));
            rules.enumerate().map(move |(index, paths)| (key.clone(), &route.spec.hostnames, index, paths))
        });
        let rules = for_requests.chain(for_calls).filter(|(key, _, index, _)| !is_considered(key, *index));
        for (key, hostnames, index, paths) in rules.take(MAX_ASKED) {
            let of_rule = self.of_rule(&key, hostnames, index, paths);
            misses.extend(of_rule.into_iter().min_by_key(|miss| miss.needs.len()));
        }
        misses.sort_by(|a, b| (a.needs.len(), &a.rule).cmp(&(b.needs.len(), &b.rule)));
        misses
    }

    /// What entries with an expression for the path miss, of which it is not known with which path to ask: they stand in the table
    /// with all else that they ask for.
    fn by_expression(self, considered: &Explanation) -> Vec<Miss> {
        let table = &self.update.table;
        let Ok(head) = RequestHead::new(&self.request.method, &self.request.uri, &self.request.headers)
        else {
            return Vec::new();
        };
        let is_considered = |listed: &ListedMatch| {
            let mut known = considered.candidates.iter();
            known.any(|known| (known.rule, known.entry) == (listed.rule, listed.entry))
        };
        let mut misses = BTreeMap::new();
        for (id, _) in table.listeners().filter(|(_, listener)| self.is_here(listener)) {
            let all = table.matches(id).into_iter().take(MAX_ASKED);
            for listed in all.filter(|listed| listed.example.is_none() && !is_considered(listed)) {
                let rule = &table.rule(listed.rule).id;
                let has_host = considered.listener == Some(id)
                    && listed.hostname.as_ref().is_none_or(|hostname| hostname.matches(&head.host));
                let hostname = listed.hostname.as_ref().or(table.listener(id).hostname.as_ref());
                let host = hostname.filter(|_| !has_host).map(|hostname| format!("host {hostname}"));
                let is_call = rule.route.kind == RouteKind::Grpc;
                let call = is_call && !head.is_call();
                let call = call.then(|| "content-type application/grpc".to_owned());
                let path = format!("{} {}", if is_call { "method" } else { "path" }, listed.path);
                let unmet = listed.conditions.as_ref().and_then(|conditions| conditions.unmet(&head));
                let unmet = unmet.map(|unmet| unmet.to_string());
                let needs: Vec<_> = call.into_iter().chain(host).chain([path]).chain(unmet).collect();
                let miss = Miss { needs, rule: explain::name(rule) };
                let best = misses.entry((listed.rule, listed.entry)).or_insert_with(|| miss.clone());
                if miss.needs.len() < best.needs.len() {
                    *best = miss;
                }
            }
        }
        misses.into_values().collect()
    }

    /// Whether a listener is at the port.
    fn is_here(self, listener: &Listener) -> bool {
        listener.port == self.port.port() && listener.frontend == *self.port.owner()
    }

    /// The routes with the request's host that are attached at other ports only.
    pub(crate) fn elsewhere(self) -> Vec<String> {
        let table = &self.update.table;
        let Ok(head) = RequestHead::new(&self.request.method, &self.request.uri, &self.request.headers)
        else {
            return Vec::new();
        };
        let mut places: BTreeMap<&RouteKey, (bool, BTreeSet<String>)> = BTreeMap::new();
        for (id, listener) in table.listeners() {
            for listed in table.matches(id) {
                let (is_here, others) = places.entry(&table.rule(listed.rule).id.route).or_default();
                *is_here |= self.is_here(listener);
                let hostnames = [&listener.hostname, &listed.hostname].into_iter().flatten();
                if hostnames.into_iter().all(|hostname| hostname.matches(&head.host)) {
                    others.insert(format!("{listener} (port {})", listener.port));
                }
            }
        }
        let elsewhere = places.iter().filter(|(_, (is_here, others))| !is_here && !others.is_empty());
        let told = elsewhere.map(|(route, (_, others))| {
            let others: Vec<_> = others.iter().map(String::as_str).collect();
            format!("{} {}: at listener {}", route.kind, route.name, others.join(", "))
        });
        told.collect()
    }

    /// What each match entry of a rule misses, where the rule is on this port at all.
    fn of_rule(
        self,
        key: &RouteKey,
        hostnames: &[String],
        index: usize,
        paths: Vec<Option<OwnPath>>,
    ) -> Vec<Miss> {
        let mut misses = Vec::new();
        for (entry, own_path) in paths.into_iter().enumerate() {
            let own_path = own_path.as_ref();
            let hosts = self.hosts(hostnames);
            let hosts = || hosts.iter().map(|host| Some(host.as_str()));
            let with_host = hosts().map(|host| (host, None));
            // What is no call misses that, perhaps nothing else.
            let as_call =
                (key.kind == RouteKind::Grpc && !is_call(&self.request.headers)).then_some((None, None));
            let with_path = own_path.map(|path| (None, Some(path)));
            let with_both = hosts().filter_map(|host| Some((host, Some(own_path?))));
            let mut trials = as_call.into_iter().chain(with_path).chain(with_host).chain(with_both);
            misses.extend(trials.find_map(|(host, own_path)| {
                let path = own_path.map(|path| path.path.as_str());
                let (rule, unmet) = self.considers(key, index, entry, host, path)?;
                let host = host.map(|host| format!("host {host}"));
                let path = own_path.map(|path| path.words.clone());
                let call = as_call.map(|_| "content-type application/grpc".to_owned());
                let needs = call.into_iter().chain(host).chain(path).chain(unmet).collect();
                Some(Miss { needs, rule })
            }));
        }
        misses
    }

    /// A path that an entry of a GRPCRoute asks for: what it leaves open is what was called.
    fn called(self, entry: &GrpcRouteMatch) -> Option<OwnPath> {
        let method = entry.method.as_ref().filter(|method| method.r#type == GrpcMethodMatchType::Exact)?;
        let called = GrpcMethod::from_path(self.request.uri.path());
        let (service, name) = (method.service.as_deref(), method.method.as_deref());
        let of_request = called.map_or(("any", "any"), |called| (called.service(), called.method()));
        let path = format!("/{}/{}", service.unwrap_or(of_request.0), name.unwrap_or(of_request.1));
        let words = format!("method {}/{}", service.unwrap_or("*"), name.unwrap_or("*"));
        Some(OwnPath { path, words })
    }

    /// Hosts that a route is for; those of the listeners, where it names none.
    fn hosts(self, of_route: &[String]) -> Vec<String> {
        if !of_route.is_empty() {
            return of_route.to_vec();
        }
        let listeners = self.update.table.listeners().map(|(_, listener)| listener);
        let here = listeners.filter(|listener| self.is_here(listener));
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
        if key.kind == RouteKind::Grpc && !is_call(&request.headers) {
            request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        }
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
        let server_name = host.as_deref().or(self.server_name).and_then(|name| Host::from_name(name).ok());
        let table = &self.update.table;
        let explained =
            explain::explanation(table, self.id, self.port, &request, server_name.as_ref()).ok()?;
        let found = explained.explanation.candidates.into_iter().find(|candidate| {
            let rule = &table.rule(candidate.rule).id;
            *rule.route == *key && usize::from(rule.index) == index && usize::from(candidate.entry) == entry
        });
        let found = found?;
        let unmet = match found.outcome {
            CandidateOutcome::Unmet(condition) => Some(condition),
            CandidateOutcome::Chosen | CandidateOutcome::Outranked(_) => None,
        };
        Some((explain::name(&table.rule(found.rule).id), unmet))
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  needs {}", self.rule, self.needs.join(", "))
    }
}

/// The routes that no parent accepts, and why.
pub(crate) fn not_accepted(update: &Applied) -> Vec<String> {
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
