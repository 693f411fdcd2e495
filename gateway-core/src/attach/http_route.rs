//! HTTPRoutes: where each is attached, and its rules made ready.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Gateways;
use super::allowed_routes::Namespaces;
use super::backend_ref::Backends;
use super::gateways::age;
use super::http_filter::Extensions;
use super::http_rule::{AttachedHttpRule, http_rule};
use super::parent_ref::{Applicant, AttachedParent, NotAttached, attach};
use super::patterns::Patterns;
use crate::api::HttpRoute;
use crate::condition::Reason;
use crate::hostname::{Hostname, HostnameError};
use crate::name::{Age, ObjectName, RouteKind};
use crate::validate::Valid;

/// An HTTPRoute of which at least one parent is ours.
#[derive(Debug)]
pub struct AttachedHttpRoute {
    /// Namespace and name, as the resources have it.
    pub key: ObjectName,
    /// The route's generation, for its conditions.
    pub generation: Option<i64>,
    /// The place of the route among routes.
    pub age: Age,
    /// What became of each parentRef that leads to an object of ours, in the order of the spec.
    pub parents: Vec<AttachedParent>,
    /// Its rules, in the order of the spec.
    pub rules: Vec<AttachedHttpRule>,
    /// The hostnames that cannot be served.
    pub bad_hostnames: Vec<HostnameError>,
}

/// Attaches every HTTPRoute; those without a parent of ours are left out.
///
/// # Spec
/// RTE-01 to RTE-36.
pub(crate) fn http_routes<'r>(
    routes: &'r BTreeMap<ObjectName, Valid<HttpRoute>>,
    gateways: &Gateways,
    namespaces: &Namespaces<'_>,
    backends: &mut Backends<'r>,
    extensions: Option<&dyn Extensions>,
) -> Vec<AttachedHttpRoute> {
    let mut patterns = Patterns::new();
    routes
        .iter()
        .filter_map(|(key, route)| {
            http_route(key, route, gateways, namespaces, backends, extensions, &mut patterns)
        })
        .collect()
}

fn http_route<'r>(
    key: &'r ObjectName,
    route: &'r HttpRoute,
    gateways: &Gateways,
    namespaces: &Namespaces<'_>,
    backends: &mut Backends<'r>,
    extensions: Option<&dyn Extensions>,
    patterns: &mut Patterns<'r>,
) -> Option<AttachedHttpRoute> {
    let namespace = &*key.namespace;
    let (hostnames, bad_hostnames) = hostnames(&route.spec.hostnames);
    let applicant = Applicant { kind: RouteKind::Http, namespace, hostnames: &hostnames };
    let mut parents: Vec<AttachedParent> = route
        .spec
        .parent_refs
        .iter()
        .filter_map(|parent_ref| attach(applicant, parent_ref, gateways, namespaces))
        .collect();
    // Without any hostname left the route would serve every host.
    if hostnames.is_empty()
        && let Some(bad) = bad_hostnames.first()
    {
        for parent in &mut parents {
            parent.listeners =
                Err(NotAttached { reason: Reason::UnsupportedValue, message: bad.to_string() });
        }
    }
    if parents.is_empty() {
        return None;
    }
    let name = Arc::new(key.clone());
    let age = age(&route.metadata, &name);
    patterns.next_route();
    let rules = route
        .spec
        .rules
        .iter()
        .enumerate()
        .map(|(index, rule)| http_rule(&name, namespace, index, rule, backends, extensions, patterns))
        .collect();
    Some(AttachedHttpRoute {
        key: key.clone(),
        generation: route.metadata.generation,
        age,
        parents,
        rules,
        bad_hostnames,
    })
}

/// The hostnames that can be served, and why the others cannot: the schema lets IP addresses through (AMB-49).
fn hostnames(written: &[String]) -> (Vec<Hostname>, Vec<HostnameError>) {
    let mut good = Vec::with_capacity(written.len());
    let mut bad = Vec::new();
    for hostname in written {
        match hostname.parse() {
            Ok(hostname) => good.push(hostname),
            Err(error) => bad.push(error),
        }
    }
    (good, bad)
}

// === impl AttachedHttpRoute ===

impl AttachedHttpRoute {
    /// Whether some rule can be carried out.
    ///
    /// # Spec
    /// RTE-18, RTE-25
    pub fn is_usable(&self) -> bool {
        self.rules.iter().any(|rule| rule.problems.is_empty())
    }

    /// The parents that accept the route: a listener lets it in, and some rule can be carried out.
    ///
    /// # Spec
    /// RTE-06
    pub fn accepting_parents(&self) -> impl Iterator<Item = &AttachedParent> {
        let usable = self.is_usable();
        self.parents.iter().filter(move |parent| usable && parent.listeners.is_ok())
    }
}
