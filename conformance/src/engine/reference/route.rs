//! The HTTPRoutes of a listener, and their match entries that fit a request, in order.

use std::borrow::Cow;

use gateway_core::api::{HttpRoute, HttpRouteMatch, HttpRouteRule, Resources};
use gateway_core::name::ObjectName;

use super::gateway::Listener;
use super::request::Seen;
use super::{age, hostname, matching, parent_ref};

/// A match entry that fits the request.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'r> {
    /// The kind of the route.
    pub(super) kind: &'static str,
    pub(super) route: &'r ObjectName,
    /// The rule; that of a GRPCRoute written as one of an HTTPRoute.
    pub(super) rule: Cow<'r, HttpRouteRule>,
    pub(super) rule_index: usize,
    pub(super) entry: HttpRouteMatch,
    pub(super) entry_index: usize,
    /// HST-14, AMB-13: how specific the hostname is, the route's own.
    pub(super) hostname: (usize, usize),
    pub(super) age: (i64, String),
}

/// The entries of all HTTPRoutes of the listener that fit the request; the first one serves it.
pub(super) fn candidates<'r>(
    resources: &'r Resources,
    listener: &Listener<'_>,
    seen: &Seen,
    hostname_fall_through: bool,
) -> Vec<Candidate<'r>> {
    let attached = resources.http_routes.iter().filter(|(key, route)| {
        parent_ref::is_attached(resources, "HTTPRoute", key, &route.spec.parent_refs, listener)
    });
    let by_hostname = attached.flat_map(|(key, route)| {
        matching_hostnames(&route.spec.hostnames, &seen.host)
            .into_iter()
            .map(move |rank| (key, &**route, rank))
    });
    in_order(by_hostname.collect(), seen, hostname_fall_through)
}

/// The entries of these HTTPRoutes, each with how specific its hostname is, that fit the request.
pub(super) fn in_order<'r>(
    routes: Vec<(&'r ObjectName, &'r HttpRoute, (usize, usize))>,
    seen: &Seen,
    hostname_fall_through: bool,
) -> Vec<Candidate<'r>> {
    let mut candidates = Vec::new();
    let mut best_hostname = (0, 0);
    for (key, route, hostname) in routes {
        for (rule_index, rule) in route.spec.rules.iter().enumerate() {
            // RTE-20, RTE-22, AMB-62: a rule with a match that cannot be carried out is as if it were not there.
            let entries = entries(rule);
            if !entries.iter().all(matching::is_valid) {
                continue;
            }
            best_hostname = best_hostname.max(hostname);
            for (entry_index, entry) in entries.into_iter().enumerate() {
                if matching::matches(&entry, seen) {
                    candidates.push(Candidate {
                        kind: "HTTPRoute",
                        route: key,
                        rule: Cow::Borrowed(rule),
                        rule_index,
                        entry,
                        entry_index,
                        hostname,
                        age: age::of(&route.metadata, key),
                    });
                }
            }
        }
    }
    // AMB-12
    if !hostname_fall_through {
        candidates.retain(|candidate| candidate.hostname == best_hostname);
    }
    candidates.sort_by(|a, b| {
        // HST-14: the most specific hostname,
        b.hostname
            .cmp(&a.hostname)
            // HRM-20: the most specific entry,
            .then_with(|| matching::compare(&a.entry, &b.entry))
            // HRM-22, AMB-36: the oldest route, then the smallest `namespace/name`,
            .then_with(|| a.age.cmp(&b.age))
            // HRM-23, AMB-37: the first rule, then the first entry.
            .then_with(|| a.rule_index.cmp(&b.rule_index))
            .then_with(|| a.entry_index.cmp(&b.entry_index))
    });
    candidates
}

/// HRM-03: an empty list of matches is one that matches everything.
pub(super) fn entries(rule: &HttpRouteRule) -> Vec<HttpRouteMatch> {
    if rule.matches.is_empty() { vec![HttpRouteMatch::default()] } else { rule.matches.clone() }
}

/// How specific each hostname of the route is that matches the host; HST-05: a route without hostnames takes all hosts.
///
/// HST-04: the host has matched the listener's hostname, so what matches here is in the intersection of both.
pub(super) fn matching_hostnames(hostnames: &[String], host: &str) -> Vec<(usize, usize)> {
    if hostnames.is_empty() {
        return vec![hostname::rank(None)];
    }
    let matching = hostnames.iter().filter(|hostname| hostname::matches(hostname, host));
    matching.map(|hostname| hostname::rank(Some(hostname))).collect()
}
