//! Backends in the output of `gateway explain`, of requests and of streams alike.

use std::collections::{BTreeMap, BTreeSet};

use gateway_core::apply::Applied;
use gateway_core::name::RouteKind;
use gateway_core::rule::{Authorities, Backend, BackendTarget, Backends, RuleName};
use gateway_core::table::{FrontendOwner, RouteTable};
use serde_json::Value;

/// A line for each backend of a rule. `lost` is what becomes of the share of one that cannot be found.
pub(crate) fn lines(
    update: &Applied,
    owner: &FrontendOwner,
    id: &RuleName,
    backends: &Backends,
    lost: &str,
) -> String {
    let written = written(update, id);
    // Where a part of the rule was dropped, they are not the same ones.
    let is_same = written.len() == backends.refs().len();
    let lines = backends.refs().iter().enumerate().map(|(index, backend)| {
        let weight = backend.weight;
        match backend.target {
            BackendTarget::Backend(id) => {
                let backend = update.table.backend(id);
                let tls = within_tls(&update.table, owner, backend);
                let endpoints = match &backend.hostname {
                    Some(hostname) => format!("the addresses of {hostname}"),
                    None => format!("endpoints {:?}{}", backend.endpoints, clusters(backend)),
                };
                format!("  backend  {backend}{tls}, weight {weight}, {endpoints}\n")
            }
            BackendTarget::Unresolved => {
                let (name, why) = match is_same {
                    true => (format!("{} is ", written[index]), why_invalid(update, id, index)),
                    false => (String::new(), String::new()),
                };
                format!("  backend  {name}invalid, weight {weight}: {lost}\n{why}")
            }
        }
    });
    lines.collect()
}

/// What the status of its Route says of a reference that leads nowhere.
fn why_invalid(update: &Applied, id: &RuleName, index: usize) -> String {
    let field = format!("spec.rules[{}].backendRefs[{index}]", id.index);
    let causes = update.statuses.routes.get(&*id.route).map_or(&[][..], |status| &status.causes);
    let is_below = |found: &str| {
        found.strip_prefix(&*field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut said = BTreeSet::new();
    // Each parent says it.
    let causes =
        causes.iter().filter(|cause| is_below(&cause.finding.field) && said.insert(cause.to_string()));
    causes.map(|cause| format!("           {cause}\n")).collect()
}

/// How TLS is spoken with a backend, where it is: the name that is asked for, who has to have signed the certificate, and whether
/// there is one to show in return.
pub(crate) fn within_tls(table: &RouteTable, owner: &FrontendOwner, backend: &Backend) -> String {
    let Some(tls) = &backend.tls else { return String::new() };
    let authorities = match &tls.authorities {
        Authorities::System => "the authorities of the system".to_owned(),
        Authorities::Certificates(some) if some.len() == 1 => "1 authority".to_owned(),
        Authorities::Certificates(some) => format!("{} authorities", some.len()),
    };
    let shown = table.certificate_for(backend, owner.gateway());
    let shown = if shown.is_some() { ", with a client certificate" } else { "" };
    format!(" within TLS for {} by {authorities}{shown}", tls.server_name)
}

/// Where the endpoints of a ServiceImport are, and how many in each cluster.
fn clusters(backend: &Backend) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for endpoint in &*backend.endpoints {
        if let Some(cluster) = endpoint.locality().and_then(|locality| locality.cluster.as_deref()) {
            *counts.entry(cluster).or_default() += 1;
        }
    }
    let counts: Vec<_> =
        counts.iter().map(|(cluster, count)| format!("{count} in cluster {cluster}")).collect();
    if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) }
}

/// The references to backends of a rule, as they are written.
fn written(update: &Applied, id: &RuleName) -> Vec<String> {
    let rule = written_rule(update, id);
    let refs = rule["backendRefs"].as_array().into_iter().flatten();
    refs.map(|to| text(&id.route.name.namespace, to)).collect()
}

/// A rule, as it is written.
pub(crate) fn written_rule(update: &Applied, id: &RuleName) -> Value {
    let (resources, name, index) = (&update.resources, &id.route.name, usize::from(id.index));
    macro_rules! rule_of {
        ($routes:ident) => {
            resources
                .$routes
                .get(name)
                .and_then(|route| route.spec.rules.get(index))
                .map(serde_json::to_value)
        };
    }
    let rule = match id.route.kind {
        RouteKind::Http => rule_of!(http_routes),
        RouteKind::Grpc => rule_of!(grpc_routes),
        RouteKind::Tls => rule_of!(tls_routes),
        RouteKind::Tcp => rule_of!(tcp_routes),
        RouteKind::Udp => rule_of!(udp_routes),
    };
    // What was read can be written.
    rule.and_then(Result::ok).unwrap_or_default()
}

/// A reference in a Route of this namespace: `namespace/name:port`, with the kind before it where that is no Service.
fn text(of_route: &str, to: &Value) -> String {
    let namespace = to["namespace"].as_str().unwrap_or(of_route);
    // Any text is a name in a reference.
    let name = to["name"].as_str().unwrap_or_default().escape_debug();
    let kind = to["kind"].as_str().filter(|kind| *kind != "Service").map(|kind| format!("{kind} "));
    let port = to["port"].as_i64().map(|port| format!(":{port}"));
    format!("{}{namespace}/{name}{}", kind.unwrap_or_default(), port.unwrap_or_default())
}
