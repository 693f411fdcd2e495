//! The routes of a listener, and their match entries that fit a request, in order.

use gateway_core::api::{
    FromNamespaces, GATEWAY_GROUP, HttpRoute, HttpRouteMatch, HttpRouteRule, LabelSelector,
    LabelSelectorOperator, ObjectKey, Resources,
};

use super::gateway::Listener;
use super::request::Seen;
use super::{hostname, matching, namespace};

/// A match entry that fits the request.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'r> {
    pub(super) route: &'r ObjectKey,
    pub(super) rule: &'r HttpRouteRule,
    pub(super) rule_index: usize,
    pub(super) entry: HttpRouteMatch,
    pub(super) entry_index: usize,
    /// HST-14, AMB-13: how specific the hostname is, the route's own.
    hostname: (usize, usize),
    created: i64,
}

/// The entries of all routes of the listener that fit the request; the first one serves it.
pub(super) fn candidates<'r>(
    resources: &'r Resources,
    listener: &Listener<'_>,
    seen: &Seen,
    hostname_fall_through: bool,
) -> Vec<Candidate<'r>> {
    let mut candidates = Vec::new();
    let mut best_hostname = (0, 0);
    for (key, route) in &resources.http_routes {
        if !is_attached(resources, key, route, listener) {
            continue;
        }
        for hostname in matching_hostnames(route, &seen.host) {
            for (rule_index, rule) in route.spec.rules.iter().enumerate() {
                // RTE-20, RTE-22, AMB-62: a rule with a match that cannot be carried out is as if it were not there.
                let entries = entries(rule);
                if !entries.iter().all(matching::is_valid) {
                    continue;
                }
                best_hostname = best_hostname.max(hostname);
                for (entry_index, entry) in entries.into_iter().enumerate() {
                    if matching::matches(&entry, seen) {
                        let created = &route.metadata.creation_timestamp;
                        candidates.push(Candidate {
                            route: key,
                            rule,
                            rule_index,
                            entry,
                            entry_index,
                            hostname,
                            // AMB-36: without a time it is the newest.
                            created: created
                                .as_ref()
                                .and_then(|time| time.unix_seconds())
                                .unwrap_or(i64::MAX),
                        });
                    }
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
            .then_with(|| a.created.cmp(&b.created))
            .then_with(|| a.route.to_string().cmp(&b.route.to_string()))
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
fn matching_hostnames(route: &HttpRoute, host: &str) -> Vec<(usize, usize)> {
    let hostnames = &route.spec.hostnames;
    if hostnames.is_empty() {
        return vec![hostname::rank(None)];
    }
    let matching = hostnames.iter().filter(|hostname| hostname::matches(hostname, host));
    matching.map(|hostname| hostname::rank(Some(hostname))).collect()
}

/// RTE-03, RTE-05: some parentRef leads to the listener, and the listener lets the route in.
///
/// A route of which every rule is invalid is not accepted (RTE-25). Its status says so; but where it is a filter that
/// cannot be carried out, requests still get 500 and do not slip through to another route: FLT-05, AMB-62.
fn is_attached(resources: &Resources, key: &ObjectKey, route: &HttpRoute, listener: &Listener<'_>) -> bool {
    let leads_here = route.spec.parent_refs.iter().any(|parent| {
        parent.group == GATEWAY_GROUP
            && parent.kind == "Gateway"
            && parent.name == listener.gateway.name
            && namespace(parent.namespace.as_deref(), key) == listener.gateway.namespace
            && parent.section_name.as_deref().is_none_or(|section| section == listener.name)
            && parent.port.is_none_or(|port| port == i32::from(listener.port))
    });
    leads_here && admits_namespace(resources, listener, &key.namespace)
}

/// GWK-07, GWK-08, AMB-58.
fn admits_namespace(resources: &Resources, listener: &Listener<'_>, namespace: &str) -> bool {
    let allowed = &listener.allowed_routes.namespaces;
    match &allowed.from {
        FromNamespaces::All => true,
        FromNamespaces::Same => namespace == listener.gateway.namespace,
        FromNamespaces::Selector => {
            let known = resources.namespaces.get(&ObjectKey::cluster(namespace));
            match (&allowed.selector, known) {
                (Some(selector), Some(known)) => {
                    let mut labels = known.metadata.labels.clone();
                    // Every namespace of a cluster has its name as a label.
                    labels
                        .entry("kubernetes.io/metadata.name".into())
                        .or_insert_with(|| namespace.to_owned());
                    selects(selector, &labels)
                }
                (None, _) | (_, None) => false,
            }
        }
        FromNamespaces::None | FromNamespaces::Unknown(_) => false,
    }
}

fn selects(selector: &LabelSelector, labels: &std::collections::BTreeMap<String, String>) -> bool {
    let by_label = selector.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value));
    let by_expression = selector.match_expressions.iter().all(|requirement| {
        let label = labels.get(&requirement.key);
        let listed = label.is_some_and(|label| requirement.values.contains(label));
        match requirement.operator {
            LabelSelectorOperator::In => listed,
            LabelSelectorOperator::NotIn => !listed,
            LabelSelectorOperator::Exists => label.is_some(),
            LabelSelectorOperator::DoesNotExist => label.is_none(),
            LabelSelectorOperator::Unknown(_) => false,
        }
    });
    by_label && by_expression
}
