//! The HTTPRoutes or GRPCRoutes of a listener, and their match entries that fit a request, in order.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::api::{HttpRouteMatch, HttpRouteRule, ObjectMeta, ParentReference, Resources};
use gateway_core::name::ObjectName;

use super::backend::Referrer;
use super::gateway::Listener;
use super::request::Seen;
use super::{age, hostname, parent_ref, session};

/// A kind of route that serves requests: HTTPRoute or GRPCRoute.
pub(super) trait RequestRoute: 'static {
    const KIND: &'static str;
    type Rule;
    type Entry;

    /// All routes of the kind.
    fn all(resources: &Resources) -> &BTreeMap<ObjectName, Arc<Self>>;

    fn metadata(&self) -> &ObjectMeta;
    fn parents(&self) -> &[ParentReference];
    fn hostnames(&self) -> &[String];
    fn rules(&self) -> &[Self::Rule];

    /// The match entries of a rule, never none.
    fn entries(rule: &Self::Rule) -> Vec<Self::Entry>;

    /// Whether the entry can be carried out.
    fn is_valid(entry: &Self::Entry) -> bool;

    /// Whether the entry fits the request.
    fn matches(entry: &Self::Entry, seen: &Seen) -> bool;

    /// Which of two entries that fit is tried first.
    fn compare(a: &Self::Entry, b: &Self::Entry) -> Ordering;

    /// The rule, written as one of an HTTPRoute.
    fn as_http(rule: &Self::Rule) -> Cow<'_, HttpRouteRule>;

    /// The entry, written as one of an HTTPRoute.
    fn entry_as_http(entry: Self::Entry) -> HttpRouteMatch;
}

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
}

/// A match entry that fits the request, and what its place among others depends on.
struct Ranked<'r, R: RequestRoute> {
    route: &'r ObjectName,
    rule: &'r R::Rule,
    rule_index: usize,
    entry: R::Entry,
    entry_index: usize,
    /// [HST-14](gateway_core::spec#HST-14), [AMB-13](gateway_core::choices#AMB-13): how specific the hostname is, the route's
    /// own.
    hostname: (usize, usize),
    age: (i64, String),
}

/// The entries of all routes of the listener that fit the request; the first one serves it.
pub(super) fn candidates<'r, R: RequestRoute>(
    resources: &'r Resources,
    listener: &Listener<'_>,
    seen: &Seen,
    hostname_fall_through: bool,
) -> Vec<Candidate<'r>> {
    let attached = R::all(resources)
        .iter()
        .filter(|(key, route)| parent_ref::is_attached(resources, R::KIND, key, route.parents(), listener));
    let by_hostname = attached.flat_map(|(key, route)| {
        matching_hostnames(route.hostnames(), &seen.host).into_iter().map(move |rank| (key, &**route, rank))
    });
    in_order(resources, listener.frontend().gateway, by_hostname.collect(), seen, hostname_fall_through)
}

/// The entries of these routes, each with how specific its hostname is, that fit the request, which came in at this Gateway, or
/// within a mesh.
pub(super) fn in_order<'r, R: RequestRoute>(
    resources: &Resources,
    gateway: Option<&ObjectName>,
    routes: Vec<(&'r ObjectName, &'r R, (usize, usize))>,
    seen: &Seen,
    hostname_fall_through: bool,
) -> Vec<Candidate<'r>> {
    let mut ranked: Vec<Ranked<'r, R>> = Vec::new();
    let mut best_hostname = (0, 0);
    for (key, route, hostname) in routes {
        // GRP-02: without rules it serves nothing.
        for (rule_index, rule) in route.rules().iter().enumerate() {
            // RTE-20, RTE-22, AMB-62, GRP-16: a rule with a match that cannot be carried out is as if it were not there.
            let entries = R::entries(rule);
            if !entries.iter().all(R::is_valid) {
                continue;
            }
            // SES-11
            let referrer =
                Referrer { kind: R::KIND, route: key, gets: R::KIND, gateway, may_speak_tls: true };
            if session::is_rejected(resources, &referrer, &R::as_http(rule)) {
                continue;
            }
            best_hostname = best_hostname.max(hostname);
            for (entry_index, entry) in entries.into_iter().enumerate() {
                if R::matches(&entry, seen) {
                    let age = age::of(route.metadata(), key);
                    ranked.push(Ranked { route: key, rule, rule_index, entry, entry_index, hostname, age });
                }
            }
        }
    }
    // AMB-12
    if !hostname_fall_through {
        ranked.retain(|candidate| candidate.hostname == best_hostname);
    }
    ranked.sort_by(|a, b| {
        // HST-14: the most specific hostname,
        b.hostname
            .cmp(&a.hostname)
            // HRM-20, GRP-07: the most specific entry,
            .then_with(|| R::compare(&a.entry, &b.entry))
            // HRM-22, AMB-36: the oldest route, then the smallest `namespace/name`,
            .then_with(|| a.age.cmp(&b.age))
            // HRM-23, AMB-37: the first rule, then the first entry.
            .then_with(|| a.rule_index.cmp(&b.rule_index))
            .then_with(|| a.entry_index.cmp(&b.entry_index))
    });
    ranked.into_iter().map(Ranked::into_candidate).collect()
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

// === impl Ranked ===

impl<'r, R: RequestRoute> Ranked<'r, R> {
    fn into_candidate(self) -> Candidate<'r> {
        let Self { route, rule, rule_index, entry, entry_index, .. } = self;
        let (rule, entry) = (R::as_http(rule), R::entry_as_http(entry));
        Candidate { kind: R::KIND, route, rule, rule_index, entry, entry_index }
    }
}
